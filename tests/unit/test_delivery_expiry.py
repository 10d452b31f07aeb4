"""When an event is no longer worth telling: `streams.delivery.expiry`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from streams.delivery.expiry import EXPIRIES, Expiry, expired
from streams.destinations import DESTINATIONS
from streams.model.enriched import EnrichedEvent, OrderView
from tests.support.delivery import Stage, tell
from tests.support.delivery_vendor import event
from tests.support.enriched import bare

DAY = timedelta(days=1)


def told(event_type: str, place: str | None = None, **order: Any) -> EnrichedEvent:
    """An event of 1 October 2026, noon, about an order."""
    about = OrderView(id="o1", place=place, **order)
    return replace(bare(event_type), order=about, occurred_at=at("2026-10-01T12:00:00"))


def at(text: str) -> int:
    """A moment of UTC, epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize("event_type", ["order.reminder", "order.credit_card_expiration_warning"])
@pytest.mark.parametrize(
    ("now", "reason"),
    [
        pytest.param("2026-10-05T12:00:00", None, id="days before"),
        pytest.param("2026-10-15T12:00:00", None, id="on the day"),
        pytest.param("2026-10-16T03:59:59", None, id="its last second in New York"),
        pytest.param("2026-10-16T04:00:00", "place_date_passed", id="midnight in New York"),
        pytest.param("2027-10-16T00:00:00", "place_date_passed", id="a year after"),
    ],
)
def test_an_upcoming_order_has_a_day(event_type: str, now: str, reason: str | None) -> None:
    """What tells of it makes sense until the day of its placement is over."""
    assert reason == expired(told(event_type, "2026-10-15"), at(now), {})


def test_the_day_ends_where_people_look_at_the_calendar() -> None:
    """In Kyiv it is over while it is still evening in New York."""
    event, now = told("order.reminder", "2026-10-15"), at("2026-10-15T22:00:00")

    assert expired(event, now, {}) is None
    assert expired(event, now, {}, "Europe/Kyiv") == "place_date_passed"


@pytest.mark.parametrize("place", [None, "", "soon", "2026-13-40", "9999-12-31"])
def test_without_a_day_a_month_is_enough(place: str | None) -> None:
    """Nothing is known of when it would be placed, or nothing that anybody understands."""
    event = told("order.reminder", place)
    month = event.occurred_at + timedelta(days=30) // timedelta(milliseconds=1)

    assert expired(event, month, {}) is None
    assert expired(event, month + 1, {}) == "too_old"
    assert expired(replace(event, order=None), month + 1, {}) == "too_old"


def test_everything_else_is_worth_telling_for_ever() -> None:
    """Whatever its order's day was."""
    others = {each for name in DESTINATIONS for each in DESTINATIONS[name].takes} - set(EXPIRIES)
    now = at("2036-10-01T12:00:00")

    assert "order.success" in others
    assert {None} == {expired(told(each, "2026-10-15"), now, {}) for each in others}


def test_every_row_is_of_an_event_that_somebody_takes() -> None:
    """And says what it tells of."""
    taken = {each for name in DESTINATIONS for each in DESTINATIONS[name].takes}

    assert set(EXPIRIES) <= taken
    assert all(each.about for each in EXPIRIES.values())
    assert Expiry() not in EXPIRIES.values()


@pytest.mark.parametrize(
    ("event_type", "age", "now", "reason"),
    [
        pytest.param("order.success", DAY, "2026-10-02T12:00:00", None, id="as old as it may be"),
        pytest.param("order.success", DAY, "2026-10-02T12:00:01", "too_old", id="older"),
        pytest.param("order.cancel", DAY, "2026-10-09T12:00:00", None, id="of another type"),
        pytest.param(
            "order.reminder", 60 * DAY, "2026-11-01T12:00:00", None, id="in a row's place"
        ),
        pytest.param("order.reminder", DAY, "2026-10-03T00:00:00", "too_old", id="before its day"),
    ],
)
def test_the_settings_may_give_a_type_an_age(
    event_type: str, age: timedelta, now: str, reason: str | None
) -> None:
    """An entry stands in place of the row, its day included."""
    entry = {"order.success": age, "order.reminder": age}

    assert reason == expired(told(event_type, "2026-10-15"), at(now), entry)


def test_what_is_too_old_to_be_worth_telling_is_expired() -> None:
    """By the connection's settings: its dead letter says why; what it tells of the profile goes."""

    async def story(stage: Stage) -> None:
        await stage.feed(event("order.success"), event("order.skip_order", customer="c2"))
        await stage.until_offset(2)

    stage = tell(story, max_age={"order.success": timedelta(hours=1)})

    assert {
        ("c1-1", "event", "expired", "too_old"),
        ("c1-1", "profile", "delivered", None),
        ("c2-1", "event", "delivered", None),
    } == set(stage.outcomes("reason"))
    assert {("profiles", "c1-1"), ("events", "c2-1")} == {
        (each.endpoint, each.event) for each in stage.server.seen
    }
    assert [("expired", True)] == [
        (reason, value is not None) for reason, value in stage.dead_letters("reason", "value")
    ]
