"""The subscriber's derivation: which events a record becomes, and the row afterwards (DESIGN §6).

Arrival order is not trusted: a subscription is a state with an order key, counts are counted, and
ids are functions of the fact. `history = complete`: the topic holds everything since the merchant's
first subscription, so the first subscription that is seen is the first that ever was.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.model.enriched import Because
from streams.model.events import Entitlements, Event, Item, Person, Subscription
from streams.model.fact import CANCEL, CREATE, PROFILE_CHANGED, REACTIVATE, Fact
from streams.model.ids import fact_id
from streams.model.subscriber import (
    OrderKey,
    Standing,
    Subscriber,
    standing,
)

from . import dedupe, reactivation
from .holdings import note_entitlements, note_products, note_stock
from .profile import updated_profile
from .subscriptions import apply, died_in_this_spell, newest_death, note_reactivations
from .terms import Derivation, DeriveOptions

IMPORT = "XML IMPORT"
"""`context.source` of a programme migration: everybody in it subscribed long ago."""

RANK = {
    "subscription.create": 1,
    "subscription.reactivate": 2,
    "subscription.change_live": 2,
    "subscription.cancel": 3,
}
"""Of two events of one second the greater rank is the later; every other change is 0."""

DEFAULTS = DeriveOptions()


def derive(
    row: Subscriber | None,
    event: Event,
    now: int,
    options: DeriveOptions = DEFAULTS,
    recorded_at: int | None = None,
) -> Derivation:
    """What an event becomes. `row` is left as it was.

    `now` is stream time and `recorded_at` the record's own time (default: the same), both epoch
    milliseconds.
    """
    if event.kind == "erase":
        return Derivation(None)
    if row is not None and dedupe.repeated(row, event, now, options.remember):
        return Derivation(row, duplicate=True)
    row = Subscriber(complete=True) if row is None else row.fork()
    dedupe.remember(row, event, now, options.remember)
    before, first = standing(row), not row.ever_subscribed
    age = (now if recorded_at is None else recorded_at) - event.created
    arrival = _applied(row, event, tardy=age > options.late_after)
    for content in event.snapshot.subscriptions:
        apply(row, content, OrderKey(content.updated, event.created, 0, event.event_id))
    facts = _own(row, event, before.active, arrival)
    row.profile = updated_profile(row.profile, event)
    if isinstance(event.subject, Item):
        note_stock(row, event.subject, event, options.out_of_stock_run)
    elif isinstance(event.subject, Entitlements):
        note_entitlements(row, event.subject, event)
    note_products(row, event)
    facts += _concluded(row, event, before, first=first and row.ever_subscribed)
    return Derivation(row, tuple(facts))


class _Arrival(NamedTuple):
    """How an event's own subscription met the row: `newest` is the row's `updated` before it."""

    stale: bool = False
    late: bool = False
    newest: int | None = None


def _applied(row: Subscriber, event: Event, *, tardy: bool) -> _Arrival:
    """Put the event's own subscription into the row.

    A stale event is late if newer facts say otherwise, or if its record is much younger than it is
    (`tardy`).
    """
    content = event.subject
    if not isinstance(content, Subscription):
        return _Arrival()
    known = row.subscriptions.get(content.public_id)
    key = OrderKey(content.updated, event.created, RANK.get(event.type, 0), event.event_id)
    if apply(row, content, key) or known is None:
        return _Arrival(newest=known.key.updated if known else None)
    late = tardy or known.content.live != content.live
    return _Arrival(stale=True, late=late, newest=known.key.updated)


def _own(row: Subscriber, event: Event, before: int, arrival: _Arrival) -> list[Fact]:
    """The source's own event, or the reactivation in its place.

    The source's own subscriber events only tell who the customer is: we conclude them.
    """
    withheld = _withheld(event)
    if isinstance(event.subject, Subscription):
        return _subscription(row, event.subject, event, before, arrival)
    if isinstance(event.subject, Person) and event.type.startswith("subscriber."):
        withheld = withheld or "derived_mode"
    return [Fact(event.type, event.event_id, event.created, withheld=withheld)]


def _withheld(event: Event) -> str | None:
    if event.source == IMPORT:
        return "import"
    return "state" if event.kind == "state" else None


def _subscription(
    row: Subscriber, content: Subscription, event: Event, before: int, arrival: _Arrival
) -> list[Fact]:
    """The fact of a subscription.* event; none where its reactivation was announced before."""
    id_, withheld = content.public_id, _withheld(event)
    told = row.subscriptions[id_].reactivations
    if not reactivation.reactivates(event.type, content):
        if event.type == reactivation.CANCELLED:
            note_reactivations(row, id_, reactivation.after_cancel(told))
        return [Fact(event.type, event.event_id, event.created, arrival.late, withheld)]
    told, is_new = reactivation.announce(
        told, event.type, content.updated, arrival.newest, stale=arrival.stale
    )
    note_reactivations(row, id_, told)
    fact = Fact(
        REACTIVATE,
        fact_id(REACTIVATE, event.merchant, event.customer_id, id_, content.updated),
        content.updated,
        arrival.late,
        withheld,
        _because(event, before, row.active, "reactivated: active"),
    )
    return [fact] if is_new else []


def _concluded(row: Subscriber, event: Event, before: Standing, *, first: bool) -> list[Fact]:
    """What follows from the whole record: `first` where it brought the first subscription ever.

    A first subscription that is dead already counts as having been live: 0 → 1, late, then 1 → 0.
    """
    after = standing(row)
    facts = []
    if first:
        facts.append(_create(row, event, after.active))
    if after.active == 0 and (before.active > 0 or first):
        facts += _cancel(row, event, before.active or 1)
    if after != before:
        row.version += 1
        facts.append(_profile_changed(row, event, before, after))
    return facts


def _create(row: Subscriber, event: Event, active: int) -> Fact:
    return Fact(
        CREATE,
        fact_id(CREATE, event.merchant, event.customer_id),
        event.created,
        late=not active,
        withheld=_withheld(event),
        because=_because(event, 0, active or 1, "first subscription ever: active"),
        listed=row.live() if active else died_in_this_spell(row),
    )


def _cancel(row: Subscriber, event: Event, active: int) -> list[Fact]:
    """The last live subscription died: told once, under the newest death."""
    death = newest_death(row)
    if row.last_cancel == death:
        return []
    row.last_cancel = death
    return [
        Fact(
            CANCEL,
            fact_id(CANCEL, event.merchant, event.customer_id, *death),
            death[1],
            withheld=_withheld(event),
            because=_because(event, active, 0, "last subscription ended: active"),
            listed=died_in_this_spell(row),
        )
    ]


def _profile_changed(row: Subscriber, event: Event, before: Standing, after: Standing) -> Fact:
    same = (after.status, after.active, after.total) == before[:3]
    why = "who the customer is: active" if same else f"status {after.status}: active"
    return Fact(
        PROFILE_CHANGED,
        fact_id(PROFILE_CHANGED, event.merchant, event.customer_id, 0, row.version),
        event.created,
        because=_because(event, before.active, after.active, why),
    )


def _because(event: Event, before: int, after: int, why: str) -> Because:
    return Because(event.event_id, before, after, f"{why} {before} → {after} by {event.type}")
