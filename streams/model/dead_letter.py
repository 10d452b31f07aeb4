"""Dead letters of source records: what was given up on, why, and its bytes."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from .ids import dead_letter_id, fact_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.errors import BadRecord


class Origin(NamedTuple):
    """Where a record stood: its time is epoch milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int


def record_dead_letter(
    bad: BadRecord,
    origin: Origin,
    key: bytes | None,
    value: bytes | None,
    headers: Mapping[str, bytes],
    written_at: int,
) -> dict[str, Any]:
    """The dead letter of a record of a source topic (`avro_schemas/dead_letter.avsc`)."""
    return {
        "id": dead_letter_id(origin.topic, origin.partition, origin.offset),
        "reason": bad.reason,
        "field": bad.field,
        "detail": bad.detail,
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "timestamp": origin.timestamp,
        "key": key,
        "value": value or b"",
        "headers": headers,
        "written_at": written_at,
    }


def header_bytes(
    headers: Mapping[str, Any] | Sequence[tuple[str, Any]] | None,
) -> dict[str, bytes]:
    """A record's headers by name: of a repeated name the last, without those that are null."""
    return {name: value for name, value in dict(headers or ()).items() if isinstance(value, bytes)}


def body_dead_letter(bad: BadRecord, body: bytes, written_at: int) -> dict[str, Any]:
    """The dead letter of a body that never became a record: its id is that of its bytes."""
    return {
        "id": fact_id("dead-letter", blake2b(body, digest_size=16).hexdigest()),
        "reason": bad.reason,
        "field": bad.field,
        "detail": bad.detail,
        "value": body,
        "headers": {},
        "written_at": written_at,
    }
