"""Dead letters of source records: what was given up on, why, and its bytes."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .ids import dead_letter_id, fact_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.errors import BadRecord

REDRIVE_OF: Final = "redrive_of"
"""Header of a record that was appended again: the id of the dead letter that it was."""

_ID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?::[a-z]+)?")


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
    """The dead letter of a record (`avro_schemas/dead_letter.avsc`).

    What was redriven and fails again is the same letter as before, not a second one.
    """
    place = origin.topic, origin.partition, origin.offset
    return {
        "id": redriven_letter(headers) or dead_letter_id(*place),
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


def redriven_letter(
    headers: Mapping[str, Any] | Sequence[tuple[str, Any]] | None,
) -> str | None:
    """The id of the dead letter that a record was, if it was redriven.

    What has not the form of such an id counts for nothing: the header may be somebody else's.
    """
    if not headers:  # nearly always
        return None
    told = dict(headers).get(REDRIVE_OF)
    return told.decode() if isinstance(told, bytes) and _ID.fullmatch(told) else None


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
