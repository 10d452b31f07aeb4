"""The demo's bookkeeping for Yespo: histories by hand, with records and outcomes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.demo.parts import Labels
from streams.model.ids import delivery_id
from tests.support.written_webhooks import (
    CANCEL,
    CHANGE_LIVE,
    CREATE,
    LISTED,
    NOON,
    OATS,
    SUBSCRIPTION,
    Json,
    books,
    calls,
    subscriber,
    webhook,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.demo.ledger import Ledger

WHO = {
    "externalCustomerId": "0088",
    "email": "noor.hale@shop-demo.io",
    "phone": "13125550148",
}
MAIL, PHONE = {"type": "email", "value": WHO["email"]}, {"type": "sms", "value": WHO["phone"]}
SOLD = LISTED | {"product_id": "44120991", "has_prepaid": False}
NAMED = {"first_name": "Noor", "last_name": "Hale", "has_prepaid": False}
LISTING = NAMED | {"subscriptions_subset": [LISTED]}


def yespo(bodies: Iterable[bytes]) -> Ledger:
    """What those come to at Yespo."""
    return books(bodies).ledgers["yespo"]


def contact(status: str, *channels: Json) -> tuple[str, Json]:
    """A call with a contact, contracts/yespo.md §4; both channels unless told."""
    return "/api/v1/contacts", {
        "contacts": [
            {
                "externalCustomerId": "0088",
                "channels": list(channels or (MAIL, PHONE)),
                "fields": [{"id": 51001, "value": status}],
            }
        ],
        "dedupeOn": "externalCustomerId",
        "contactFields": ["externalCustomerId"],
        "customFieldsIDs": [51001],
        "restoreDeleted": False,
    }


def event(kind: str, key: str, fields: Json) -> tuple[str, Json]:
    """An event, contracts/yespo.md §3."""
    told = WHO | fields
    return "/api/v2/event", {
        "eventTypeKey": f"ordergroove.{kind}",
        "keyValue": key,
        "params": [{"name": name, "value": told[name]} for name in sorted(told)],
    }


def source(number: int, kind: str) -> str:
    """The delivery id of one of the source's own events."""
    return delivery_id(f"ev-{number}", kind, "yespo")


CREATED = event("subscription.create", source(2, "subscription.create"), SOLD)
WELCOME = event(
    "subscriber.create",
    "4427f323-4aec-5ebe-bcb5-8646c3b8fc29",
    LISTING | {"total_subscriptions_count": 1},
)
CHECKED_OUT = event(
    "subscriber.subscriptions_created", "ba31e0df-fe4e-57ea-889b-a15177e8ec88", LISTING
)
ENDED = event(
    "subscription.cancel",
    source(4, "subscription.cancel"),
    SOLD | {"cancel_reason": "Costs too much", "cancel_reason_code": 8},
)
FAREWELL = event(
    "subscriber.cancel",
    "8cdd97cb-2aa7-5ec1-8b0c-840916c8ebf8",
    LISTING | {"total_subscriptions_count": 1},
)

HISTORIES: dict[str, tuple[list[bytes], list[tuple[str, Json]]]] = {
    "who somebody is means nothing without a subscription": ([subscriber(1)], []),
    "a first subscription: the contact, then the events": (
        [subscriber(1), CREATE],
        [contact("active"), CREATED, WELCOME, CHECKED_OUT],
    ),
    "the last one cancelled": (
        [subscriber(1), CREATE, CANCEL],
        [contact("active"), CREATED, WELCOME, contact("inactive"), ENDED, FAREWELL],
    ),
    "first seen dead: late events are not sent": (
        [subscriber(1), CANCEL, CREATE],
        [contact("inactive"), ENDED, FAREWELL],
    ),
}


@pytest.mark.parametrize(("bodies", "wanted"), HISTORIES.values(), ids=HISTORIES.keys())
def test_a_history_gives_these_records(bodies: list[bytes], wanted: list[tuple[str, Json]]) -> None:
    """The books expect exactly these records, in this order, each in a request of its own."""
    assert wanted == calls(yespo(bodies))


def test_a_reactivation_is_an_event_of_its_own() -> None:
    """With the subscription's fields, and no reason why it had ended."""
    sent = calls(yespo([subscriber(1), CREATE, CANCEL, CHANGE_LIVE]))
    told = [body for _, body in sent if "reactivate" in str(body.get("eventTypeKey"))]

    assert [event("subscription.reactivate", told[0]["keyValue"], SOLD)[1]] == told


CHANNELS = {
    "both": ({}, [MAIL, PHONE]),
    "no phone": ({"phone_number": "n/a"}, [MAIL]),
    "no address": ({"email": None}, [PHONE]),
    "an address that is none": ({"email": "at the office"}, [PHONE]),
}


@pytest.mark.parametrize(("person", "channels"), CHANNELS.values(), ids=CHANNELS.keys())
def test_a_contact_has_the_channels_that_are_good(person: Json, channels: list[Json]) -> None:
    """A phone is digits without a plus."""
    assert contact("active", *channels) == calls(yespo([subscriber(1, **person), CREATE]))[0]


def outcomes(bodies: list[bytes]) -> list[str]:
    """Of each delivery, part by part, but of what comes before the first subscription."""
    found: dict[tuple[str, str], list[str]] = {}
    for (delivery, name), one in yespo(bodies).parts.items():
        told = (name, one.part.outcome, one.part.reason)
        found.setdefault((delivery, one.type), []).append(" ".join(filter(None, told)))
    return [f"{kind}: {', '.join(each)}" for (_, kind), each in found.items()]


def test_somebody_who_cannot_be_reached_is_still_told_of() -> None:
    """An event is found by the shop's id; a contact without any channel is none."""
    assert [
        f"{kind}: profile rejected no_identifier, event delivered"
        for kind in ("subscription.create", "subscriber.create", "subscriber.subscriptions_created")
    ] == outcomes([CREATE])


PAGE = {"detail_url": "https://shop-demo.io/oat", "image_url": "https://shop-demo.io/oat.png"}
LINE: Json = {"public_id": "I1", "order": "O1", "subscription": "S1", "product": "44120991"}
LINE |= {"quantity": 2, "price": "24.00", "total_price": "42.00"}
HELD = {"created": "2026-09-21 09:13:20", "updated": None, "currency_code": "USD"}
BESIDE: Json = {
    "items": [LINE | {"order": "O9"}, LINE, LINE | {"public_id": "I2", "subscription": None}],
    "subscriptions": [SUBSCRIPTION | HELD],
    "payments": [{"public_id": "P1", "cc_number_ending": "0042", "cc_type": 1}],
    "addresses": [
        {"public_id": "A1", "address": "9 Quay Rd", "address2": "", "city": "Chicago",
         "state_province_code": "IL", "zip_postal_code": "60601", "country_code": "US"}
    ],
    "products": [OATS | PAGE],
}  # fmt: skip
ORDER: Json = {
    "merchant": "M",
    "customer": "0088",
    "public_id": "O1",
    "payment": "P1",
    "shipping_address": "A1",
    "sub_total": "42.00",
    "tax_total": "0.00",
    "shipping_total": "4.50",
    "discount_total": "6.00",
    "total": "40.50",
    "place": "2026-09-24",
    "order_merchant_id": "90311",
    "rejected_message": None,
}
ITEM = {
    "externalItemId": "44120991",
    "name": "Oat mix",
    "quantity": 2,
    "cost": 21.0,
    "url": PAGE["detail_url"],
    "imageUrl": PAGE["image_url"],
}
SENT: Json = {
    "externalOrderId": "O1",
    **WHO,
    "firstName": "Noor",
    "lastName": "Hale",
    "totalCost": 40.5,
    "date": "2026-09-21T14:13:20+00:00",
    "currency": "USD",
    "shipping": 4.5,
    "discount": 6.0,
    "taxes": 0.0,
    "deliveryAddress": "9 Quay Rd, Chicago, IL, 60601, US",
    "items": [ITEM, ITEM],
}
INFO = {"merchant_order_id": "90311", "place_date": "2026-09-24", "subscription_id": "S1"}
REFUSED = '{"code": "120", "message": "Card has lapsed"}'

STATUSES: dict[str, tuple[str, Json, Json]] = {
    "order.success": ("INITIALIZED", {}, {}),
    "order.cancel": ("CANCELLED", {}, {}),
    "order.skip_order": ("CANCELLED", {}, {}),
    "order.reject": (
        "CANCELLED",
        {"statusDescription": "Card has lapsed"},
        {"rejected_code": "120"},
    ),
}


def orders(ledger: Ledger) -> list[Json]:
    """The calls with orders."""
    return [body for path, body in calls(ledger) if path == "/api/v1/orders"]


@pytest.mark.parametrize("kind", STATUSES)
def test_an_order_in_a_status_is_an_order(kind: str) -> None:
    """The whole of it, as contracts/yespo.md §2 lists its fields."""
    status, more, info = STATUSES[kind]
    told = ORDER | ({"rejected_message": REFUSED} if more else {})
    body = webhook(5, kind, NOON, told, snapshot=BESIDE)
    additional = INFO | {"event_type": kind} | info
    wanted = SENT | more | {"status": status, "additionalInfo": additional}

    assert [{"orders": [wanted]}] == orders(yespo([subscriber(1), body]))


def test_an_order_that_has_no_status_is_an_event() -> None:
    """A reminder: what it will cost and hold, and how it is paid."""
    body = webhook(5, "order.reminder", NOON, ORDER, snapshot=BESIDE)
    frequency = {"id": "S1", "frequency_days": 56, "frequency_description": "Every 8 weeks"}
    product = {"id": "44120991", "name": "Oat mix", "sku": "OAT-2KG", "price": 24.0, **PAGE}
    line = {"product": product, "price": 24.0, "quantity": 2, "total_price": 42.0}
    fields = {
        "order_id": "O1",
        "merchant_order_id": "90311",
        "currency": "USD",
        "sub_total": 42.0,
        "shipping_total": 4.5,
        "discount_total": 6.0,
        "total": 40.5,
        "items_subset": [line | {"subscription": frequency}, line],
        "payment": {"cc_number_ending": "0042", "cc_type_description": "Visa"},
        "place_date": "2026-09-24",
        "shipping_address": {
            "address": "9 Quay Rd",
            "city": "Chicago",
            "state_province_code": "IL",
            "zip_postal_code": "60601",
            "country_code": "US",
        },
    }
    wanted = event("order.reminder", source(5, "order.reminder"), fields)

    assert wanted == calls(yespo([subscriber(1), body]))[1]


def test_an_item_out_of_stock_is_an_event() -> None:
    """Its product nested, and flat for text messages."""
    line = {"merchant": "M", "customer": "0088", **LINE}
    body = webhook(6, "item.out_of_stock", NOON, line, snapshot={"products": [OATS]})
    fields = {
        "product": {"id": "44120991", "name": "Oat mix", "sku": "OAT-2KG"},
        "product_id": "44120991",
        "product_name": "Oat mix",
        "product_sku": "OAT-2KG",
        "quantity": 2,
        "price": 24.0,
        "total_price": 42.0,
        "days_since_first_attempt": 0,
    }
    wanted = event("item.out_of_stock", source(6, "item.out_of_stock"), fields)

    assert wanted == calls(yespo([subscriber(1), CREATE, body]))[-2]


LACKING: dict[str, tuple[Json, Json, str | None]] = {
    "nothing": ({}, {}, None),
    "a list of items": ({}, {"items": []}, None),
    "a total": ({"total": None}, {}, "missing_field"),
    "a currency": ({}, {"subscriptions": []}, "missing_field"),
    "an item's product": ({}, {"products": []}, "missing_field"),
    "an item's picture": ({}, {"products": [OATS | PAGE | {"image_url": None}]}, "missing_field"),
    "an item's page": ({}, {"products": [OATS | PAGE | {"detail_url": ""}]}, "missing_field"),
    "an item's quantity": ({}, {"items": [LINE | {"quantity": None}]}, "missing_field"),
    "a line's price": ({}, {"items": [LINE, LINE | {"total_price": None}]}, None),
    "any price": (
        {},
        {"items": [LINE, LINE | {"total_price": None, "price": None}]},
        "missing_field",
    ),
}


@pytest.mark.parametrize(("told", "beside", "reason"), LACKING.values(), ids=LACKING.keys())
def test_an_order_that_lacks_something_goes_nowhere(
    told: Json, beside: Json, reason: str | None
) -> None:
    """What either of Yespo's documents asks for; but an order need not list its items."""
    currency = {"currency_code": "USD"} if beside.get("items") == [] else {}
    body = webhook(5, "order.success", NOON, ORDER | currency | told, snapshot=BESIDE | beside)
    ledger = yespo([subscriber(1), body])
    one = ledger.parts[source(5, "order.success"), "event"].part

    assert reason == one.reason
    assert len(orders(ledger)) == (reason is None)
    assert ({"rejected": 1} if reason else {}) == ledger.dead_letters


def test_an_order_of_somebody_who_cannot_be_reached_goes_nowhere() -> None:
    """The shop's id does not do there."""
    body = webhook(5, "order.success", NOON, ORDER, snapshot=BESIDE)

    assert "order.success: profile rejected no_identifier, event rejected no_identifier" in (
        outcomes([body])
    )


LABELS: dict[str, tuple[object, Labels]] = {
    "an event": (CREATED[1], Labels(CREATED[1]["keyValue"], tuple(WHO.values()))),
    "an order": (
        {"orders": [SENT | {"status": "CANCELLED"}]},
        Labels("order O1 CANCELLED", tuple(WHO.values()), once=False),
    ),
    "a contact": (contact("active")[1], Labels(None, tuple(WHO.values()))),
    "orders that are none": ({"orders": 7}, Labels("order None None", (), once=False)),
    "contacts that are none": ({"contacts": [7]}, Labels(None, ())),
    "channels that are none": ({"contacts": [{"channels": [7]}]}, Labels(None, ())),
    "nothing": ([], Labels("None", ())),
}


@pytest.mark.parametrize(("body", "labels"), LABELS.values(), ids=LABELS.keys())
def test_a_record_is_known_by_its_labels(body: object, labels: Labels) -> None:
    """An event's key, an order and its status, whose contact it is."""
    assert labels == yespo([]).vendor.labels(body)


def test_each_record_keeps_what_stands_around_it() -> None:
    """A contact's custom field counts only if its number is named beside the contacts."""
    one, other = (contact(status)[1] for status in ("active", "inactive"))
    both = one | {"contacts": [*one["contacts"], *other["contacts"]]}
    records = yespo([]).vendor.records

    assert [one, other] == records(both)
    assert [{"orders": [1]}, {"orders": [2]}] == records({"orders": [1, 2]})
    assert [CREATED[1]] == records(CREATED[1])
    assert [{"orders": 7}] == records({"orders": 7})
