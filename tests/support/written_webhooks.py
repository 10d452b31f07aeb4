"""Webhooks and vendors' calls written by hand, for the tests of the demo's bookkeeping."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.demo.expected import expected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.demo.expected import Bookkeeping
    from streams.demo.ledger import Ledger

Json = dict[str, Any]

KEY = "M:0088"
NOON = 1_790_000_000
"""2026-09-21T14:13:20Z."""
FED = (NOON + 26 * 3_600) * 1_000
"""Epoch milliseconds: what happened by then is long over."""

PERSON = {
    "email": "noor.hale@shop-demo.io",
    "phone_number": "+13125550148",
    "first_name": "Noor",
    "last_name": "Hale",
}
SUBSCRIPTION = {
    "merchant": "M",
    "customer": "0088",
    "public_id": "S1",
    "live": True,
    "created": NOON,
    "updated": NOON,
    "product": "44120991",
    "quantity": 2,
    "frequency_days": 56,
    "every": 8,
    "every_period": 2,
    "prepaid_subscription_context": None,
}
OATS = {"external_product_id": "44120991", "sku": "OAT-2KG", "name": "Oat mix", "price": "24.00"}
FLAT = {
    "id": "S1",
    "frequency_days": 56,
    "frequency_description": "Every 8 weeks",
    "product": {"id": "44120991"},
    "product_id": "44120991",
    "quantity": 2,
    "has_prepaid": False,
}
LISTED = {
    "id": "S1",
    "frequency_days": 56,
    "frequency_description": "Every 8 weeks",
    "quantity": 2,
    "product": {"id": "44120991"},
}
CANCELLED = SUBSCRIPTION | {
    "live": False,
    "updated": NOON + 1_000,
    "cancel_reason": "8|Costs too much",
    "cancel_reason_code": 8,
}
REACTIVATED = SUBSCRIPTION | {"live": "True", "updated": NOON + 2_000}


def webhook(number: int, kind: str, created: int, content: Json, **beside: Any) -> bytes:
    """A body as the source sends it."""
    envelope = {"id": f"ev-{number}", "type": kind, "created": created, "data": {"object": content}}
    return json.dumps(envelope | beside).encode()


def subscriber(number: int, **fields: Any) -> bytes:
    """The source's own subscriber.create, which tells who somebody is."""
    told = {"merchant": "M", "merchant_user_id": "0088", "last_updated": NOON, **PERSON, **fields}
    return webhook(number, "subscriber.create", NOON, told)


CREATE = webhook(2, "subscription.create", NOON, SUBSCRIPTION)
CANCEL = webhook(4, "subscription.cancel", NOON + 1_001, CANCELLED)
CHANGE_LIVE = webhook(9, "subscription.change_live", NOON + 2_000, REACTIVATED)
REACTIVATE = webhook(10, "subscription.reactivate", NOON + 2_001, REACTIVATED)


def event(name: str, unique_id: str, time: str, properties: Json, status: str) -> Json:
    """The envelope of contracts/klaviyo.md §2 around what a test writes out."""
    return {
        "data": {
            "type": "event",
            "attributes": {
                "metric": {"data": {"type": "metric", "attributes": {"name": name}}},
                "profile": {
                    "data": {
                        "type": "profile",
                        "attributes": PERSON
                        | {"properties": {"Ordergroove Subscriber Status": status}},
                    }
                },
                "properties": properties,
                "time": time,
                "unique_id": unique_id,
            },
        }
    }


def profile(**attributes: Any) -> Json:
    """A profile call of contracts/klaviyo.md §4."""
    return {"data": {"type": "profile", "attributes": attributes}}


def books(bodies: Iterable[bytes], gap: int = 0) -> Bookkeeping:
    """The books of bodies fed a day later, so many milliseconds apart, and to their end."""
    return expected(bodies, FED, gap)


def klaviyo(bodies: Iterable[bytes], gap: int = 0) -> Ledger:
    """What those come to at Klaviyo."""
    return books(bodies, gap).ledgers["klaviyo"]


def attentive(bodies: Iterable[bytes], gap: int = 0) -> Ledger:
    """What those come to at Attentive."""
    return books(bodies, gap).ledgers["attentive"]


def calls(ledger: Ledger) -> list[tuple[str, Json]]:
    """What is expected for the one customer of these tests."""
    return [(one.path, one.body) for one in ledger.requests.get(KEY, [])]
