"""Sample stories: every event type, with every field filled, made from the source's schema.

A value follows from its field's type and name; those that must fit together or into a calendar are
in one table. A field that the schema gains is filled by its type, without a word here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from streams.avro import registry
from streams.sources.ordergroove import OBJECT_OF

from .fields import OBJECT, SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.avro import Record

AT = 1_790_866_800_000
"""2026-10-01, 15:00 in Greenwich; epoch milliseconds."""
HOUR = 3_600_000

PRELUDE = ("entitlement.entitlements_granted", "subscription.create")
"""What was before each event: a subscriber with one subscription, who has an entitlement."""
AGAIN = frozenset({"subscription.reactivate", "subscription.change_live"})
"""Events of somebody who had cancelled."""
DEAD = "subscription.cancel"

VALUES: Mapping[str, Any] = MappingProxyType(
    {
        "merchant": "merchant-1",
        "customer_id": "customer-1",
        "source": "PurchasePOST",
        "kind": "event",
        "email": "noor.hale@shop-demo.io",
        "phone_number": "+13125550148",
        "locale": "en-us",
        "subscription": "subscription-1",
        "order": "order-1",
        "product": "product-1",
        "payment": "payment-1",
        "shipping_address": "address-1",
        "merchant_order_id": "70441",
        "source_object": "subscription",
        "source_object_id": "subscription-1",
        "currency_code": "USD",
        "every_period": 2,
        "every": 8,
        "frequency_days": 56,
        "place": "2026-10-15",
        "start_date": "2026-10-01",
        "rejected_code": "120",
        "cc_number_ending": "0042",
        "cc_exp_date": "09/2027",
        "cc_type": 1,
        "country_code": "US",
        "state_province_code": "IL",
        "image_url": "https://img.shop-demo.io/oat.png",
        "detail_url": "https://shop-demo.io/oat",
        "price": "24.00",
        "total_price": "42.00",
        "sub_total": "42.00",
        "tax_total": "3.10",
        "shipping_total": "4.50",
        "discount_total": "6.00",
        "total": "43.60",
        "extra_data": '{"pet":"Miso"}',
        "execution_context": '{"step":"1"}',
        "live": True,
        "expiration": AT + 720 * HOUR,
        "renewal_behavior": "autorenew",
        "raw": b"{}",
    }
)
"""Values of fields by their names, wherever they are."""

OWN: Mapping[str, Any] = MappingProxyType(
    {
        "Subscription.public_id": "subscription-1",
        "Order.public_id": "order-1",
        "Item.public_id": "item-1",
        "Address.public_id": "address-1",
        "Payment.public_id": "payment-1",
        "Product.id": "product-1",
        "Subscriber.subscriptions": ["subscription-1"],
    }
)
"""Values of fields by their record's name and theirs."""

OF_THE_DEAD = ("cancelled", "cancel_reason", "cancel_reason_code")
"""Fields that only a cancelled subscription has."""


def stories() -> dict[str, list[Record]]:
    """Event type → the records of its story, in order, all of one customer."""
    return {event_type: _story(event_type) for event_type in OBJECT_OF}


def _story(event_type: str) -> list[Record]:
    before = [*PRELUDE, DEAD] if event_type in AGAIN else list(PRELUDE)
    return [_record(each, AT + n * HOUR) for n, each in enumerate([*before, event_type])]


def _record(event_type: str, at: int) -> Record:
    schema = registry().ours[SOURCE]
    made = _Made(schema["__named_schemas"], at)
    record = made.record(schema) | {"type": event_type, "event_id": f"{event_type}@{at}"}
    kind = OBJECT_OF[event_type]
    named = next(each for name, each in made.named.items() if name.rpartition(".")[2] == kind)
    record[OBJECT] = (named["name"], made.record(named))
    record["fingerprint"] = at.to_bytes(8, "big")
    for each in [record[OBJECT][1], *record["snapshot"]["subscriptions"]]:
        if "cancel_reason" in each:
            _judge(each, live=event_type != DEAD)
    return dict(record)


def _judge(subscription: dict[str, Any], *, live: bool) -> None:
    subscription["live"] = live
    if live:
        subscription.update(dict.fromkeys(OF_THE_DEAD))


class _Made:
    """Makes values of types at some time."""

    def __init__(self, named: Mapping[str, Any], at: int) -> None:
        self.named = named
        self._at = at

    def record(self, schema: Any) -> dict[str, Any]:
        short = schema["name"].rpartition(".")[2]
        return {
            field["name"]: None
            if field["name"] == OBJECT
            else self._value(field["type"], field["name"], short)
            for field in schema["fields"]
        }

    def _value(self, schema: Any, name: str, record: str) -> Any:
        if f"{record}.{name}" in OWN:
            return OWN[f"{record}.{name}"]
        if isinstance(schema, list):
            return self._value(next(each for each in schema if each != "null"), name, record)
        schema = self.named.get(schema, schema) if isinstance(schema, str) else schema
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "record":
            return self.record(schema)
        if kind == "array":
            return [self._value(schema["items"], name, record)]
        if name in VALUES:
            return VALUES[name]
        return self._plain(kind, schema, name)

    def _plain(self, kind: str, schema: Any, name: str) -> Any:
        values: dict[str, Any] = {
            "string": f"{name} 1",
            "bytes": name.encode(),
            "boolean": True,
            "int": 3,
            "double": 12.5,
            "float": 12.5,
        }
        if kind == "long":
            return 86_400 if name == "grace_period" else self._at
        return schema["symbols"][0] if kind == "enum" else values[kind]
