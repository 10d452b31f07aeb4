"""`streams explain --source okendo`: what loyalty webhooks become, and why."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from streams.cli import commands
from streams.model.row_text import row_as_dict
from tests.support.okendo import (
    KEY,
    MEMBER,
    SAMPLES,
    START,
    Driver,
    member,
    of_tier,
    transaction,
)

if TYPE_CHECKING:
    from pathlib import Path

    from streams.sources.okendo import Webhook

SETTINGS = '[okendo]\ntiers = ["Silver", "Gold"]\n'


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables of ours; the order of tiers is known."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "streams.toml").write_text(SETTINGS)
    for name in list(os.environ):
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)


def run(given: bytes, *arguments: str) -> Result:
    """The command with something on its standard input."""
    result = CliRunner().invoke(
        commands, ["explain", "--source", "okendo", *arguments], input=given
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def explained(*webhooks: Webhook, arguments: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What `--json` says of bodies, each on a line."""
    given = b"\n".join(each.body for each in webhooks)
    return [json.loads(line) for line in run(given, "--json", *arguments).stdout.splitlines()]


def test_a_members_year() -> None:
    """The samples, headers and all: each webhook with its events, reasons and the standing."""
    given = b"\n".join(json.dumps(json.loads(line)).encode() for line in SAMPLES.values())
    lines = [json.loads(line) for line in run(given, "--json").stdout.splitlines()]
    told = [[event["type"] for event in line["events"]] for line in lines]

    assert list(range(1, len(SAMPLES) + 1)) == [line["input"]["line"] for line in lines]
    assert "msg_2okendo01" == lines[0]["input"]["event_id"]
    assert [
        ["profile.changed"],
        ["loyalty.enrolled"],
        ["loyalty.points_awarded"],
        ["loyalty.tier_changed"],
        ["loyalty.points_redeemed"],
        ["loyalty.points_redeemed"],
        ["loyalty.points_adjusted"],
        [],
        ["loyalty.points_awarded"],
        [],
        ["profile.changed"],
    ] == told
    assert all(event["because"]["text"] for line in lines for event in line["events"])
    assert ("blocked", None, "tier") == (
        lines[-1]["member"]["status"],
        lines[-1]["member"]["tier"],
        lines[-1]["member"]["cleared"].split()[0],
    )
    assert {"attentive", "klaviyo"} == {
        each["connection"] for line in lines for each in line["deliveries"]
    }


def test_for_people() -> None:
    """Standing, event and reason in a line each."""
    text = run(b"\n".join([member("pending").body, of_tier("Gold", START).body])).stdout

    assert "event loyalty.enrolled  [status pending → enrolled by loyalty_customer.update]" in text
    assert "member enrolled: tier Gold" in text
    assert "Okendo Loyalty Enrollment Date" in text
    assert "Okendo Loyalty Enrolment Date" in text


def test_what_is_withheld_says_why() -> None:
    """As in production, where nothing is known of the past."""
    old = member("enrolled", dateEnrolled="2026-01-01T00:00:00Z", dateTierEntered="2026-09-01")
    text = run(old.body, "--history", "live").stdout

    assert "withheld, old_enrolment: member first seen enrolled" in text


def test_bad_webhooks_are_dead_letters_that_name_the_field() -> None:
    """Whether the mapping refuses them or the derivation."""
    lines = explained(
        member("paused"),
        member("pending", loyaltyCustomerId=None),
        of_tier("Platinum", START),
        transaction(amount="many"),
    )

    assert [
        {"reason": "unknown_value", "field": "resource.status"},
        {"reason": "missing_field", "field": "resource.loyaltyCustomerId"},
        {"reason": "unknown_tier", "field": "object.tier"},
        {"reason": "wrong_type", "field": "resource.amount"},
    ] == [line["dead_letter"] for line in lines]


def test_it_can_begin_with_a_row(tmp_path: Path) -> None:
    """A line of `table get --table members --json --reveal`."""
    driver = Driver()
    driver.feed(of_tier("Silver", START - 1, sequence=5))
    state = {"key": KEY.decode(), "row": row_as_dict(driver.row())}
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(state))
    [line] = explained(of_tier("Gold", START, sequence=6), arguments=("--state", str(file)))

    assert ["loyalty.tier_changed"] == [event["type"] for event in line["events"]]
    assert MEMBER not in json.dumps(line["member"])


def test_the_zone_of_birthdays_is_the_shops(tmp_path: Path) -> None:
    """On the evening of the day before, in New York, it is the day itself in Berlin."""
    born = (
        transaction(date="2026-10-01T23:00:00Z"),
        member("pending", birthday={"day": 1, "month": 10}),
    )
    [_, here] = explained(*born)
    (tmp_path / "streams.toml").write_text('[okendo]\nzone = "Europe/Berlin"\n')
    [_, there] = explained(*born)

    assert ("2026-10-01", "2027-10-01") == (
        here["member"]["next_birthday"],
        there["member"]["next_birthday"],
    )
