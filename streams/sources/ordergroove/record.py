"""Record of `ordergroove.events` → `Event`.

The typed fields are authoritative; `raw` is kept for a later correction of the mapping and never
looked at here. A record written by somebody else's bridge may lack what ours always has, so this
checks again what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.avro_structs import struct_reader
from streams.errors import BadRecord
from streams.model import events
from streams.model.events import (
    NO_SNAPSHOT,
    Entitlements,
    Event,
    Item,
    Order,
    Person,
    Snapshot,
    Subscription,
)
from streams.model.ids import digest

from .owner import check_owner
from .types import OBJECT_OF, STATE_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.avro import Codec

Subject = Subscription | Order | Item | Entitlements | Person


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is looked at of a record (`avro_schemas/sources/ordergroove.avsc`)."""

    event_id: str
    type: str
    created: int
    received_at: int
    merchant: str
    customer_id: str
    source: str | None
    kind: events.Kind
    object: Subject | None
    snapshot: Snapshot | None
    fingerprint: bytes | None


STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    "Subscriber": Person,
    "Subscription": Subscription,
    "Order": Order,
    "Item": Item,
    "Entitlements": Entitlements,
    "Communication": Person,
    "OrdergrooveRecord": Envelope,
    "Prepaid": events.Prepaid,
    "Entitlement": events.Entitlement,
    "Snapshot": Snapshot,
    "Customer": Person,
    "Address": events.Address,
    "Payment": events.Payment,
    "Product": events.Product,
}
"""Record of the schema → the struct that it becomes."""


def event_reader(codec: Codec) -> Callable[[bytes | None], Event]:
    """A function from a record's bytes to its event, which raises `BadRecord`."""
    read = struct_reader(codec, STRUCTS)

    def event(value: bytes | None) -> Event:
        envelope: Envelope = read(value)
        content = envelope.fingerprint
        if content is None:  # a bridge that makes none: then all of the object is the content
            whole = codec.decode(value)["object"]
            content = msgspec.msgpack.encode(whole, order="deterministic")
        return _event(envelope, content)

    return event


def _event(envelope: Envelope, content: bytes) -> Event:
    """The event of an envelope; `content` stands for all that its object says."""
    event_type, subject = envelope.type, envelope.object
    kind = OBJECT_OF.get(event_type) or STATE_OF.get(event_type)
    if envelope.kind == "erase":  # who is to be forgotten needs neither
        kind, subject = "Subscriber", Person()
    if kind is None:
        raise BadRecord("unknown_type", "type", "no such event type is known")
    if envelope.kind == "event" and event_type in STATE_OF:
        raise BadRecord("wrong_type", "kind", "a record of this type says how things stand")
    if not envelope.event_id:
        raise BadRecord("missing_field", "event_id", "a record needs it")
    check_owner(envelope.merchant, envelope.customer_id)
    if subject is None:
        raise BadRecord("missing_field", "object", "a record needs it")
    if type(subject) is not STRUCTS[kind]:
        raise BadRecord("wrong_type", "object", "the value does not fit the event's type")
    return Event(
        event_id=envelope.event_id,
        type=event_type,
        created=envelope.created,
        merchant=envelope.merchant,
        customer_id=envelope.customer_id,
        guard=_guard(envelope, subject, content),
        subject=subject,
        kind=envelope.kind,
        source=envelope.source,
        received_at=envelope.received_at,
        snapshot=envelope.snapshot or NO_SNAPSHOT,
    )


def _guard(envelope: Envelope, subject: Subject, content: bytes) -> bytes:
    """The second guard: equal for one fact that came under two event ids (contract §5.1)."""
    changed = getattr(subject, "updated", None) or envelope.created
    return digest(envelope.type, getattr(subject, "public_id", ""), changed, content)
