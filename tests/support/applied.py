"""Runs `derive` over events and says what came of it, in the words of the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.derive import Derivation, DeriveOptions, derive
from streams.model.fact import Fact
from tests.support.customer_shop import BEGIN, SECOND
from tests.support.oracle import PROFILE, Known, known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.model.events import Event
    from streams.model.fact import Fact
    from streams.model.subscriber import Subscriber

OPTIONS = DeriveOptions(history="complete")
DAY = 24 * 3_600 * SECOND


class State(NamedTuple):
    """What a row says: the first fields of the oracle's `Truth`, under the same names."""

    subscriptions: dict[str, Known]
    active: int
    total: int
    status: str | None
    profile: dict[str, str | None]
    ever_subscribed: bool


class Applied(NamedTuple):
    """One event and what it made of the row."""

    event: Event
    now: int
    before: Subscriber | None
    derivation: Derivation

    @property
    def after(self) -> Subscriber:
        """The row afterwards; no event here makes it forgotten."""
        assert self.derivation.row is not None
        return self.derivation.row

    def told(self, event_type: str) -> list[Fact]:
        """The facts of a type that are delivered."""
        facts = self.derivation.facts
        return [fact for fact in facts if fact.type == event_type and fact.withheld is None]


def run(events: Iterable[Event], row: Subscriber | None = None, wait: int = 0) -> list[Applied]:
    """Feed the events, one a second, from `wait` milliseconds after the last of them was created.

    So no record is older than its event, and stream time never goes back, whatever the order.
    """
    arriving = list(events)
    begin = max((event.created for event in arriving), default=BEGIN) + wait
    applied: list[Applied] = []
    for nth, event in enumerate(arriving):
        now = begin + nth * SECOND
        applied.append(Applied(event, now, row, derive(row, event, now, OPTIONS)))
        row = applied[-1].after
    return applied


def told(applied: Iterable[Applied], event_type: str) -> list[Fact]:
    """The delivered facts of a type, in the order in which they were told."""
    return [fact for one in applied for fact in one.told(event_type)]


def ids(applied: Iterable[Applied], event_type: str) -> list[str]:
    """The ids of the delivered facts of a type, in the order in which they were told."""
    return [fact.event_id for fact in told(applied, event_type)]


def state(row: Subscriber) -> State:
    """What a row says, in the oracle's words."""
    return State(
        {name: known(held.content) for name, held in row.subscriptions.items()},
        row.active,
        row.total,
        row.status,
        {field: getattr(row.profile, field) for field in PROFILE},
        row.ever_subscribed,
    )
