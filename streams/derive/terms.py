"""What derivation may choose, and what it gives."""

from __future__ import annotations

from typing import Generic, Literal

import msgspec
from typing_extensions import TypeVar

from streams.model.fact import Fact
from streams.model.subscriber import Subscriber

Row = TypeVar("Row", default=Subscriber)
"""A row of whichever table: a subscriber's, where nothing is said."""

DAY = 86_400_000
"""A day in milliseconds."""

History = Literal["complete", "synced", "live"]
"""What is known of the time before: everything, what was seeded, or nothing."""

Mode = Literal["derived", "native"]
"""Whose subscriber events are told: those that we conclude, or the source's own."""

Unasked = Literal["import", "state"]
"""Records that start no flow unless asked to."""


class DeriveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a shop may choose about derivation. Durations are milliseconds of stream time."""

    history: History = "live"
    synced_at: int | None = None
    """When all that was before had been seeded, epoch milliseconds; None: it is not, as far as
    anybody knows. From then on all is known of whom a seeding told of (`Subscriber.stated`), and,
    where history is `synced`, who is unknown is new."""
    seeding: bool = False
    """Whether a first sync may be under way: what it says of whom nothing else is known of is no
    news to anybody, and profiles of everybody at once go by `streams backfill`."""
    flows_from: int = 0
    """Events created before (epoch milliseconds) are `late`."""
    mode: Mode = "derived"
    native_subscriptions_created: bool = False
    """Whether the source's own subscriptions_created is told, also in derived mode."""
    cancel_settle: int = 0
    checkout_settle: int = 5_000
    announce: frozenset[Unasked] = frozenset()
    late_after: int = 3_600_000
    """A stale event whose record is older than this is `late`."""
    remember: int = 7
    """Days for which event ids, guards and checkouts are remembered."""
    card_expiration_warnings: bool = False
    """Whether `order.credit_card_expiration_warning` is ours to conclude."""
    out_of_stock_run: int = 30 * DAY
    """After this an item's out-of-stock run counts as a new one."""

    @property
    def concludes_checkouts(self) -> bool:
        """Whether subscriptions_created is ours to conclude."""
        return self.mode == "derived" and not self.native_subscriptions_created


class LoyaltyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a shop may choose about its loyalty programme; what both share means the same."""

    history: History = "live"
    synced_at: int = 0
    flows_from: int = 0
    announce: frozenset[Unasked] = frozenset()
    late_after: int = 3_600_000
    remember: int = 7
    transactions: int = 90
    """Days of stream time for which a transaction is remembered after its last record."""
    tiers: tuple[str, ...] = ()
    """The programme's tiers, lowest first; none: which of two is higher is not known."""
    enrolled_on_any_status: bool = False
    """Whether the enrolment event is told at every change of status, as its page has it."""
    zone: str = "America/New_York"
    """Where people look at the calendar for birthdays."""


class Derivation(msgspec.Struct, Generic[Row], frozen=True, gc=False):
    """The changed row (None: forgotten) and the facts in the order in which they are told."""

    row: Row | None
    facts: tuple[Fact, ...] = ()
    duplicate: bool = False
