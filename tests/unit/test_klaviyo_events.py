"""What Klaviyo is asked for, case by case (contracts/klaviyo.md §1, §2, §4)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from streams.model.delivery import Options, Outcome, Part
from streams.model.enriched import (
    AddressView,
    ItemView,
    OrderView,
    PaymentView,
    SubscriptionView,
)
from streams.model.events import Product
from tests.support.enriched import AT, KLAVIYO, KNOWN, NOBODY, attributes, bare, properties, render
from tests.support.klaviyo_page import PAGE, STATUS
from tests.support.pages import BARE

HOUR = 3_600_000
DAY = 24 * HOUR


def test_an_event_is_one_post_without_credentials() -> None:
    """The event's request names revision and media type; the key is added where it is sent."""
    part = render(bare("order.reject"))

    assert isinstance(part, Part)
    assert ("event", "POST", "/api/events", "events") == (
        part.name,
        part.request.method,
        part.request.path,
        part.request.endpoint,
    )
    assert {
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
        "revision": "2026-07-15",
    } == part.request.headers
    assert {"authorization": "Klaviyo-API-Key pk_test"} == KLAVIYO.authorize("pk_test")


def test_the_whole_body_of_a_bare_event() -> None:
    """Metric, profile, properties, time to the second and the delivery's id: nothing else."""
    part = render(bare("subscription.change_payment"))

    assert isinstance(part, Part)
    assert {
        "data": {
            "type": "event",
            "attributes": {
                "metric": {
                    "data": {
                        "type": "metric",
                        "attributes": {"name": "ordergroove.subscription.change_payment"},
                    }
                },
                "profile": {
                    "data": {"type": "profile", "attributes": {"email": "noor@shop-demo.io"}}
                },
                "properties": {"id": "a1"},
                "time": "2026-10-01T15:00:00+00:00",
                "unique_id": "6f1d2a52",
            },
        }
    } == part.request.body


@pytest.mark.parametrize("event_type", PAGE)
def test_what_is_not_known_is_left_out(event_type: str) -> None:
    """An event of which only ids are known has no nulls, no empty texts, no empty objects."""
    assert BARE[event_type.split(".", maxsplit=1)[0]] == properties(bare(event_type))


@pytest.mark.parametrize(
    ("event_type", "more", "expected"),
    [
        pytest.param(
            "subscription.create",
            {"subscription": SubscriptionView("a1", live=True, product=Product("44", "", ""))},
            {"id": "a1", "product": {"id": "44"}, "product_id": "44"},
            id="product texts",
        ),
        pytest.param(
            "subscription.cancel",
            {"subscription": SubscriptionView("a1", live=False, cancel_reason="")},
            {"id": "a1"},
            id="cancel reason",
        ),
        pytest.param(
            "order.reject",
            {"order": OrderView("o1", rejected_code="", rejected_message="")},
            {},
            id="rejection",
        ),
        pytest.param(
            "order.success",
            {"order": OrderView("o1", payment=PaymentView(), shipping_address=AddressView())},
            {},
            id="payment and address of which nothing is known",
        ),
        pytest.param(
            "order.success",
            {"order": OrderView("o1", shipping_address=AddressView("9 Quay Rd", ""))},
            {"shipping_address": {"address": "9 Quay Rd"}},
            id="a line of an address",
        ),
        pytest.param("order.success", {"order": OrderView("o1", items=[])}, {}, id="no items"),
        pytest.param("order.success", {"entitlements": []}, {}, id="no entitlements"),
    ],
)
def test_what_is_empty_is_left_out(
    event_type: str, more: dict[str, Any], expected: dict[str, Any]
) -> None:
    """An empty text, list or object says nothing and is not sent."""
    assert expected == properties(bare(event_type, **more))


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        pytest.param("42.00", 42.0, id="whole"),
        pytest.param("0.10", 0.1, id="cents"),
        pytest.param("0.00", 0.0, id="zero is known"),
        pytest.param("-4.50", -4.5, id="negative"),
        pytest.param("1234567.89", 1234567.89, id="large"),
    ],
)
def test_money_is_a_number(written: str, sent: float) -> None:
    """Decimal text becomes a JSON number, everywhere on an order and its items."""
    line = ItemView("i1", price=written, total_price=written, product=Product("44", price=written))
    about = OrderView(
        "o1",
        sub_total=written,
        shipping_total=written,
        discount_total=written,
        total=written,
        items=[line],
    )
    told = properties(bare("order.success", order=about))

    assert [sent] * 4 == [
        told[total] for total in ("sub_total", "shipping_total", "discount_total", "total")
    ]
    assert [{"product": {"id": "44", "price": sent}, "price": sent, "total_price": sent}] == told[
        "items_subset"
    ]


@pytest.mark.parametrize(
    ("type_", "name"),
    [(1, "Visa"), (2, "Mastercard"), (3, "Amex"), (4, "Discover"), (5, "Diners"), (6, "JCB")],
)
def test_a_card_is_named(type_: int, name: str) -> None:
    """`cc_type` becomes the card's name (contracts/ordergroove.md §2.1)."""
    about = OrderView("o1", payment=PaymentView(cc_type=type_))

    assert {"cc_type_description": name} == properties(bare("order.success", order=about))[
        "payment"
    ]


@pytest.mark.parametrize("type_", [0, 7, None])
def test_an_unknown_card_has_no_name(type_: int | None) -> None:
    """What no document names is left out; the rest of the payment stays."""
    about = OrderView("o1", payment=PaymentView(cc_number_ending="0042", cc_type=type_))

    assert {"cc_number_ending": "0042"} == properties(bare("order.success", order=about))["payment"]


@pytest.mark.parametrize(
    ("place", "at", "zone", "days"),
    [
        pytest.param("2026-10-06", AT, "America/New_York", 5, id="five days ahead"),
        pytest.param("2026-10-01", AT, "America/New_York", 0, id="today"),
        pytest.param("2026-09-29", AT, "America/New_York", -2, id="passed"),
        pytest.param("2026-10-02", AT + 12 * HOUR, "America/New_York", 1, id="late in the evening"),
        pytest.param("2026-10-02", AT + 12 * HOUR, "UTC", 0, id="already tomorrow elsewhere"),
    ],
)
def test_days_until_place_date(place: str, at: int, zone: str, days: int) -> None:
    """Days from the event's own day to the place date, on the calendar of the display zone."""
    event = replace(bare("order.reminder", order=OrderView("o1", place=place)), occurred_at=at)

    assert {"days_until_place_date": days, "place_date": place} == properties(
        event, Options(display_zone=zone)
    )


@pytest.mark.parametrize(
    ("first", "zone", "days"),
    [
        pytest.param(AT, "America/New_York", 0, id="the first attempt itself"),
        pytest.param(AT - 11 * HOUR, "America/New_York", 0, id="since midnight"),
        pytest.param(AT - 12 * HOUR, "America/New_York", 1, id="the evening before"),
        pytest.param(AT - 12 * HOUR, "UTC", 0, id="the same day elsewhere"),
        pytest.param(AT - 30 * DAY, "America/New_York", 30, id="thirty days"),
    ],
)
def test_days_since_first_attempt(first: int, zone: str, days: int) -> None:
    """Calendar days since the run's first out-of-stock event, in the display zone."""
    event = bare("item.out_of_stock", item=ItemView("i1", first_out_of_stock=first))

    assert {"days_since_first_attempt": days} == properties(event, Options(display_zone=zone))


def test_a_late_event_starts_no_flow() -> None:
    """A late event goes out as backfill, and amounts to delivered_no_trigger when accepted."""
    late, timely = (render(bare("order.success", late=each)) for each in (True, False))

    assert isinstance(late, Part)
    assert isinstance(timely, Part)
    assert (Outcome.DELIVERED_NO_TRIGGER, Outcome.DELIVERED) == (late.outcome, timely.outcome)
    assert late.request.body["data"]["attributes"]["backfill"] is True
    assert "backfill" not in timely.request.body["data"]["attributes"]


@pytest.mark.parametrize("late", [True, False])
def test_a_late_event_may_be_like_any_other(late: bool) -> None:
    """`late_events = "trigger"` sends it without backfill, and it counts as delivered."""
    part = render(bare("order.success", late=late), options=Options(late_events="trigger"))

    assert isinstance(part, Part)
    assert Outcome.DELIVERED == part.outcome
    assert "backfill" not in part.request.body["data"]["attributes"]


WHOLE = replace(
    KNOWN, phone_number="+13125550148", first_name="Noor", last_name="Hale", status="active"
)


@pytest.mark.parametrize("event_type", ["subscriber.create", "order.success"])
def test_a_superseded_event_says_only_who_it_is(event_type: str) -> None:
    """A newer profile is there already: no names, no status; all else is as ever."""
    event = bare(event_type, WHOLE)
    plain, part = (
        KLAVIYO.render(event, "6f1d2a52", AT, Options(), superseded=superseded)[0]
        for superseded in (False, True)
    )

    assert isinstance(plain, Part)
    assert isinstance(part, Part)
    told = plain.request.body["data"]["attributes"]
    kept = part.request.body["data"]["attributes"]

    assert {"email": "noor@shop-demo.io", "phone_number": "+13125550148"} == kept["profile"][
        "data"
    ]["attributes"]
    assert {**told, "profile": None} == {**kept, "profile": None}


def test_a_superseded_profile_is_rendered_as_always() -> None:
    """Whoever sends leaves the part out."""
    event = bare("profile.changed", WHOLE)

    assert KLAVIYO.render(event, "d", AT, Options()) == KLAVIYO.render(
        event, "d", AT, Options(), superseded=True
    )


def test_a_profile_alone_is_imported() -> None:
    """profile.changed is the profile and nothing else, by profile-import; never backfill."""
    who = replace(KNOWN, phone_number="+13125550148", first_name="Noor", status="active")
    part = render(bare("profile.changed", who, late=True))

    assert isinstance(part, Part)
    assert ("profile", "/api/profile-import", "profile-import", Outcome.DELIVERED) == (
        part.name,
        part.request.path,
        part.request.endpoint,
        part.outcome,
    )
    assert {
        "data": {
            "type": "profile",
            "attributes": {
                "email": "noor@shop-demo.io",
                "phone_number": "+13125550148",
                "first_name": "Noor",
                "properties": {STATUS: "active"},
            },
        }
    } == part.request.body


@pytest.mark.parametrize("event_type", ["order.success", "profile.changed"])
def test_an_unset_status_is_not_sent(event_type: str) -> None:
    """While no subscription was ever seen, the profile has no customer property."""
    found = attributes(bare(event_type, replace(NOBODY, phone_number="+13125550148")))
    profile = found["profile"]["data"]["attributes"] if "profile" in found else found

    assert {"phone_number": "+13125550148"} == profile


def test_the_count_is_that_before_the_cut() -> None:
    """total_subscriptions_count is the count; subscriptions_created does not carry it."""
    told = [
        properties(bare(f"subscriber.{action}", subscriptions_count=31))
        for action in ("create", "cancel", "subscriptions_created")
    ]

    assert [31, 31, None] == [each.get("total_subscriptions_count") for each in told]


def test_names_and_revision_are_options() -> None:
    """A connection may name an event otherwise, and ask for another revision."""
    options = Options(
        revision="2027-01-15",
        event_names={"order.retryable_placement_failure": "ordergroove.order.retry"},
    )
    part = render(bare("order.retryable_placement_failure"), options=options)

    assert isinstance(part, Part)
    assert "2027-01-15" == part.request.headers["revision"]
    assert {"name": "ordergroove.order.retry"} == part.request.body["data"]["attributes"]["metric"][
        "data"
    ]["attributes"]
