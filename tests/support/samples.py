"""Believable webhook bodies, one an event type: a year of one customer of a coffee shop.

Ines Marlow buys a prepaid espresso subscription, swaps it for filter coffee, adds a decaf, sees
orders placed, out of stock, rejected, skipped and cancelled, leaves, and comes back. Together the
bodies show every variant of the envelope (contracts/ordergroove.md §1.1).
"""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[1] / "samples" / "ordergroove"
SAMPLES: Mapping[str, bytes] = MappingProxyType(
    {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.json"))}
)
"""Event type, which is the file's name → body."""

MERCHANT = "7b0d4c19e2a84f6db35e90c1a6f7d824"
CUSTOMER = "0071204"


def parsed(event_type: str) -> dict[str, Any]:
    """A sample as JSON, to look at or to change."""
    body: dict[str, Any] = json.loads(SAMPLES[event_type])
    return body


def story() -> list[bytes]:
    """All samples in the order in which they happened."""
    return sorted(SAMPLES.values(), key=_when)


def _when(body: bytes) -> tuple[int, str]:
    envelope = json.loads(body)
    return envelope["created"], envelope["type"]
