"""The demo's loyalty programme: the same day for the same seed, with everything in it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from streams.demo.loyalty_conclusions import TYPES
from streams.demo.loyalty_programme import SHARE, Programme
from streams.demo.loyalty_reading import read
from streams.demo.reading import Unreadable
from streams.demo.shop import OPENS, Shop
from tests.support.written_loyalty import booked

if TYPE_CHECKING:
    from streams.demo.loyalty_webhooks import Sent

Json = dict[str, Any]

EVENTS = 250
"""As many as `./run demo --events 2000` has."""
REASONS = {
    "malformed", "missing_field", "too_large", "unknown_tier", "unknown_type", "unknown_value",
    "wrong_type",
}  # fmt: skip


def fed(seed: int, events: int = EVENTS) -> tuple[Shop, Programme, list[bytes], list[Sent]]:
    """A shop and its programme, and the webhooks of both, fed side by side."""
    shop = Shop(seed, events * SHARE)
    programme = Programme(seed, events, shop.world)
    bodies: list[bytes] = []
    webhooks: list[Sent] = []
    for body in shop:
        bodies.append(body)
        webhooks += programme.upto(len(bodies) / shop.events)
    return shop, programme, bodies, webhooks


def resources(webhooks: list[Sent]) -> list[Json]:
    """The resources of the readable ones."""
    found = []
    for one in webhooks:
        try:
            read(one)
        except Unreadable:
            continue
        found.append(json.loads(one.body)["resource"])
    return found


def test_a_day_is_the_same_for_the_same_seed() -> None:
    """Every byte; another seed is another day. The shop's own day is not changed by it."""
    _, _, bodies, webhooks = fed(3)

    assert webhooks == fed(3)[3]
    assert webhooks != fed(4)[3]
    assert bodies == list(Shop(3, EVENTS * SHARE))


@pytest.mark.parametrize("events", [1, 40, 301])
def test_a_day_has_as_many_webhooks_as_asked_for(events: int) -> None:
    """Exactly so many, repeats and dirt included, each of one line."""
    webhooks = fed(1, events)[3]

    assert events == len(webhooks)
    assert [1] * events == [one.line.count(b"\n") for one in webhooks]


@pytest.mark.parametrize("seed", [0, 4, 7, 11])
def test_everything_happens(seed: int) -> None:
    """In a day of 250 webhooks: each fact, late ones, each reason of dead letters, each outcome."""
    webhooks = fed(seed)[3]
    book, ledgers = booked(webhooks)
    outcomes = {
        (one.part.name, one.part.outcome, one.part.reason)
        for one in ledgers["attentive"].parts.values()
    }
    told = [call.body for calls in ledgers["klaviyo"].requests.values() for call in calls]

    assert set() == TYPES - book.noticed.keys()
    assert {"late", "stale", "repeated_id", "repeated_fact"} <= book.noticed.keys()
    assert REASONS == book.dead_letters.keys()
    assert {
        ("profile", "delivered", None),
        ("profile", "duplicate", "unchanged"),
        ("profile", "rejected", "no_identifier"),
        ("event", "delivered", None),
        ("event", "filtered", "late"),
        ("event", "filtered", "nothing_to_send"),
        ("event", "rejected", "no_identifier"),
    } == outcomes
    for word in ("Store Credit Amount", "Coupon Code", "'Is Tier Upgrade': True", "-02-28", "None"):
        assert word in str(told)


@pytest.mark.parametrize("seed", [0, 4, 7, 11])
def test_the_books_find_the_dirt_that_was_put_in(seed: int) -> None:
    """Each label as often as it arrived."""
    _, programme, _, webhooks = fed(seed, 600)
    book, _ = booked(webhooks)
    repeats = {name: book.noticed[name] for name in ("repeated_id", "repeated_fact")}

    assert programme.injected == {**book.dead_letters, **repeats}


def test_members_are_customers_of_the_shop() -> None:
    """Most of them: they have the addresses by which the vendors know them already."""
    shop, _, _, webhooks = fed(7)
    customers = {one.email for one in shop.world.customers}
    members = Counter(
        (one.get("customer") or {}).get("email") in customers for one in resources(webhooks)
    )

    assert members[True] > EVENTS / 3


def test_numbers_get_a_digit_more_in_the_day() -> None:
    """So that whoever compares them as texts takes new for old."""
    numbers = [json.loads(one.body)["sequenceNumber"] for one in fed(7)[3] if b'"enr' in one.body]

    assert max(map(int, numbers)) > int(max(numbers))


def latest(webhooks: list[Sent]) -> float:
    """The latest date of what has happened, epoch seconds after the shop's opening."""
    names = ("date", "dateEnrolled", "dateTierEntered")
    dates = (one.get(name) for one in resources(webhooks) for name in names)
    return max(datetime.fromisoformat(one).timestamp() for one in dates if one) - OPENS


def test_what_is_told_is_old_enough() -> None:
    """Nothing is dated later than half an hour after the day: late is late whatever the clock."""
    assert 22 * 3_600 < latest(fed(7)[3]) < 24.5 * 3_600


def test_the_programme_goes_on_after_its_day() -> None:
    """Without end, and no faster than the clock: one webhook beside so many of the shop's."""
    _, programme, _, _ = fed(7, 40)
    more = list(islice(programme.trickle(step=1.6), 400))

    assert 24 * 3_600 < latest(more) < 24.5 * 3_600 + 400 * 1.6
