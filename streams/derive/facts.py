"""What derivation concludes: facts, each an event of the source or one of our own."""

from __future__ import annotations

import msgspec

from streams.model.enriched import Because
from streams.model.subscriber import Subscriber

DAY = 86_400_000
"""A day in milliseconds."""

CREATE = "subscriber.create"
CANCEL = "subscriber.cancel"
REACTIVATE = "subscription.reactivate"
PROFILE_CHANGED = "profile.changed"


class DeriveOptions(msgspec.Struct, frozen=True):
    """What a shop may choose about derivation. Durations are milliseconds of stream time."""

    late_after: int = 3_600_000
    """A stale event whose record is older than this is `late`."""
    remember: int = 7
    """Days for which event ids and guards are remembered."""
    out_of_stock_run: int = 30 * DAY
    """After this an item's out-of-stock run counts as a new one."""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One event that a record becomes.

    `withheld` says why it is not delivered, `late` that it may start no flow, `because` why it was
    concluded (None for the source's own). `listed`: ids of the subscriptions that it lists.
    """

    type: str
    event_id: str
    occurred_at: int
    late: bool = False
    withheld: str | None = None
    because: Because | None = None
    listed: tuple[str, ...] | None = None


class Derivation(msgspec.Struct, frozen=True, gc=False):
    """The changed row (None: forgotten) and the facts in the order in which they are told."""

    row: Subscriber | None
    facts: tuple[Fact, ...] = ()
    duplicate: bool = False
