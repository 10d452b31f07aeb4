"""From settings to the options of derivation: what each setting means, and what is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.composition import (
    awaits_sync,
    derive_options_of,
    goes_by_marks,
    loyalty_options_of,
)
from streams.derive import DeriveOptions
from streams.errors import ConfigurationError
from streams.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

FIRST_START = 1_790_000_000_000
OCTOBER = 1_790_856_000_000
"""2026-10-01T12:00:00Z."""


def options(tmp_path: Path, *lines: str) -> DeriveOptions:
    """The options of a settings file with these lines in its table `derive`."""
    file = tmp_path / "streams.toml"
    file.write_text("\n".join(["[derive]", *lines]))
    return derive_options_of(load_settings(file), FIRST_START)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {}),
        ('history = "complete"', {"history": "complete"}),
        ('flows_from = "beginning"', {"flows_from": 0}),
        ('flows_from = "start"', {"flows_from": FIRST_START}),
        ('flows_from = "2026-10-01T12:00:00Z"', {"flows_from": OCTOBER}),
        ("flows_from = 2026-10-01T07:00:00-05:00", {"flows_from": OCTOBER}),
        ('mode = "native"', {"mode": "native"}),
        ("native_subscriptions_created = true", {"native_subscriptions_created": True}),
        ('cancel_settle = "15m"', {"cancel_settle": 900_000}),
        ('checkout_settle = "0s"', {"checkout_settle": 0}),
        ('announce = ["import"]', {"announce": frozenset({"import"})}),
        ('late_after = "2h"', {"late_after": 7_200_000}),
    ],
)
def test_a_setting_is_an_option(tmp_path: Path, line: str, expected: dict[str, Any]) -> None:
    """Connected to a running shop without a word said, nothing is known and flows begin now."""
    default: dict[str, Any] = {"history": "live", "flows_from": FIRST_START}

    assert DeriveOptions(**(default | expected)) == options(tmp_path, line)


def test_synced_history_says_when(tmp_path: Path) -> None:
    """With the end of the seeding it is known who is new."""
    lines = ('history = "synced"', 'synced_at = "2026-10-01T12:00:00Z"')
    expected = DeriveOptions(history="synced", synced_at=OCTOBER, flows_from=FIRST_START)

    assert expected == options(tmp_path, *lines)


@pytest.mark.parametrize(
    ("lines", "marks"),
    [
        ((), True),
        (('history = "synced"',), True),
        (('history = "complete"',), False),
        (('history = "synced"', 'synced_at = "2026-10-01T12:00:00Z"'), False),
    ],
)
def test_marks_say_when_the_past_was_told(
    tmp_path: Path, lines: tuple[str, ...], *, marks: bool
) -> None:
    """Of `live` too, unless a setting says it; without a mark nobody's past is known by a sync."""
    file = tmp_path / "streams.toml"
    file.write_text("\n".join(["[derive]", *lines]))

    assert marks == goes_by_marks(load_settings(file))
    assert (OCTOBER if len(lines) == 2 else None) == options(tmp_path, *lines).synced_at


def test_who_asks_what_synced_makes_means_after_the_sync(tmp_path: Path) -> None:
    """`streams explain --history synced` reads no topic that could say when it ended."""
    file = tmp_path / "streams.toml"
    file.write_text("[derive]\n")

    assert derive_options_of(load_settings(file), history="synced").synced_at == 0
    assert derive_options_of(load_settings(file), history="live").synced_at is None


def test_a_history_that_is_synced_waits_for_the_topic_to_say_so(tmp_path: Path) -> None:
    """Members are brought by no sync: of them nothing is known, unless somebody says since when."""
    file = tmp_path / "streams.toml"
    file.write_text('[derive]\nhistory = "synced"\n[okendo]\n')
    waits = load_settings(file)
    file.write_text('[derive]\nhistory = "synced"\nsynced_at = "2026-10-01T12:00:00Z"\n[okendo]\n')
    told = load_settings(file)

    assert awaits_sync(waits)
    assert "live" == loyalty_options_of(waits).history
    assert not awaits_sync(told)
    assert "synced" == loyalty_options_of(told).history


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ('history = "all"', "derive.history"),
        ('flows_from = "2026-10-01"', "derive.flows_from"),
        ('flows_from = "yesterday"', "derive.flows_from"),
        ('synced_at = "2026-10-01T12:00:00"', "derive.synced_at"),
        ("cancel_settle = 5", "derive.cancel_settle"),
        ('announce = ["replay"]', "derive.announce"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, line: str, setting: str) -> None:
    """A wrong value names its setting, before anything starts."""
    with pytest.raises(ConfigurationError) as caught:
        options(tmp_path, line)

    assert setting == caught.value.setting


def test_a_worker_asks_no_broker_before_its_settings_are_right(tmp_path: Path) -> None:
    """What is wrong is said at once: nothing was recorded of a start that never was."""
    file = tmp_path / "streams.toml"
    text = '[connections.mail]\ndestination = "pigeon"'
    file.write_text(f'[kafka]\nbootstrap = "127.0.0.1:1"\n{text}')
    result = CliRunner().invoke(commands, ["--settings", str(file), "worker", "derive"])

    assert isinstance(result.exception, ConfigurationError)
    assert "connections.mail.destination" == result.exception.setting
