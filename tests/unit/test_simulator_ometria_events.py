"""The simulated Ometria: custom events, and the campaigns that they start (§3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ometria_simulator import (
    EMAIL,
    ago,
    contact,
    push,
    reminder,
    row_fates,
    subscription,
    tell,
)
from tests.support.simulation import NOW

if TYPE_CHECKING:
    from tests.support.simulation import JSON, Account

HOUR = 3600


def test_an_event_is_stored_and_starts_a_campaign() -> None:
    """The state has the event with its contact, and the campaign with what it can show."""

    async def story(account: Account) -> Any:
        await push(account, contact())
        await push(account, subscription())
        state = await account.state()
        return state["events"], state["campaigns"]

    common: JSON = {
        "id": "e-1",
        "event_type": "Ordergroove_subscription_event",
        "identity": {"identity_email": EMAIL},
        "properties": subscription()["properties"],
    }
    arrival = {"sequence": 2, "row": 0, "received_at": "2026-10-01T12:00:00Z", "silent": None}
    event = {
        **common,
        "timestamp": "2026-10-01T11:59:58Z",
        "contacts": ["ordergroove/C-1"],
        "triggered": True,
        "arrivals": [arrival],
    }
    campaign = {**common, "sequence": 2, "row": 0, "starts_at": "2026-10-01T12:00:00Z"}

    assert ([event], [campaign]) == tell(story)


@pytest.mark.parametrize(
    ("seconds", "fate"),
    [
        pytest.param(0, "accepted", id="now"),
        pytest.param(4 * HOUR, "accepted", id="4 hours"),
        pytest.param(4 * HOUR + 0.001, "silent:too_old", id="a bit more"),
        pytest.param(400 * 86_400, "silent:too_old", id="a year"),
    ],
)
def test_old_events_start_no_campaign(seconds: float, fate: str) -> None:
    """What is more than 4 hours old when it arrives is stored, and nothing starts from it."""

    async def story(account: Account) -> Any:
        await push(account, reminder(timestamp=ago(seconds)))
        [event] = await account.state("events")
        campaigns = await account.state("campaigns")
        return row_fates(account), event["triggered"], len(campaigns)

    triggered = fate == "accepted"

    assert ([[fate]], triggered, int(triggered)) == tell(story)


def test_a_flow_may_wait_longer_for_its_events() -> None:
    """An entry-wait node extends the 4 hours."""

    async def story(account: Account) -> Any:
        await push(account, reminder(timestamp=ago(5 * HOUR)))
        return account.fates

    assert ["accepted"] == tell(story, fresh_hours=5)


@pytest.mark.parametrize(
    ("timestamp", "starts_at"),
    [(ago(60), "2026-10-01T12:00:00Z"), (ago(-90 * 60), "2026-10-01T13:30:00Z")],
)
def test_a_campaign_starts_now_or_in_the_future(timestamp: str, starts_at: str) -> None:
    """An event of the past starts it at once, one of the future at that time."""

    async def story(account: Account) -> Any:
        await push(account, reminder(timestamp=timestamp))
        return [each["starts_at"] for each in await account.state("campaigns")]

    assert [starts_at] == tell(story)


@pytest.mark.parametrize(
    ("repeated_event", "fates", "campaigns"),
    [("trigger", ["accepted"] * 3, 3), ("silent", ["accepted", "duplicate", "duplicate"], 1)],
)
def test_a_repeated_id(repeated_event: str, fates: list[str], campaigns: int) -> None:
    """The event is stored once, as it came last; whether it starts again is a switch."""
    sent = [reminder(properties={"order_id": order}) for order in "abc"]

    async def story(account: Account) -> Any:
        for each in sent:
            await push(account, each)
        [event] = await account.state("events")
        arrivals = [each["sequence"] for each in event["arrivals"]]
        started = len(await account.state("campaigns"))
        return account.fates, event["properties"], event["triggered"], arrivals, started

    expected = (fates, {"order_id": "c"}, True, [1, 2, 3], campaigns)

    assert expected == tell(story, repeated_event=repeated_event)


def test_an_event_that_started_nothing_is_no_duplicate() -> None:
    """Where copies are silent, the first that is fresh still starts the campaign."""

    async def story(account: Account) -> Any:
        for timestamp in (ago(9 * HOUR), ago(0), ago(0)):
            await push(account, reminder(timestamp=timestamp))
        return account.fates

    assert ["silent:too_old", "accepted", "duplicate"] == tell(story, repeated_event="silent")


def test_age_counts_on_arrival() -> None:
    """The clock is the request's: the same event is fresh now and too old in four hours."""

    async def story(account: Account) -> Any:
        await push(account, reminder())
        account.now = NOW + 4 * HOUR
        await push(account, reminder())
        return account.fates

    assert ["accepted", "silent:too_old"] == tell(story)
