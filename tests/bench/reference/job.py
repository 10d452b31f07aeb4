"""The reference job: what every engine is given to do, small and the same for all.

Avro in (Confluent framing); a customer's live subscriptions as durable state; an event for each
record, one more for the first subscription and for the last one cancelled; each event encoded once,
and its bytes to four topics. Rows are each engine's own business, outputs must agree byte for byte.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from streams.avro import compiled
from streams.avro_decoder import decoder
from streams.avro_encoder import encoder

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
OUTPUTS = ("attentive", "klaviyo", "ometria", "yespo")
"""Names of the four output topics, behind the run's prefix."""

EVENT_ID, DELIVERY_ID = 1, 2
MERCHANT = "393dc304f69411e99435bc764e10b970"


class Product(msgspec.Struct, frozen=True, gc=False):
    """What is subscribed to."""

    id: str | None
    name: str | None
    sku: str | None
    image_url: str | None
    detail_url: str | None


class Subscription(msgspec.Struct, frozen=True, gc=False):
    """A subscription, as the event tells it."""

    id: str
    quantity: int
    frequency_days: int
    frequency_description: str | None
    product: Product
    live: bool


class Customer(msgspec.Struct, frozen=True, gc=False):
    """Whose it is."""

    id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone_number: str | None


class Event(msgspec.Struct, frozen=True, gc=False):
    """A record of the source."""

    event_id: str
    event_type: str
    occurred_at: int
    customer: Customer
    subscription: Subscription


class Applied(NamedTuple):
    """The customer's new row, and the events to tell, encoded."""

    row: bytes
    events: list[bytes]


class Head(NamedTuple):
    """A delivery, all but its subscriptions."""

    event_id: str
    event_name: str
    occurred_at: int
    email: str | None
    phone_number: str | None
    first_name: str | None
    last_name: str | None
    status: str
    total: int


def _schema(name: str) -> dict[str, object]:
    schema: dict[str, object] = json.loads((HERE / name).read_text())
    return schema


def _head_schema() -> dict[str, object]:
    """The delivery's schema without its last field: Avro is concatenative."""
    schema = _schema("delivery.avsc")
    fields = schema["fields"]
    assert isinstance(fields, list)
    return schema | {"fields": fields[:-1]}


def _live_schema() -> object:
    fields = _schema("delivery.avsc")["fields"]
    assert isinstance(fields, list)
    return fields[-1]["type"]["items"]


_STRUCTS = {each.__name__: each for each in (Event, Customer, Subscription, Product)}
_read = decoder(compiled(_schema("event.avsc")), _STRUCTS)
_write_event = encoder(compiled(_schema("event.avsc")))
_write_head = encoder(compiled(_head_schema()))
_write_live = encoder(compiled(_live_schema()))
_FRAME = b"\0" + DELIVERY_ID.to_bytes(4, "big")
_COUNTS = [bytes([2 * n]) for n in range(64)]
_rows = msgspec.msgpack.Decoder(dict[str, bytes])
_row_bytes = msgspec.msgpack.Encoder().encode


def apply(value: bytes, row: bytes | None) -> Applied:
    """Apply a record to its customer's row.

    The row keeps each live subscription as it is written, so that it is encoded once, when it is
    told, and not for every event after that.
    """
    event: Event = _read(value, 5)[0]
    told = event.subscription
    live = _rows.decode(row) if row is not None else {}
    names = [event.event_type]
    if told.live:
        if not live:
            names.append("subscriber.create")
        live[told.id] = _write_live(told)
    elif live.pop(told.id, None) is not None and not live:
        names.append("subscriber.cancel")
    total = len(live)
    tail = _COUNTS[total] + b"".join(live.values()) + b"\0" if total else b"\0"
    who, status = event.customer, "active" if total else "inactive"
    events = []
    for name in names:
        head = Head(
            event.event_id, name, event.occurred_at, who.email, who.phone_number,
            who.first_name, who.last_name, status, total,
        )  # fmt: skip
        events.append(_FRAME + _write_head(head) + tail)
    return Applied(_row_bytes(live), events)


class _Written(NamedTuple):
    """A record with the fields that nobody reads."""

    event_id: str
    event_type: str
    occurred_at: int
    merchant_id: str
    customer: Customer
    subscription: _WrittenSubscription


class _WrittenSubscription(NamedTuple):
    id: str
    quantity: int
    frequency_days: int
    frequency_description: str | None
    product: Product
    live: bool
    cancel_reason: str | None
    prepaid_orders_remaining: int | None
    currency_code: str | None


COFFEE = Product(
    "701644259235",
    "Coffee beans 1kg",
    "CB-1",
    "https://cdn.shop-demo.io/p/701644259235.png",
    "https://shop-demo.io/p/coffee-beans",
)


def records(events: int, subscribers: int, seed: int = 7) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of so many records about so many customers, the same for a seed."""
    chance = random.Random(seed)
    frame = b"\0" + EVENT_ID.to_bytes(4, "big")
    for number in range(events):
        who, live = chance.randrange(subscribers), chance.random() < 0.6
        customer = Customer(f"c{who}", "Jane", "Doe", f"jane{who}@shop-demo.io", "+14155550123")
        subscription = _WrittenSubscription(
            f"{chance.randrange(3) * subscribers + who:032x}", 1, 30, "Every month", COFFEE, live,
            None if live else "5|too expensive", None, "USD",
        )  # fmt: skip
        kind = "subscription.create" if live else "subscription.cancel"
        written = _Written(
            f"{number:032x}", kind, 1_700_000_000_000 + number, MERCHANT, customer, subscription
        )
        yield f"{MERCHANT}:c{who}".encode(), frame + _write_event(written)
