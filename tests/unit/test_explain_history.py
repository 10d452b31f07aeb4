"""`streams explain` with timers, with another history, and from rows that a table had."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.model.ids import fact_id
from streams.model.row_text import row_as_dict
from tests.support.driver import Driver
from tests.support.webhooks import CUSTOMER, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from pathlib import Path

FIRST = webhook("subscription.create", subscription(merchant_order_id="70441"), id="e1")
CANCEL = webhook("subscription.cancel", subscription(live=False, updated=START + 60), START + 60)
CREATED = "subscriber.subscriptions_created"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file and no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)


def run(*bodies: bytes, arguments: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What `--json` says, line by line."""
    given = b"\n".join(json.dumps(json.loads(body)).encode() for body in bodies)
    result = CliRunner().invoke(commands, ["explain", "--json", *arguments], input=given)

    assert 0 == result.exit_code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def events(line: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Types and why they are withheld."""
    return [(event["type"], event["withheld"]) for event in line["events"]]


def test_a_timer_before_an_input_shows_in_its_line() -> None:
    """The checkout closes a minute before the cancel comes, and shows behind the cancel's own."""
    _, cancel = run(FIRST, CANCEL)

    assert [
        ("subscription.cancel", None),
        ("subscriber.cancel", None),
        (CREATED, None),
    ] == events(cancel)


def test_what_is_left_at_the_end_has_no_input() -> None:
    """A last line tells what the remaining timers bring."""
    _, last = run(FIRST)

    assert (None, None, [(CREATED, None)]) == (last["input"], last["subscriber"], events(last))
    assert [fact_id(CREATED, MERCHANT, CUSTOMER, "70441")] == [
        event["event_id"] for event in last["events"]
    ]


@pytest.mark.parametrize(
    ("history", "withheld"),
    [("complete", None), ("synced", None), ("live", "customer_age_unknown")],
)
def test_history_can_be_chosen(history: str, withheld: str | None) -> None:
    """Without a known past a first subscription may not be the first ever."""
    first, _ = run(FIRST, arguments=("--history", history))

    assert [("subscription.create", None), ("subscriber.create", withheld)] == events(first)


def test_rows_of_a_table_are_gone_on_from(tmp_path: Path) -> None:
    """The cancel of a subscription that only the given row knows ends the last one."""
    driver = Driver()
    driver.feed(FIRST)
    line = {"key": f"{MERCHANT}:{CUSTOMER}", "row": row_as_dict(driver.row())}
    (tmp_path / "rows.jsonl").write_text(json.dumps(line) + "\n")
    [alone], [known] = run(CANCEL), run(CANCEL, arguments=("--state", "rows.jsonl"))

    assert [
        ("subscription.cancel", None),
        ("subscriber.create", None),
        ("subscriber.cancel", None),
    ] == events(alone)
    assert [
        ("subscription.cancel", None),
        ("subscriber.cancel", None),
        (CREATED, None),
    ] == events(known)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", ""),
        ("17", "line 1 is no row"),
        ('{"key": "m:c"}', "line 1 is no row: not an object of key and row"),
        ('{"key": "m:c", "row": {"version": "x"}}', "line 1 is no row: Expected `int`"),
        ('{"key": "m:c", "row": {"verson": 1}}', "line 1 is no row: Object has fields"),
    ],
    ids=["nothing", "a number", "no row", "a wrong value", "a wrong name"],
)
def test_what_is_no_row_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """A state that cannot be read is a configuration error with its line."""
    (tmp_path / "rows.jsonl").write_text(text)
    result = CliRunner().invoke(commands, ["explain", "--state", "rows.jsonl"], input=FIRST)

    assert problem in str(result.exception or "") + result.output
