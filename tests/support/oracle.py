"""The oracle: what is true of one customer, computed the slow and obvious way.

Everything is recomputed from the whole history, and what happens over time from each of its
prefixes: there is no row, no key kept, nothing remembered. So it can be held against `derive`,
with which it shares the words (`streams.model.events`) and the form of ids, and no code.

Source of the rules: DESIGN §6 ("Order of a subscription's events", "Derived ids", "Derivation").
Imports, `kind` other than `event` and all that is called `late` are outside.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from streams.model.events import Event, Person, Subscription
from streams.model.ids import fact_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CHANGE = 0
RANKS = {
    "subscription.create": 1,
    "subscription.reactivate": 2,
    "subscription.change_live": 2,
    "subscription.cancel": 3,
}
REACTIVATIONS = ("subscription.reactivate", "subscription.change_live")
PROFILE = ("email", "phone_number", "first_name", "last_name")


class Told(NamedTuple):
    """A subscription as one event told it: of its own, or in its snapshot."""

    key: tuple[int, int, int, str]
    content: Subscription


class Known(NamedTuple):
    """What is compared of a subscription."""

    live: bool
    updated: int
    product: str | None
    quantity: int | None
    frequency: tuple[int | None, int | None, int | None]


class Ending(NamedTuple):
    """A change of the live count to 0: the cancel's id and time, and the count before it."""

    event_id: str
    occurred_at: int
    active_before: int


class Truth(NamedTuple):
    """What a history amounts to. `endings` holds for arrival in order only."""

    subscriptions: dict[str, Known]
    active: int
    total: int
    status: str | None
    profile: dict[str, str | None]
    ever_subscribed: bool
    creates: frozenset[str]
    reactivations: frozenset[str]
    endings: tuple[Ending, ...]


def truth(events: Iterable[Event]) -> Truth:
    """Everything at once, of the history's events in any order and number."""
    history = once_each(in_order(events))
    newest = newest_told(history)
    active = live_count(history)
    status = ("active" if active else "inactive") if newest else None
    creates = {
        fact_id("subscriber.create", event.merchant, event.customer_id)
        for event in history
        if told_by(event)
    }
    return Truth(
        subscriptions={name: known(told.content) for name, told in newest.items()},
        active=active,
        total=len(newest),
        status=status,
        profile=profile(history),
        ever_subscribed=bool(newest),
        creates=frozenset(creates),
        reactivations=reactivations(history),
        endings=tuple(endings(history)),
    )


def once_each(events: Iterable[Event]) -> list[Event]:
    """The events without repetitions: the first of each event id and of each guard."""
    kept: list[Event] = []
    for event in events:
        if not any(event.event_id == k.event_id or event.guard == k.guard for k in kept):
            kept.append(event)
    return kept


def in_order(events: Iterable[Event]) -> list[Event]:
    """The order in which things happened; what is no subscription's event goes by `created`."""
    return sorted(events, key=order_key)


def order_key(event: Event) -> tuple[int, int, int, str]:
    """(updated, created, rank, event id): change < create < reactivate = change_live < cancel."""
    happened = event.subject.updated if isinstance(event.subject, Subscription) else event.created
    return (happened, event.created, RANKS.get(event.type, CHANGE), event.event_id)


def told_by(event: Event) -> list[Told]:
    """Each subscription that an event tells of; a snapshot's is told as a change would tell it."""
    told = [
        Told((each.updated, event.created, CHANGE, event.event_id), each)
        for each in event.snapshot.subscriptions
    ]
    if isinstance(event.subject, Subscription):
        told.append(Told(order_key(event), event.subject))
    return told


def newest_told(history: Iterable[Event]) -> dict[str, Told]:
    """Each subscription ever told of, as the event with the greatest key told it."""
    everything = sorted((told for event in history for told in told_by(event)), key=_by_key)
    return {told.content.public_id: told for told in everything}


def _by_key(told: Told) -> tuple[int, int, int, str]:
    return told.key


def known(content: Subscription) -> Known:
    """The compared part of a subscription's content."""
    frequency = (content.frequency_days, content.every, content.every_period)
    return Known(content.live, content.updated, content.product, content.quantity, frequency)


def live_count(history: Iterable[Event]) -> int:
    """How many subscriptions are live at the end of a history."""
    return sum(told.content.live for told in newest_told(history).values())


def profile(history: Iterable[Event]) -> dict[str, str | None]:
    """Each field as the newest of (last_updated, created, event id) told it, if it told it."""
    newest: dict[str, str | None] = dict.fromkeys(PROFILE)
    tellings = [(event, person) for event in history for person in people_in(event)]
    for _, person in sorted(tellings, key=lambda telling: telling_key(*telling)):
        for field in PROFILE:
            newest[field] = getattr(person, field) or newest[field]
    return newest


def telling_key(event: Event, person: Person) -> tuple[int, int, str]:
    """How new what an event tells of a person is."""
    told_at = event.created if person.last_updated is None else person.last_updated
    return (told_at, event.created, event.event_id)


def people_in(event: Event) -> list[Person]:
    """The customer, as the event's own object and as its snapshot."""
    return [who for who in (event.subject, event.snapshot.customer) if isinstance(who, Person)]


def reactivations(history: Sequence[Event]) -> frozenset[str]:
    """The ids of a sorted history's reactivations."""
    return frozenset(
        fact_id("subscription.reactivate", own[0].merchant, own[0].customer_id, name, updated)
        for name, own in own_events(history).items()
        for cycle in cycles(own)
        for updated in facts_of(cycle)
    )


def own_events(history: Iterable[Event]) -> dict[str, list[Event]]:
    """Each subscription's own events, in the order of the history."""
    own: dict[str, list[Event]] = {}
    for event in history:
        if isinstance(event.subject, Subscription):
            own.setdefault(event.subject.public_id, []).append(event)
    return own


def cycles(own: Iterable[Event]) -> Iterator[list[Event]]:
    """One subscription's reactivating events, cycle by cycle: a cancel closes a cycle."""
    cycle: list[Event] = []
    for event in own:
        if event.type == "subscription.cancel":
            yield cycle
            cycle = []
        elif event.type in REACTIVATIONS:
            cycle.append(event)
    yield cycle


def facts_of(cycle: Iterable[Event]) -> list[int]:
    """The `updated` of each reactivation of one sorted cycle.

    Events with equal `updated` are one fact. A lone event and a lone one of the other type right
    after it are one fact too, the first's.
    """
    facts: list[int] = []
    lone: str | None = None
    for updated, events in groupby(cycle, key=_updated):
        types = {event.type for event in events}
        if len(types) == 1 and lone is not None and lone not in types:
            lone = None
            continue
        facts.append(updated)
        lone = types.pop() if len(types) == 1 else None
    return facts


def _updated(event: Event) -> int:
    return order_key(event)[0]


def endings(history: Sequence[Event]) -> list[Ending]:
    """The changes of the live count to 0 while a sorted history goes on, each fact once.

    The first subscription ever told of counts as having been live, even if it is told dead.
    """
    found: list[Ending] = []
    for length in range(1, len(history) + 1):
        before, after = history[: length - 1], history[:length]
        newest = newest_told(after)
        first_seen = bool(newest) and not newest_told(before)
        was_live = live_count(before) or int(first_seen)
        if was_live and not live_count(after):
            latest = max(newest.values(), key=_by_key).content
            customer = (history[0].merchant, history[0].customer_id)
            fact = ("subscriber.cancel", *customer, latest.public_id, latest.updated)
            ending = Ending(fact_id(*fact), latest.updated, was_live)
            if all(ending.event_id != earlier.event_id for earlier in found):
                found.append(ending)
    return found
