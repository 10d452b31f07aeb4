"""Dead letters of source records: what was given up on, why, and its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from streams.errors import BadRecord

from .ids import dead_letter_id, fact_id


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
