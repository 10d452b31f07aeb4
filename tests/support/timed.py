"""Runs `derive` and its timers over records that are appended at given times, one customer's.

As the worker does: stream time is the greatest record time so far, and what is due by then fires
before the record is applied. At the end time goes on until nothing is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from streams.derive import Derivation, DeriveOptions, derive, fire
from streams.model.events import Person
from streams.model.row_bytes import decode_row, encode_row, row_due
from tests.support.customer_shop import CUSTOMER, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.model.events import Event
    from streams.model.fact import Fact
    from streams.model.subscriber import Subscriber


class Appended(NamedTuple):
    """A record: when it was appended (epoch milliseconds), and its event."""

    at: int
    event: Event


class Play(NamedTuple):
    """What came of records: facts in the order in which they were told, and the row.

    `live[i]`: how many subscriptions were live when the fact i was told.
    """

    facts: list[Fact]
    live: list[int]
    row: Subscriber

    def of(self, event_type: str, *, withheld: bool = False) -> list[Fact]:
        """The facts of a type that are delivered, or those that are not."""
        return [
            fact
            for fact in self.facts
            if fact.type == event_type and withheld == (fact.withheld is not None)
        ]


def play(
    records: Iterable[Appended],
    options: DeriveOptions,
    *,
    row: Subscriber | None = None,
    restarts: bool = False,
    ticks: bool = False,
) -> Play:
    """Play records, in the order of the source topic.

    `restarts`: the row is encoded and decoded before every step; `ticks`: timers fire at the very
    millisecond at which they are due, as in an idle partition, not with the next record.
    """
    player = _Player(row, options, restarts=restarts, ticks=ticks)
    for record in records:
        player.fire_until(record.at)
        player.keep(derive(player.row, record.event, player.now, options, record.at))
    while player.row is not None and row_due(player.row):
        player.fire_until(row_due(player.row))
    assert player.row is not None
    return Play(player.facts, player.live, player.row)


class _Player:
    """The row, stream time, and what was told so far."""

    def __init__(
        self, row: Subscriber | None, options: DeriveOptions, *, restarts: bool, ticks: bool
    ) -> None:
        self.row = row
        self.now = 0
        self.facts: list[Fact] = []
        self.live: list[int] = []
        self._restarts = restarts
        self._ticks = ticks
        self._options = options

    def fire_until(self, at: int) -> None:
        """Let stream time go on, and fire what is due by then."""
        self.now = max(self.now, at)
        while self.row is not None and 0 < (due := row_due(self.row)) <= self.now:
            self.keep(
                fire(self.row, MERCHANT, CUSTOMER, due if self._ticks else self.now, self._options)
            )
            assert row_due(self.row) == 0 or row_due(self.row) > due, "what fired is over"

    def keep(self, derivation: Derivation) -> None:
        """Note what was told, and the row, which a restart reads from its bytes."""
        row = derivation.row
        assert row is not None
        self.facts += derivation.facts
        self.live += [row.active] * len(derivation.facts)
        self.row = decode_row(encode_row(row)) if self._restarts else row


def as_of(events: Iterable[Event]) -> list[Appended]:
    """Records that are appended when their events happen, as far as their order allows."""
    return [Appended(event.created, event) for event in events]


def customer_since(event: Event, created: int | None, **more: object) -> Event:
    """The event with a snapshot that says since when there is a customer."""
    customer = event.snapshot.customer or Person()
    snapshot = replace(event.snapshot, customer=replace(customer, created=created))
    return replace(event, snapshot=snapshot, **more)
