"""What may be mapped: our fields, how each is read, and which of them a record cannot do without.

The fields are those of the webhook's tables (`entities`), under our names.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from streams.sources.ordergroove import entities as e
from streams.sources.ordergroove import quirks as q

if TYPE_CHECKING:
    from collections.abc import Mapping


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One entity: our fields and their readers; `inner`: entities below it.

    `many`: it is a list of such entities. `required`: fields without which there is no entity.
    """

    fields: dict[str, e.Reader]
    required: frozenset[str] = frozenset()
    inner: dict[str, Shape] = {}
    many: bool = False


def _shape(*tables: tuple[e.Field, ...], many: bool = False, **inner: Shape) -> Shape:
    fields = [field for table in tables for field in table if field.ours not in inner]
    return Shape(
        fields={field.ours: field.read for field in fields},
        required=frozenset(field.ours for field in fields if field.required),
        inner=inner,
        many=many,
    )


def _plain(name: str, read: e.Reader, *, required: bool = False) -> e.Field:
    return e.Field(name, name, read, required)


COMPONENTS = _shape(
    (
        _plain("product", q.text, required=True),
        _plain("public_id", q.text),
        _plain("quantity", q.integer),
    ),
    many=True,
)
PREPAID = _shape(
    (
        _plain("orders_remaining", q.integer),
        _plain("orders_per_billing", q.integer),
        _plain("renewal_behavior", q.text),
        _plain("last_renewal_revenue", q.number),
        _plain("origin_merchant_order_id", q.text),
    )
)
REASON = (_plain("cancel_reason", q.text), *e.REASON_CODE)
REJECTION = (_plain("rejected_code", q.text), _plain("rejected_message", q.text))
IDS = _shape((_plain("public_id", q.text, required=True),), many=True)
COMMUNICATION = (
    *e.COMMUNICATION,
    _plain("key", q.text),
    _plain("execution_context", q.json_text),
)


def _subscription(*, many: bool = False) -> Shape:
    return _shape(e.SUBSCRIPTION, REASON, many=many, prepaid=PREPAID, components=COMPONENTS)


ENVELOPE: Mapping[str, e.Reader] = MappingProxyType(
    {
        "event_id": q.text,
        "type": q.text,
        "created": q.instant,
        "merchant": q.text,
        "customer_id": q.text,
        "received_at": q.instant,
        "actor": q.text,
        "source": q.text,
        "kind": q.text,
    }
)
OBJECTS: Mapping[str, Shape] = MappingProxyType(
    {
        "subscriber": _shape(e.SUBSCRIBER, subscriptions=IDS),
        "subscription": _subscription(),
        "order": _shape(e.ORDER, REJECTION),
        "item": _shape(e.ITEM, components=COMPONENTS),
        "entitlements": _shape(e.ENTITLEMENT, e.RESOURCE, e.TRANSACTION, many=True),
        "communication": _shape(COMMUNICATION),
    }
)
"""Kind of object, in lower case → its fields."""

SNAPSHOT: Mapping[str, Shape] = MappingProxyType(
    {
        "customer": _shape(e.CUSTOMER),
        "subscriptions": _subscription(many=True),
        "orders": _shape(e.ORDER, REJECTION, many=True),
        "items": _shape(e.ITEM, many=True, components=COMPONENTS),
        "addresses": _shape(e.ADDRESS, many=True),
        "payments": _shape(e.PAYMENT, many=True),
        "products": _shape(e.PRODUCT, many=True),
    }
)
"""Entity beside the event's own object → its fields."""
