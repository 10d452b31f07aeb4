"""The demo's bookkeeping for Attentive: histories by hand, with the calls and outcomes by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.written_webhooks import (
    CANCEL,
    CHANGE_LIVE,
    CREATE,
    KEY,
    LISTED,
    NOON,
    OATS,
    PERSON,
    SUBSCRIPTION,
    Json,
    attentive,
    calls,
    subscriber,
    webhook,
)

EVENTS, ATTRIBUTES = "/v1/events/custom", "/v1/attributes/custom"
USER = {"phone": "+13125550148", "email": "noor.hale@shop-demo.io"}
FLAT = LISTED | {"product_id": "44120991"}
LISTING = PERSON | {"has_prepaid": False, "subscriptions_subset": [LISTED]}


def status(word: str, **user: str) -> tuple[str, Json]:
    """An attribute call, contracts/attentive.md §3."""
    return ATTRIBUTES, {
        "user": USER | user,
        "properties": {"Ordergroove Subscriber Status": word},
    }


def event(kind: str, external_id: str, at: str, properties: Json) -> tuple[str, Json]:
    """An event call, contracts/attentive.md §2."""
    return EVENTS, {
        "type": f"ordergroove.{kind}",
        "externalEventId": external_id,
        "occurredAt": at,
        "user": USER,
        "properties": properties,
    }


BEGUN, OVER = "2026-09-21T14:13:20.000Z", "2026-09-21T14:30:00.000Z"
CREATED = event("subscription.create", "6cf9afd5-b5f0-55be-9bb9-caa46a5ef5e1", BEGUN, FLAT)
WELCOME = event(
    "subscriber.create",
    "4f35325c-6184-5205-b612-a75917bced77",
    BEGUN,
    LISTING | {"total_subscriptions_count": 1},
)
CHECKED_OUT = event(
    "subscriber.subscriptions_created", "868cd7fc-c715-52e8-b0e6-3a24452253c9", BEGUN, LISTING
)
ENDED = event(
    "subscription.cancel",
    "f8f258e3-088f-5da7-ae44-fd64d15b7eee",
    "2026-09-21T14:30:01.000Z",
    FLAT,
)
FAREWELL = event(
    "subscriber.cancel",
    "d88feb0f-0c69-56b6-b8ae-e8a155248f4f",
    OVER,
    LISTING | {"total_subscriptions_count": 1},
)
MOVED = {"email": "n.hale@shop-demo.io"}
RENAMED = subscriber(30, **MOVED, last_updated=NOON + 60)
OTHER = webhook(
    31, "subscription.create", NOON, SUBSCRIPTION | {"public_id": "S2", "merchant_order_id": "7"}
)

HISTORIES: dict[str, tuple[list[bytes], list[tuple[str, Json]]]] = {
    "who somebody is means nothing without a subscription": ([subscriber(1)], []),
    "a first subscription: the status, then the events": (
        [subscriber(1), CREATE],
        [status("active"), CREATED, WELCOME, CHECKED_OUT],
    ),
    "the last one cancelled": (
        [subscriber(1), CREATE, CANCEL],
        [status("active"), CREATED, WELCOME, status("inactive"), ENDED, FAREWELL],
    ),
    "a reactivation is no event here, its status is told": (
        [subscriber(1), CREATE, CANCEL, CHANGE_LIVE],
        [
            *(status("active"), CREATED, WELCOME),
            *(status("inactive"), ENDED, FAREWELL),
            *(status("active"), CHECKED_OUT),
        ],
    ),
    "a new address is told with the status": (
        [subscriber(1), CREATE, RENAMED],
        [
            *(status("active"), CREATED, WELCOME),
            status("active", **MOVED),
            (EVENTS, CHECKED_OUT[1] | {"user": USER | MOVED, "properties": LISTING | MOVED}),
        ],
    ),
    "first seen dead: late events are not sent": (
        [subscriber(1), CANCEL, CREATE],
        [status("inactive"), ENDED, FAREWELL],
    ),
    "nobody can be reached": ([subscriber(1, email=None, phone_number="n/a"), CREATE], []),
}


@pytest.mark.parametrize(("bodies", "wanted"), HISTORIES.values(), ids=HISTORIES.keys())
def test_a_history_gives_these_calls(bodies: list[bytes], wanted: list[tuple[str, Json]]) -> None:
    """The books expect exactly these calls, in this order."""
    assert wanted == calls(attentive(bodies))


MARRIED = {"last_name": "Quill", "last_updated": "2026-09-21 09:14:20"}
OVERTAKEN = webhook(
    32, "subscription.change_payment", NOON, SUBSCRIPTION, snapshot={"customer": MARRIED}
)
PARTS: dict[str, tuple[list[bytes], list[str]]] = {
    "a status is told once": (
        [subscriber(1), CREATE],
        [
            "profile.changed: event filtered nothing_to_send",
            "subscription.create: profile delivered, event delivered",
            "subscriber.create: profile duplicate unchanged, event delivered",
            "subscriber.subscriptions_created: profile duplicate unchanged, event delivered",
        ],
    ),
    "and again when a count changes": (
        [subscriber(1), CREATE, OTHER],
        [
            "profile.changed: event filtered nothing_to_send",
            "subscription.create: profile delivered, event delivered",
            "subscriber.create: profile duplicate unchanged, event delivered",
            "subscription.create: profile delivered, event delivered",
            *["subscriber.subscriptions_created: profile duplicate unchanged, event delivered"] * 2,
        ],
    ),
    "a late event is not sent": (
        [subscriber(1), CANCEL, CREATE],
        [
            "profile.changed: event filtered nothing_to_send",
            "subscription.cancel: profile delivered, event delivered",
            "subscriber.create: profile duplicate unchanged, event filtered late",
            "subscriber.cancel: profile duplicate unchanged, event delivered",
            "subscription.create: profile duplicate unchanged, event filtered late",
            "subscriber.subscriptions_created: profile duplicate unchanged, event filtered late",
        ],
    ),
    "what a late event tells of the person is": (
        [subscriber(1), CREATE, OVERTAKEN],
        [
            "profile.changed: event filtered nothing_to_send",
            "subscription.create: profile delivered, event delivered",
            "subscriber.create: profile duplicate unchanged, event delivered",
            "subscription.change_payment: profile delivered, event filtered late",
            "subscriber.subscriptions_created: profile duplicate unchanged, event delivered",
        ],
    ),
    "nobody can be reached": (
        [CREATE],
        [
            f"{kind}: profile rejected no_identifier, event rejected no_identifier"
            for kind in (
                "subscription.create",
                "subscriber.create",
                "subscriber.subscriptions_created",
            )
        ],
    ),
}


@pytest.mark.parametrize(("bodies", "wanted"), PARTS.values(), ids=PARTS.keys())
def test_a_history_has_these_outcomes(bodies: list[bytes], wanted: list[str]) -> None:
    """Of each delivery, part by part."""
    found: dict[tuple[str, str], list[str]] = {}
    for (delivery, name), one in attentive(bodies).parts.items():
        told = (name, one.part.outcome, one.part.reason)
        found.setdefault((delivery, one.type), []).append(" ".join(filter(None, told)))

    assert wanted == [f"{kind}: {', '.join(each)}" for (_, kind), each in found.items()]


def test_an_event_is_fresh_for_twelve_hours() -> None:
    """After that it starts no journey, which the outcome says."""
    parts = attentive([subscriber(1), CREATE]).parts.values()
    fresh = {one.part.fresh_until for one in parts if one.part.name == "event"} - {None}

    assert {(NOON + 12 * 3_600) * 1_000} == fresh


ORDER: Json = {"merchant": "M", "customer": "0088", "public_id": "O1", "sub_total": "42.00"}
ORDER |= {"payment": "P1", "shipping_address": "A1", "place": "2026-09-24", "tries": 3}
LINE: Json = {"public_id": "I1", "order": "O1", "subscription": "S1", "product": "44120991"}
LINE |= {"quantity": 2, "price": "24.00", "total_price": "42.00"}
BESIDE: Json = {
    "customer": PERSON | {"last_updated": "2026-09-21 09:13:20"},
    "items": [LINE | {"order": "O9"}, *[LINE] * 26],
    "subscriptions": [SUBSCRIPTION | {"created": "2026-09-21 09:13:20", "updated": None}],
    "payments": [{"public_id": "P1", "cc_number_ending": "0042", "cc_type": 1}],
    "addresses": [{"public_id": "A1", "address": "9 Quay Rd", "country_code": "US"}],
    "products": [OATS],
}
SHOWN = {
    "product": {"id": "44120991", "name": "Oat mix", "sku": "OAT-2KG", "price": 24.0},
    "subscription": {
        "id": "S1",
        "frequency_days": 56,
        "frequency_description": "Every 8 weeks",
    },
    "price": 24.0,
    "quantity": 2,
    "total_price": 42.0,
}
ORDERED = {
    "sub_total": 42.0,
    "place_date": "2026-09-24",
    "items_subset": [SHOWN] * 25,
    "payment": {"cc_number_ending": "0042", "cc_type_description": "Visa"},
    "shipping_address": {"address": "9 Quay Rd", "country_code": "US"},
}
REFUSED: dict[str, tuple[str, Json]] = {
    "code and text": (
        '{"code": "120", "message": "No."}',
        {"reject_code": "120", "reject_reason": "No."},
    ),
    "text alone": ("Out of service", {"reject_reason": "Out of service"}),
    "nothing": ("{}", {}),
}


@pytest.mark.parametrize(("message", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_rejected_order_has_every_field_of_the_page(message: str, told: Json) -> None:
    """25 lines of its own are listed; the page's own names say why it was rejected."""
    refused = ORDER | {"rejected_message": message}
    body = webhook(5, "order.reject", NOON, refused, snapshot=BESIDE)
    wanted = event("order.reject", "b2574e01-d67c-5d8f-9c63-a7ceca70bfb3", BEGUN, ORDERED | told)

    assert [status("active"), wanted] == calls(attentive([body]))[:2]


def test_an_item_is_told_flat_as_well() -> None:
    """For text messages, which read no nested fields."""
    line = {"merchant": "M", "customer": "0088", **LINE}
    body = webhook(6, "item.out_of_stock", NOON + 86_400, line, snapshot={"products": [OATS]})
    told = attentive([subscriber(1), CREATE, body]).requests[KEY]
    sent = next(one.body["properties"] for one in told if one.type == "item.out_of_stock")

    assert {
        "product": {"id": "44120991", "name": "Oat mix", "sku": "OAT-2KG"},
        "product_id": "44120991",
        "product_name": "Oat mix",
        "product_sku": "OAT-2KG",
        "quantity": 2,
        "price": 24.0,
        "total_price": 42.0,
        "days_since_first_attempt": 0,
    } == sent


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("subscription.reactivate", False), ("order.retryable_placement_failure", False),
     ("order.send_now", True), ("order.delete", False)],
)  # fmt: skip
def test_only_the_page_s_events_are_sent(kind: str, sent: Any) -> None:
    """21 of them: neither reactivations nor payments that are tried again."""
    content = SUBSCRIPTION if kind.startswith("subscription.") else ORDER
    ledger = attentive([subscriber(1), CREATE, webhook(8, kind, NOON + 5, content)])

    assert sent == (kind in ledger.deliveries)
    assert 21 == len(ledger.vendor.takes)
