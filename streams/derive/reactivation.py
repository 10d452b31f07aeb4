"""One `subscription.reactivate` a cancel cycle, however `change_live` and `reactivate` arrive.

Both types with equal `updated` are one fact, also when stale. With different ones they are one fact
only if the second is not stale, the types differ and no cancel came between them (DESIGN §6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.subscriber import Reactivations

if TYPE_CHECKING:
    from streams.model.events import Subscription

CANCELLED = "subscription.cancel"
TYPES = frozenset({"subscription.reactivate", "subscription.change_live"})

REMEMBERED = 16
"""Reactivations remembered a subscription: more cycles than that inside a week are not people."""


def reactivates(event_type: str, content: Subscription) -> bool:
    """Whether an event says that a cancelled subscription lives again."""
    return event_type in TYPES and content.live


def after_cancel(known: Reactivations) -> Reactivations:
    """A cancel, stale or not, ends the cycle."""
    return Reactivations(known.announced, ()) if known.cycle else known


def announce(
    known: Reactivations, event_type: str, updated: int, newest: int | None, *, stale: bool
) -> tuple[Reactivations, bool]:
    """What is remembered after a reactivation, and whether it is told.

    `newest`: `updated` of the subscription's newest event before this one. A stale event leaves
    the cycle alone, or it would pair with a later fact.
    """
    current = not stale or updated == newest
    if updated in known.announced:
        cycle = (*known.cycle, event_type) if current else known.cycle
        return Reactivations(known.announced, cycle), False
    if not stale and known.cycle and event_type not in known.cycle:
        return Reactivations(known.announced, (*known.cycle, event_type)), False
    announced = (*known.announced, updated)[-REMEMBERED:]
    return Reactivations(announced, (event_type,) if current else known.cycle), True
