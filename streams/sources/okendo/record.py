"""Record of `okendo.events` → `LoyaltyEvent`.

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
from streams.model.ids import digest
from streams.model.loyalty import (
    CUSTOMER,
    DELETE,
    POINTS_OF,
    LoyaltyCustomer,
    LoyaltyEvent,
    LoyaltyTransaction,
)
from streams.model.member import STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.avro import Codec

Subject = LoyaltyCustomer | LoyaltyTransaction


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is looked at of a record (`avro_schemas/sources/okendo.avsc`)."""

    event_id: str
    type: str
    sequence: int
    created: int
    received_at: int
    merchant: str
    customer_id: str
    kind: events.Kind
    object: Subject | None


STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    "OkendoRecord": Envelope,
    "LoyaltyCustomer": LoyaltyCustomer,
    "LoyaltyTransaction": LoyaltyTransaction,
}
"""Record of the schema → the struct that it becomes."""


def check_owner(merchant: str, customer_id: str) -> None:
    """Raise `BadRecord` if these name no member of a store."""
    if not merchant:
        raise BadRecord("missing_field", "merchant", "a record needs it")
    if ":" in merchant:  # keys are merchant:customer
        raise BadRecord("wrong_type", "merchant", "a store's id has no colon")
    if not customer_id:
        raise BadRecord("missing_field", "customer_id", "a record needs it")


def event_reader(codec: Codec) -> Callable[[bytes | None], LoyaltyEvent]:
    """A function from a record's bytes to its event, which raises `BadRecord`."""
    read = struct_reader(codec, STRUCTS)

    def event(value: bytes | None) -> LoyaltyEvent:
        envelope: Envelope = read(value)
        return _event(envelope)

    return event


def _event(envelope: Envelope) -> LoyaltyEvent:
    if not envelope.event_id:
        raise BadRecord("missing_field", "event_id", "a record needs it")
    check_owner(envelope.merchant, envelope.customer_id)
    return LoyaltyEvent(
        event_id=envelope.event_id,
        type=envelope.type,
        created=envelope.created,
        merchant=envelope.merchant,
        customer_id=envelope.customer_id,
        sequence=envelope.sequence,
        guard=digest(envelope.type, envelope.sequence),
        subject=_subject(envelope),
        kind=envelope.kind,
        received_at=envelope.received_at,
    )


def _subject(envelope: Envelope) -> Subject:
    """The resource, which fits the type; who is to be forgotten needs none."""
    kind, _, topic = envelope.type.partition(".")
    if kind != CUSTOMER and kind not in POINTS_OF:
        raise BadRecord("unknown_type", "type", "no such event type is known")
    subject = envelope.object
    if envelope.kind == "erase":
        return LoyaltyCustomer()
    if subject is None:
        raise BadRecord("missing_field", "object", "a record needs it")
    if (kind == CUSTOMER) != isinstance(subject, LoyaltyCustomer):
        raise BadRecord("wrong_type", "object", "the value does not fit the event's type")
    if isinstance(subject, LoyaltyTransaction):
        if not subject.transaction_id:
            raise BadRecord("missing_field", "object.transaction_id", "a record needs it")
    elif topic != DELETE and subject.status not in STATUSES:
        raise BadRecord("unknown_value", "object.status", "no such status is known")
    return subject
