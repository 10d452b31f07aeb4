"""What is told again of a row is what derive told of it, and a backfill's plan counts it right."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.destinations.klaviyo_rules import PROFILES
from streams.families import SUBSCRIBERS, of_generation
from streams.model.delivery import Options
from streams.model.fact import PROFILE_CHANGED
from streams.model.ids import customer_key
from streams.model.replayed import Replayed, replayed_of
from streams.pipeline import enriched_of
from streams.reconcile.backfill import Plan
from streams.reconcile.sending import Lane
from streams.reconcile.telling import customer_of, profile_event, profile_part, told_at
from streams.route import Route
from tests.support.driver import ENRICHED, Driver
from tests.support.webhooks import CUSTOMER, DAY, MERCHANT, START, person, subscription, webhook

KEY = customer_key(MERCHANT, CUSTOMER)
NOBODYS = (Route("profiles", frozenset()),)
"""Takes no events, so that every change of the profile comes alone."""
BODIES = (
    webhook("subscriber.create", person(email="noor@shop-demo.io", first_name="Noor")),
    webhook("subscription.create", subscription("a1", START)),
    webhook("subscription.create", subscription("a2", START + 9), START + 9),
    webhook("subscription.cancel", subscription("a1", START + DAY, live=False), START + DAY),
    webhook("subscription.cancel", subscription("a2", START + DAY, live=False), START + DAY),
)


@pytest.mark.parametrize("count", range(1, len(BODIES) + 1))
def test_it_is_what_derive_told(count: int) -> None:
    """After every record: the same profile, the same version, under the same id."""
    driver = Driver(NOBODYS)
    told = [
        enriched_of(ENRICHED, each.value)
        for processed in driver.feed_all(BODIES[:count])
        for each in processed.told
        if each.fact.type == PROFILE_CHANGED and each.connections
    ]
    again = profile_event(customer_of(KEY, driver.rows[KEY], SUBSCRIBERS), SUBSCRIBERS)

    assert replace(again, occurred_at=0, source_event_id="") == replace(
        told[-1], occurred_at=0, source_event_id="", because=None
    )


def test_it_says_of_which_generation_the_row_is() -> None:
    """So deliver can tell a rebuilt table's version from an older one's."""
    driver = Driver(NOBODYS)
    driver.feed_all(BODIES)
    family = of_generation(SUBSCRIBERS, 3)

    assert 3 == profile_event(customer_of(KEY, driver.rows[KEY], family), family).profile.generation


def test_its_time_is_the_newest_that_the_row_tells() -> None:
    """An erase hides what is older."""
    driver = Driver(NOBODYS)
    driver.feed_all(BODIES)

    assert (START + DAY) * 1_000 == told_at(driver.row())


@pytest.mark.parametrize("bulk", [False, True])
def test_a_record_of_the_low_lane_is_a_profile_alone(*, bulk: bool) -> None:
    """It says so, of which run it is, and how it may go; its bytes are the event's."""
    driver = Driver(NOBODYS)
    driver.feed_all(BODIES)
    customer = customer_of(KEY, driver.rows[KEY], SUBSCRIBERS)
    low = "og.deliveries.klaviyo.low"
    record = Lane(low, SUBSCRIBERS, lambda event: event.event_id.encode(), "r1", bulk).record(
        customer
    )
    headers = {name: each for name, each in record.headers if isinstance(each, bytes)}

    assert (low, KEY) == (record.topic, record.key)
    assert profile_event(customer, SUBSCRIBERS).event_id.encode() == record.value
    assert Replayed("profile-only", "r1", bulk=bulk) == replayed_of(headers)


def test_who_has_no_good_identifier_is_told_to_nobody() -> None:
    """The vendor would refuse them; so nothing is counted, sent or compared."""
    driver = Driver(NOBODYS)
    driver.feed_all(BODIES[1:])
    event = profile_event(customer_of(KEY, driver.rows[KEY], SUBSCRIBERS), SUBSCRIBERS)

    assert profile_part(DESTINATIONS["klaviyo"], event, Options()) is None


@pytest.mark.parametrize(
    ("vendor", "calls", "requests", "hours"),
    [
        ("klaviyo", {PROFILES.batch: 150_001}, 151, 151 / 150 / 60 / 0.5),
        ("klaviyo", {PROFILES.batch: 10, "profile-import": 7_500}, 7_501, 10 / 60 / 0.5),
        ("attentive", {"attributes-custom": 540_000}, 540_000, 2.0),
    ],
)
def test_the_hours_are_those_of_the_slowest_limit(
    vendor: str, calls: dict[str, int], requests: int, hours: float
) -> None:
    """At half of the published limits, where batches are full."""
    plan = Plan()
    plan.calls.update(calls)
    rules = DESTINATIONS[vendor].rules

    assert requests == sum(plan.requests(rules).values())
    assert hours == pytest.approx(plan.hours(rules, 1.0, 0.5))
    assert 0.0 == plan.hours(rules, None, 0.5)
