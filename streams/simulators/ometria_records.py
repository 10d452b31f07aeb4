"""Records pushed to Ometria: judged one by one, not yet kept.

Contract: contracts/ometria.md §1 (60 KB, `@type`, `id`), §3 (events), §4 (contacts).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from streams.simulators.ometria_findings import ROOT, TOO_LARGE, Findings
from streams.simulators.ometria_validation import EVENT_TYPE, IDENTITIES, examine

if TYPE_CHECKING:
    from streams.simulators.ometria_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["EventRow", "Judged", "ListingRow", "judge"]

_LARGEST = 60_000  # bytes of one record as compact JSON: the smaller reading of 60 KB
_DEFAULT_COLLECTION = "default"  # as in the vendor's own examples


@dataclass(frozen=True, slots=True)
class ListingRow:
    """A contact, order or product: `fields` is everything but the control keys `@…`."""

    type: str
    collection: str
    id: str
    merge: bool
    fields: JSON


@dataclass(frozen=True, slots=True)
class EventRow:
    """A custom event, its `event_type` cut to what Ometria keeps."""

    id: str
    event_type: str
    timestamp: datetime
    identity: dict[str, str]
    properties: JSON


@dataclass(frozen=True, slots=True)
class Judged:
    """One record after examination; `row` is None where something is wrong.

    `type` and `id` are None where the record has none that could be told; `large` says that it was
    not looked into for its size.
    """

    type: str | None
    id: str | None
    row: ListingRow | EventRow | None
    findings: Findings
    large: bool = False


def judge(record: object, switches: Switches) -> Judged:
    """Examine one record of a push."""
    findings = Findings()
    large = len(msgspec.json.encode(record)) > _LARGEST
    if large:
        findings.refuse(ROOT, "A record must not exceed 60 KB.", TOO_LARGE)
    if not isinstance(record, dict):
        findings.refuse(ROOT, "A record must be an object.")
        return Judged(None, None, None, findings, large)
    if not large:
        examine(record, findings, switches)
    type_, id_ = record.get("@type"), record.get("id")
    return Judged(
        type_ if isinstance(type_, str) else None,
        id_ if isinstance(id_, str) else None,
        None if findings.problems else _row(record),
        findings,
        large,
    )


def _row(record: Any) -> ListingRow | EventRow:
    """The row of a record in which nothing is wrong."""
    if record["@type"] == "custom_event":
        return EventRow(
            id=record["id"],
            event_type=record["event_type"][:EVENT_TYPE],
            timestamp=datetime.fromisoformat(record["timestamp"]).astimezone(UTC),
            identity={name: record[name] for name in IDENTITIES if name in record},
            properties=record.get("properties", {}),
        )
    return ListingRow(
        type=record["@type"],
        collection=record.get("@collection") or _DEFAULT_COLLECTION,
        id=record["id"],
        merge=record.get("@merge") is True,
        fields={name: value for name, value in record.items() if not name.startswith("@")},
    )
