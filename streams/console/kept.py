"""What the index keeps of a record, and how records of one customer share a chunk.

A chunk is a compressed list: records of one customer repeat each other, and the same event stands
in it once for each connection that it went to.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_MS: Final = 86_400_000
HISTORY: Final = 0
"""Class of chunks with records of sources …"""
RECENT: Final = 1
"""… and of those with deliveries and outcomes."""

_FAST: Final = 1
"""zlib's level: the next ones take twice as long for a twentieth less."""


class Outcome(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The fields of `avro_schemas/outcome.avsc` but `field_hashes`, which mean nothing to a reader.

    They would be half of the file.
    """

    delivery_id: str
    part: str
    connection: str
    destination: str
    event_id: str
    type: str
    merchant: str
    customer_id: str
    outcome: str
    reason: str | None
    field: str | None
    final: bool
    attempts: int
    status: int | None
    latency_ms: int | None
    request_digest: str | None
    topic: str
    partition: int
    offset: int
    occurred_at: int
    recorded_at: int
    excerpt: str | None
    corrects: int | None


class KeptCame(msgspec.Struct, array_like=True, frozen=True, tag=0):
    """A record of a source's topic; `created` is when it happened, by the source."""

    topic: int
    partition: int
    offset: int
    at: int
    recorded_at: int
    flows_from: int
    created: int
    value: bytes | None


class KeptOutcome(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """An outcome, and where it stands on its topic."""

    partition: int
    offset: int
    told: Outcome


class KeptDelivery(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """A record of a delivery topic."""

    topic: int
    partition: int
    offset: int
    at: int
    headers: list[tuple[str, bytes]]
    value: bytes | None


Kept = KeptCame | KeptOutcome | KeptDelivery

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Kept]).decode


def packed(records: Iterable[Kept]) -> bytes:
    """A chunk of these records."""
    return zlib.compress(_encode(list(records)), _FAST)


def unpacked(body: bytes) -> list[Kept]:
    """The records of a chunk."""
    return _decode(zlib.decompress(body))


def outcome_record(told: Outcome) -> dict[str, Any]:
    """An outcome as its schema's codec reads it, but with no field hashes."""
    return msgspec.structs.asdict(told) | {"field_hashes": {}}
