"""The records that have a customer erased, as a source topic takes them. Pure.

An erase record says who and when, and nothing else: it outlives what it erases. Its id is of that
alone, so that the same erase twice is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streams.model.ids import fact_id
from streams.model.loyalty import CUSTOMER
from streams.names import OKENDO

if TYPE_CHECKING:
    from collections.abc import Mapping

ERASE: Final = "erase"
"""What kind of record it is."""

TYPES: Final[Mapping[str, str]] = {OKENDO: f"{CUSTOMER}.erase"}
"""Source → the type of its erase records, where it is not the usual one."""


def erase_record(source: str, merchant: str, customer_id: str, at: int) -> dict[str, Any]:
    """The record that has a customer of a source erased; `at` is epoch milliseconds."""
    record: dict[str, Any] = {
        "event_id": fact_id(ERASE, source, merchant, customer_id, at),
        "type": TYPES.get(source, "customer.erase"),
        "created": at,
        "received_at": at,
        "merchant": merchant,
        "customer_id": customer_id,
        "kind": ERASE,
        "raw": b"",
    }
    return record | {"sequence": -1} if source == OKENDO else record
