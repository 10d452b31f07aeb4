"""Record of `ordergroove.events` → `Event`.

The typed fields are authoritative; `raw` is kept for a later correction of the mapping and never
looked at here. A record written by somebody else's bridge may lack what ours always has, so this
checks again what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from streams.errors import BadRecord
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

from .types import OBJECT_OF, ObjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

Target = TypeVar("Target")
Subject = Subscription | Order | Item | Entitlements | Person

SUBJECTS: Mapping[ObjectKind, type[Subject]] = {
    "Subscriber": Person,
    "Subscription": Subscription,
    "Order": Order,
    "Item": Item,
    "Entitlements": Entitlements,
    "Communication": Person,
}


def event_of(record: Mapping[str, Any]) -> Event:
    """The event of a decoded record; raises `BadRecord`."""
    event_type = record["type"]
    kind = OBJECT_OF.get(event_type)
    if kind is None:
        raise BadRecord("unknown_type", "type", "no such event type is known")
    for name in ("event_id", "merchant"):
        if not record[name]:
            raise BadRecord("missing_field", name, "a record needs it")
    if not record["customer_id"]:
        raise BadRecord("no_customer", "customer_id", "the record names no customer")
    if record["object"] is None:
        raise BadRecord("missing_field", "object", "a record needs it")
    subject = _convert(record["object"], SUBJECTS[kind], "object")
    snapshot = record["snapshot"]
    return Event(
        event_id=record["event_id"],
        type=event_type,
        created=record["created"],
        merchant=record["merchant"],
        customer_id=record["customer_id"],
        guard=_guard(event_type, subject, record),
        subject=subject,
        kind=record["kind"],
        source=record["source"],
        received_at=record["received_at"],
        snapshot=NO_SNAPSHOT if snapshot is None else _convert(snapshot, Snapshot, "snapshot"),
    )


def _convert(value: object, target: type[Target], field: str) -> Target:
    try:
        return msgspec.convert(value, target)
    except msgspec.ValidationError as error:
        _, _, path = str(error).partition("`$")
        raise BadRecord(
            "wrong_type", field + path.rstrip("`"), "the value does not fit the event's type"
        ) from None


def _guard(event_type: str, subject: Subject, record: Mapping[str, Any]) -> bytes:
    """The second guard: equal for one fact that came under two event ids (contract §5.1)."""
    content = record["fingerprint"]
    if content is None:
        content = msgspec.msgpack.encode(record["object"], order="deterministic")
    changed = getattr(subject, "updated", None) or record["created"]
    return digest(event_type, getattr(subject, "public_id", ""), changed, content)
