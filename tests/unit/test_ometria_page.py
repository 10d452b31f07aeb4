"""Ometria held beside its page (seed 002), row by row, and its golden bodies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from streams.destinations.ometria import OMETRIA
from streams.destinations.ometria_payloads import EVENTS, NOT_GIVEN, whole
from streams.model.delivery import Options, Outcome, Part, Refusal
from streams.model.demand_sizes import Bytes
from streams.model.enriched import EnrichedEvent, ItemView, OrderView, SubscriptionView
from streams.model.events import Product
from streams.model.rules import Limit
from tests.support.enriched import AT, KNOWN, NOBODY, bare
from tests.support.golden import golden
from tests.support.told import calls, first_of_each

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
TEXTS = [file.read_text(encoding="utf-8") for file in SEEDS.glob("002*.txt")]
"""The vendor's page, where it lies beside this repository."""

PAGE = {
    "Ordergroove_subscription_event": (
        "cancellation_reason",
        "delivery_frequency",
        "detail_url",
        "image_url",
        "product_set",
    ),
    "Ordergroove_order_reminder": ("order_id", "product_set", "total_value"),
}
"""The page: event → its fields."""

HOUR = 3_600_000
ID = "6f1d2a52-0000-5000-8000-000000000000"
WHO = replace(KNOWN, status="active", active_subscriptions=2, total_subscriptions=3)


def asked(event: EnrichedEvent, now: int = AT, **options: Any) -> dict[str, Part | Refusal]:
    """The parts by name."""
    return {each.name: each for each in OMETRIA.render(event, ID, now, Options(**options))}


def body(event: EnrichedEvent, part: str = "event", **options: Any) -> dict[str, Any]:
    """One part's record."""
    found = asked(event, **options)[part]
    assert isinstance(found, Part), found
    return dict(found.request.body)


def properties(event: EnrichedEvent, **options: Any) -> dict[str, Any]:
    """The event's properties."""
    found: dict[str, Any] = body(event, **options)["properties"]
    return found


def test_golden() -> None:
    """The samples' records are, whole, those that were read and found right."""
    made = {each: calls(OMETRIA, event) for each, event in first_of_each(OMETRIA).items()}

    assert golden("ometria", made) == made
    assert {*EVENTS, "profile.changed"} == set(made)


def test_every_field_of_the_page_is_sent_and_no_other() -> None:
    """A cancellation has all five, a creation all but the reason; the reminder all three."""
    events = first_of_each(OMETRIA)
    created, cancelled = (
        properties(events[each]) for each in ("subscription.create", "subscription.cancel")
    )
    reminder = properties(events["order.reminder"])

    assert set(PAGE["Ordergroove_subscription_event"]) == set(cancelled)
    assert set(cancelled) - {"cancellation_reason"} == set(created)
    assert set(PAGE["Ordergroove_order_reminder"]) == set(reminder)


def test_what_was_typed_in_is_what_the_page_prints() -> None:
    """Each event's fields, in order, are the rows of the vendor's table."""
    for text in TEXTS:
        for name, fields in PAGE.items():
            section = text.split(f"\n{name}\n")[1].split("\nOrdergroove_")[0].split("\nAPI keys")[0]
            rows = re.findall(r"^\| (\w+) \| \w+", section, re.MULTILINE)

            assert ["Field", *fields] == rows


def test_the_page_names_the_events() -> None:
    """Two types for three events, within the 32 characters that are kept."""
    names = {
        body(event)["event_type"]
        for event in first_of_each(OMETRIA).values()
        if (event.type in EVENTS)
    }

    assert set(PAGE) == names
    assert all(len(each) <= 32 for each in names)


@pytest.mark.parametrize(
    ("reason", "told"), [("too much stock", "too much stock"), (None, NOT_GIVEN)]
)
def test_a_cancellation_always_has_a_reason(reason: str | None, told: str) -> None:
    """It is what tells it from a creation."""
    about = SubscriptionView("a1", live=False, cancel_reason=reason)

    assert (
        told == properties(bare("subscription.cancel", subscription=about))["cancellation_reason"]
    )


def test_a_creation_never_has_one() -> None:
    """Not even one that came along."""
    about = SubscriptionView("a1", live=True, cancel_reason="moved house")

    assert "cancellation_reason" not in properties(bare("subscription.create", subscription=about))


@pytest.mark.parametrize(
    ("amount", "unit", "number"),
    [
        ("42.49", "major", 42), ("42.50", "major", 43), ("0.00", "major", 0), ("0.5", "major", 1),
        ("1.005", "minor", 101), ("42.50", "minor", 4_250), (None, "major", None),
    ],
)  # fmt: skip
def test_a_total_is_whole(amount: str | None, unit: Any, number: int | None) -> None:
    """Rounded half up, in dollars; or in cents where the connection says so."""
    assert number == whole(amount, unit)


def test_products_are_ids_as_text() -> None:
    """Each once, in the order's order."""
    items = [ItemView(str(n), product=Product(id_)) for n, id_ in enumerate(("7", "9", "7"))]
    reminder = bare("order.reminder", order=OrderView("o1", items=items, total="9.50"))

    assert {"order_id": "o1", "product_set": ["7", "9"], "total_value": 10} == properties(reminder)
    assert 950 == properties(reminder, money_unit="minor")["total_value"]


def test_the_contact_goes_first_and_says_how_the_customer_stands() -> None:
    """Our own collection, merged; never a word of consent."""
    parts = asked(bare("subscription.create", WHO))
    contact = body(bare("subscription.create", WHO), "profile")

    assert ["profile", "event"] == list(parts)
    assert {
        "@type": "contact",
        "@collection": "ordergroove",
        "@merge": True,
        "id": "0088123",
        "customer_id": "0088123",
        "email": "noor@shop-demo.io",
        "properties": {
            "ordergroove_status": "active",
            "active_subscriptions": 2,
            "total_subscription": 3,
        },
    } == contact


def test_the_contacts_fields_may_be_named() -> None:
    """The merchant's own ids; an empty one leaves a field out."""
    told = body(
        bare("profile.changed", WHO),
        "profile",
        contact_fields={"status": "og", "total_subscriptions": ""},
        collection="og-shop",
    )

    assert ({"og": "active", "active_subscriptions": 2}, "og-shop") == (
        told["properties"], told["@collection"]
    )  # fmt: skip


def test_a_contact_needs_a_status_and_an_address() -> None:
    """Without the first there is nothing to say, without the second nobody to say it of."""
    unknown = asked(bare("order.reminder", KNOWN))
    nobody = asked(bare("profile.changed", replace(NOBODY, status="active")))

    assert ["event"] == list(unknown)
    assert {"profile": Refusal("profile", Outcome.REJECTED, "missing_field", "email")} == nobody


def test_an_event_may_be_found_by_the_shops_id_alone() -> None:
    """A bad address is left out."""
    event = bare("order.reminder", replace(NOBODY, email="noor"))

    assert "0088123" == body(event)["identity_account_id"]
    assert "identity_email" not in body(event)


@pytest.mark.parametrize("own", ["noor@shop-demo.io", "+13125550148"])
def test_an_id_that_says_who_it_is_is_refused(own: str) -> None:
    """Ometria wants no personal data in ids."""
    parts = asked(replace(bare("order.reminder", WHO), customer_id=own))
    refusals = {
        name: (each.reason, each.field)
        for name, each in parts.items()
        if (isinstance(each, Refusal))
    }

    assert {
        "profile": ("personal_identifier", "id"),
        "event": ("personal_identifier", "identity_account_id"),
    } == refusals


@pytest.mark.parametrize(
    ("age", "late", "options", "outcome"),
    [
        pytest.param(4 * HOUR, False, {}, "delivered", id="four hours"),
        pytest.param(4 * HOUR + 1, False, {}, "delivered_no_trigger", id="older"),
        pytest.param(0, True, {}, "filtered", id="late"),
        pytest.param(0, True, {"late_events": "trigger"}, "delivered", id="late, triggered"),
    ],
)
def test_an_old_event_starts_no_campaign(
    age: int, late: bool, options: dict[str, Any], outcome: str
) -> None:
    """The four-hour rule is an outcome; the time that is sent is the event's own."""
    event = replace(bare("order.reminder"), late=late)
    part = asked(event, AT + age, **options)["event"]

    assert outcome == part.outcome
    if isinstance(part, Part):
        assert "2026-10-01T15:00:00.000Z" == part.request.body["timestamp"]


def test_long_texts_are_cut_and_long_addresses_left_out() -> None:
    """512 characters; the outcome says so."""
    product = Product("44", detail_url="https://shop-demo.io/" + "d" * 500, image_url="i" * 512)
    about = SubscriptionView("a1", live=False, cancel_reason="r" * 513, product=product)
    event = bare("subscription.cancel", subscription=about)
    part = asked(event)["event"]

    assert isinstance(part, Part)
    assert ("r" * 512, "i" * 512, "cut") == (
        properties(event)["cancellation_reason"], properties(event)["image_url"], part.remark
    )  # fmt: skip
    assert "detail_url" not in properties(event)


def test_a_name_of_33_characters_is_refused() -> None:
    """It would be cut, and start nothing."""
    fits, long = ({"order.reminder": "n" * size} for size in (32, 33))

    assert "n" * 32 == body(bare("order.reminder"), event_names=fits)["event_type"]
    assert (
        Refusal("event", Outcome.REJECTED, "text_length", "event_type")
        == (asked(bare("order.reminder"), event_names=long)["event"])
    )


def test_contacts_and_events_never_travel_together() -> None:
    """One type a call, 100 at most; one rate for both."""
    parts = asked(bare("order.reminder", WHO))
    frames = [each.request.frame for each in parts.values() if isinstance(each, Part)]

    assert 2 == len(set(frames))
    assert {("push", "/v2/push")} == {
        (each.request.endpoint, each.request.path)
        for each in parts.values()
        if isinstance(each, Part)
    }
    assert {("contact", 100), ("custom_event", 100)} == {
        (each.name, each.count) for each in OMETRIA.rules.batches
    }


def test_the_numbers_are_the_published_ones() -> None:
    """8 calls a second for all of push, 100 records, 60 KB each, 4 hours, contacts every hour."""
    rules = OMETRIA.rules
    sizes = {
        each.most for rows in rules.demands.values() for each in rows if isinstance(each, Bytes)
    }

    assert {Limit("push", 8, 1)} == set(rules.limits)
    assert {60_000} == sizes
    assert (4 * HOUR, 3_600) == (rules.starts_flows_within, rules.sync_profiles_every)
