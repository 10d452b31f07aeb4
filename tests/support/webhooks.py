"""Composes small webhook bodies: only what a case is about, times in epoch seconds.

An event's id follows from what it says, so that the same body is the same event.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

JSON = dict[str, Any]

MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
CUSTOMER = "0088123"
START = 1_790_866_800
"""2026-10-01, 11:00 in New York, 10:00 in Chicago, 15:00 in Greenwich."""
HOUR = 3_600
DAY = 24 * HOUR


def webhook(event_type: str, subject: JSON, at: int = START, **envelope: Any) -> bytes:
    """A body; `envelope` adds to its top level, an `id` of one's own for instance."""
    body = {"type": event_type, "created": at, "data": {"object": subject}, **envelope}
    text = json.dumps(body, sort_keys=True).encode()
    return json.dumps({"id": blake2b(text, digest_size=16).hexdigest(), **body}).encode()


def subscription(id_: str = "a1", updated: int = START, *, live: Any = True, **more: Any) -> JSON:
    """`data.object` of subscription.*: the least that a record needs, and more."""
    return {
        "type": "subscription",
        "merchant": MERCHANT,
        "customer": CUSTOMER,
        "public_id": id_,
        "live": live,
        "updated": updated,
        **more,
    }


def order(id_: str = "o1", **more: Any) -> JSON:
    """`data.object` of order.*."""
    named = {"merchant": MERCHANT, "customer": CUSTOMER, "public_id": id_}
    return {"type": "order", **named, **more}


def item(id_: str = "i1", **more: Any) -> JSON:
    """`data.object` of item.*."""
    named = {"merchant": MERCHANT, "customer": CUSTOMER, "public_id": id_}
    return {"type": "item", **named, **more}


def person(**more: Any) -> JSON:
    """`data.object` of subscriber.*."""
    return {"type": "subscriber", "merchant": MERCHANT, "merchant_user_id": CUSTOMER, **more}


def grant(*entitlements: JSON) -> JSON:
    """`data.object` of entitlement.*."""
    named = {"type": "entitlement", "merchant": MERCHANT, "customer": CUSTOMER}
    return {**named, "entitlements": list(entitlements)}


def entitlement(id_: str, source: str, source_id: str, **more: Any) -> JSON:
    """One entitlement, granted by an object of a kind."""
    granted = {"source_object": source, "source_object_id": source_id}
    return {"public_id": id_, "live": True, "entitlement_transaction": granted, **more}
