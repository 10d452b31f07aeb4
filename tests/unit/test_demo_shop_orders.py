"""The demo's bookkeeping on orders and their lines: what a body says, and what Klaviyo is sent."""

from __future__ import annotations

from tests.support.written_webhooks import (
    CREATE,
    NOON,
    OATS,
    PERSON,
    SUBSCRIPTION,
    Json,
    calls,
    event,
    klaviyo,
    subscriber,
    webhook,
)

ORDER = {
    "merchant": "M",
    "customer": "0088",
    "public_id": "O1",
    "payment": "P1",
    "shipping_address": "A1",
    "sub_total": "42.00",
    "tax_total": "0.00",
    "shipping_total": "4.50",
    "discount_total": "6.00",
    "total": "46.50",
    "place": "2026-09-24 00:00:00",
    "tries": 3,
    "rejected_message": "{'code': '120', 'message': \"The card wasn't accepted\"}",
}
BESIDE: Json = {
    "customer": PERSON | {"last_updated": "2026-09-21 09:13:20"},
    "items": [
        {"public_id": "I9", "order": "O9", "subscription": "S9", "product": "X", "quantity": 1},
        {
            "public_id": "I1",
            "order": "O1",
            "subscription": "S1",
            "product": "44120991",
            "quantity": 2,
            "price": "24.00",
            "total_price": "42.00",
        },
    ],
    "subscriptions": [
        SUBSCRIPTION
        | {"updated": "2026-09-21 09:13:20", "created": "2026-09-21 09:13:20"}
        | {"currency_code": "USD", "prepaid_subscription_context": {"renewal_behavior": "cancel"}}
    ],
    "payments": [
        {"public_id": "P1", "cc_number_ending": "0042", "cc_type": 1, "cc_exp_date": "12/2099"}
    ],
    "addresses": [
        {
            "public_id": "A1",
            "address": "9 Quay Rd",
            "address2": None,
            "city": "Chicago",
            "state_province_code": "IL",
            "zip_postal_code": "60601",
            "country_code": "US",
        }
    ],
    "products": [OATS],
}


def test_an_order_event_has_every_field_of_the_page() -> None:
    """Lines of other orders, fillers and nulls are left out; the day is counted in New York.

    The event is of 01:30 on the 22nd in UTC, which is the 21st there: three days before the 24th.
    """
    body = webhook(5, "order.reject", 1_790_040_600, ORDER, snapshot=BESIDE)
    wanted = event(
        "ordergroove.order.reject",
        "da5ded90-cffc-5230-82aa-c44ba1000c5d",
        "2026-09-22T01:30:00+00:00",
        {
            "place_date": "2026-09-24",
            "days_until_place_date": 3,
            "tries": 3,
            "discount_total": 6.0,
            "shipping_total": 4.5,
            "sub_total": 42.0,
            "total": 46.5,
            "has_prepaid": True,
            "currency_code": "USD",
            "total_items_count": 1,
            "items_subset": [
                {
                    "product": {
                        "id": "44120991",
                        "name": "Oat mix",
                        "sku": "OAT-2KG",
                        "price": 24.0,
                    },
                    "subscription": {
                        "id": "S1",
                        "frequency_days": 56,
                        "frequency_description": "Every 8 weeks",
                    },
                    "price": 24.0,
                    "quantity": 2,
                    "total_price": 42.0,
                }
            ],
            "payment": {"cc_number_ending": "0042", "cc_type_description": "Visa"},
            "shipping_address": {
                "address": "9 Quay Rd",
                "city": "Chicago",
                "state_province_code": "IL",
                "zip_postal_code": "60601",
                "country_code": "US",
            },
            "rejected_code": "120",
            "rejected_message": "The card wasn't accepted",
        },
        "active",
    )
    book = klaviyo([subscriber(1), body])

    assert wanted == calls(book)[1][1]


def test_an_order_of_many_lines_is_cut_but_known_whole() -> None:
    """26 lines: 25 are listed, all are counted, and the last one's subscription is prepaid."""
    samples = [{"public_id": f"I{n}", "order": "O1", "product": "SMP-01"} for n in range(25)]
    beside = BESIDE | {"items": [*samples, BESIDE["items"][1]]}
    body = webhook(5, "order.reminder", NOON, ORDER, snapshot=beside)
    sent = calls(klaviyo([subscriber(1), body]))[1][1]["data"]["attributes"]["properties"]

    assert (25, 26, True, "USD") == (
        len(sent["items_subset"]),
        sent["total_items_count"],
        sent["has_prepaid"],
        sent["currency_code"],
    )


def test_days_out_of_stock_count_from_the_first_of_the_run() -> None:
    """Two days later is day 2; after a placement, or 30 days, the next run begins with day 0."""
    line = {
        "merchant": "M",
        "customer": "0088",
        "public_id": "I1",
        "subscription": "S1",
        "product": "44120991",
        "quantity": 2,
        "price": "24.00",
        "total_price": "48.00",
    }
    bodies = [
        subscriber(1),
        CREATE,
        webhook(6, "item.out_of_stock", NOON + 10, line),
        webhook(7, "item.out_of_stock", NOON + 10 + 2 * 86_400, line),
        webhook(14, "item.successfully_placed", NOON + 3 * 86_400, line),
        webhook(8, "item.out_of_stock", NOON + 4 * 86_400, line),
        webhook(19, "item.out_of_stock", NOON + 35 * 86_400, line),
    ]
    sent = [body["data"]["attributes"] for path, body in calls(klaviyo(bodies))[3:7]]
    fields = {
        "has_prepaid": False,
        "product": {"id": "44120991"},
        "quantity": 2,
        "price": 24.0,
        "total_price": 48.0,
    }

    assert [
        ("a7df058d-38a0-57ff-9ac4-2fcb410b2c83", fields | {"days_since_first_attempt": 0}),
        ("e486d247-b673-5fe1-b59e-e03759cb80da", fields | {"days_since_first_attempt": 2}),
        ("f5d0d216-4732-5c04-a53a-0a1772857f55", fields | {"days_since_first_attempt": 0}),
        ("31f03098-4156-5b90-b941-b3f8db5f3bb3", fields | {"days_since_first_attempt": 0}),
    ] == [(one["unique_id"], one["properties"]) for one in sent]
