"""Logs: fields beside words, for people and for machines; traces that travel with records."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from streams.cli.logs import ConsoleLines, JsonLines, configure_logs
from streams.model.trace import trace_id, trace_of, traceparent
from streams.settings import Logs

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CHANCE = bytes(range(24))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def record(message: str, *told: object, **fields: object) -> logging.LogRecord:
    """A record as the standard library makes it."""
    made = logging.LogRecord("streams.x", logging.WARNING, "x.py", 1, message, told, None)
    made.__dict__.update(fields)
    return made


def test_a_line_of_json_has_its_fields() -> None:
    """What machines search for stands under a name; what nobody declared stands nowhere."""
    line = json.loads(
        JsonLines().format(
            record("%s: %s", "klaviyo", "delivered", delivery_id="d1", reason=None, email="x@y.io")
        )
    )

    assert {"at", "level", "logger", "message", "delivery_id"} == set(line)
    assert ("WARNING", "klaviyo: delivered", "d1") == (
        line["level"],
        line["message"],
        line["delivery_id"],
    )


def test_a_line_for_people_ends_with_its_fields() -> None:
    """In a fixed order, after the words."""
    line = ConsoleLines("%(levelname)s: %(message)s").format(
        record("done", part="event", connection="mail")
    )

    assert "WARNING: done connection=mail part=event" == line


def test_the_settings_choose(capsys: pytest.CaptureFixture[str]) -> None:
    """Form and level; other people's libraries only when they warn."""
    configure_logs(Logs(format="json", level="WARNING"))
    logging.getLogger("streams.x").info("quiet")
    logging.getLogger("streams.x").warning("loud")
    logging.getLogger("httpx2").info("chatter")
    lines = capsys.readouterr().err.splitlines()

    assert ["loud"] == [json.loads(each)["message"] for each in lines]


@pytest.mark.parametrize(
    "told",
    [
        None,
        "",
        TOLD.upper(),
        TOLD.replace("00-4b", "01-4b"),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        f"{TOLD}-more",
        f"{TOLD}\n",
    ],
)
def test_a_trace_that_is_none_is_begun_anew(told: str | None) -> None:
    """By the standard's form; what is begun here asks nobody to keep it."""
    begun = traceparent(told, CHANCE)

    assert "00-000102030405060708090a0b0c0d0e0f-1011121314151617-00" == begun
    assert trace_of({"traceparent": begun.encode()}) == begun
    if told is not None:
        assert trace_of({"traceparent": told.encode()}) is None


def test_a_trace_that_is_told_goes_on() -> None:
    """Unchanged: we measure no spans."""
    assert TOLD == traceparent(TOLD, CHANCE)
    assert "4bf92f3577b34da6a3ce929d0e0e4736" == trace_id(TOLD)
    assert trace_of({}) is None
    assert trace_of({"traceparent": b"\xff"}) is None
