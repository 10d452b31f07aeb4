"""The subscriber's derivation: which events a record becomes, and the row afterwards (DESIGN §6).

Arrival order is not trusted: a subscription is a state with an order key, counts are counted, and
ids are functions of the fact. `history = complete`: the topic holds everything since the merchant's
first subscription, so the first subscription that is seen is the first that ever was.
"""

from __future__ import annotations

import msgspec

from streams.model.enriched import Because
from streams.model.events import Entitlements, Event, Item, Person, Subscription
from streams.model.fact import CANCEL, CREATE, PROFILE_CHANGED, REACTIVATE, Fact
from streams.model.ids import fact_id
from streams.model.subscriber import (
    OrderKey,
    Reactivations,
    Subscriber,
    SubscriptionState,
    standing,
)

from . import dedupe, reactivation
from .holdings import note_entitlements, note_products, note_stock
from .profile import updated_profile
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
    if row is not None and dedupe.repeated(row, event):
        return Derivation(row, duplicate=True)
    row = Subscriber(complete=True) if row is None else row.fork()
    dedupe.remember(row, event, now, options.remember)
    before = standing(row)
    row.profile = updated_profile(row.profile, event)
    withheld = _withheld(event)
    facts: list[Fact] = []
    subject = event.subject
    if isinstance(subject, Subscription):
        age = (now if recorded_at is None else recorded_at) - event.created
        facts += _subscription(row, subject, event, withheld, tardy=age > options.late_after)
    else:
        own_withheld = withheld or ("derived_mode" if _told_by_us(event) else None)
        facts.append(Fact(event.type, event.event_id, event.created, withheld=own_withheld))
    for content in event.snapshot.subscriptions:
        key = OrderKey(content.updated, event.created, 0, event.event_id)
        facts += _apply(row, content, key, event, withheld)[1]
    if isinstance(subject, Item):
        note_stock(row, subject, event, options.out_of_stock_run)
    elif isinstance(subject, Entitlements):
        note_entitlements(row, subject, event)
    note_products(row, event)
    after = standing(row)
    if after != before:
        row.version += 1
        same = (after.status, after.active, after.total) == before[:3]
        why = "who the customer is: active" if same else f"status {after.status}: active"
        facts.append(
            Fact(
                PROFILE_CHANGED,
                fact_id(PROFILE_CHANGED, event.merchant, event.customer_id, 0, row.version),
                event.created,
                because=_because(event, before.active, after.active, why),
            )
        )
    return Derivation(row, tuple(facts))


def _withheld(event: Event) -> str | None:
    if event.source == IMPORT:
        return "import"
    return "state" if event.kind == "state" else None


def _told_by_us(event: Event) -> bool:
    """The source's own subscriber events only tell who the customer is: we conclude them."""
    return isinstance(event.subject, Person) and event.type.startswith("subscriber.")


def _because(event: Event, before: int, after: int, why: str) -> Because:
    return Because(event.event_id, before, after, f"{why} {before} → {after} by {event.type}")


def _subscription(
    row: Subscriber,
    content: Subscription,
    event: Event,
    withheld: str | None,
    *,
    tardy: bool,
) -> list[Fact]:
    """The facts of a subscription.* event: its own, or the reactivation in its place, first.

    `tardy`: its record is much younger than it is.
    """
    id_ = content.public_id
    key = OrderKey(content.updated, event.created, RANK.get(event.type, 0), event.event_id)
    known = row.subscriptions.get(id_)
    before = row.active
    stale, derived = _apply(row, content, key, event, withheld)
    late = stale and known is not None and (known.content.live != content.live or tardy)
    state = row.subscriptions[id_]
    if not reactivation.reactivates(event.type, content):
        if event.type == reactivation.CANCELLED:
            _remember(row, id_, state, reactivation.after_cancel(state.reactivations))
        own = Fact(event.type, event.event_id, event.created, late=late, withheld=withheld)
        return [own, *derived]
    told, is_new = reactivation.announce(
        state.reactivations,
        event.type,
        content.updated,
        known.key.updated if known else None,
        stale=stale,
    )
    _remember(row, id_, state, told)
    if not is_new:
        return derived
    fact = Fact(
        REACTIVATE,
        fact_id(REACTIVATE, event.merchant, event.customer_id, id_, content.updated),
        content.updated,
        late=late,
        withheld=withheld,
        because=_because(event, before, row.active, "reactivated: active"),
    )
    return [fact, *derived]


def _remember(
    row: Subscriber, id_: str, state: SubscriptionState, told: Reactivations
) -> None:
    if told is not state.reactivations:
        row.subscriptions[id_] = SubscriptionState(state.content, state.key, state.died_in, told)


def _apply(
    row: Subscriber, content: Subscription, key: OrderKey, event: Event, withheld: str | None
) -> tuple[bool, list[Fact]]:
    """Put a subscription's content into the row; whether it was stale, and what it changed."""
    id_ = content.public_id
    known = row.subscriptions.get(id_)
    if known is not None and key <= known.key:
        if known.content.currency_code is None and content.currency_code is not None:
            filled = _filled(known.content, content)
            row.subscriptions[id_] = SubscriptionState(
                filled, known.key, known.died_in, known.reactivations
            )
        return True, []
    first = not row.ever_subscribed
    was_live = known is not None and known.content.live
    row.ever_subscribed = True
    if row.active == 0 and (content.live or first):
        row.spell += 1
    died_in = 0 if content.live else _died_in(row, known, first=first)
    if known is None:
        row.subscriptions[id_] = SubscriptionState(content, key, died_in)
    else:
        row.subscriptions[id_] = SubscriptionState(
            _filled(content, known.content), key, died_in, known.reactivations
        )
    facts: list[Fact] = []
    if first:
        facts.append(_create(row, id_, event, withheld, live=content.live))
    if row.active == 0 and (was_live or (first and not content.live)):
        facts += _cancel(row, event, withheld)
    return False, facts


def _died_in(row: Subscriber, known: SubscriptionState | None, *, first: bool) -> int:
    """The spell in which a subscription that is dead now died.

    One first seen dead died in this spell if the customer is active, or if it was their first: then
    it counts as having been live.
    """
    if known is None:
        return row.spell if first or row.active > 0 else 0
    return row.spell if known.content.live else known.died_in


def _filled(newer: Subscription, older: Subscription) -> Subscription:
    """The newer content; only REST entities tell the currency, so it is taken from either."""
    if newer.currency_code is None and older.currency_code is not None:
        return msgspec.structs.replace(newer, currency_code=older.currency_code)
    return newer


def _create(row: Subscriber, id_: str, event: Event, withheld: str | None, *, live: bool) -> Fact:
    """The first subscription ever. One first seen dead counts as having been live: late."""
    return Fact(
        CREATE,
        fact_id(CREATE, event.merchant, event.customer_id),
        event.created,
        late=not live,
        withheld=withheld,
        because=_because(event, 0, 1, "first subscription ever: active"),
        listed=row.live() if live else (id_,),
    )


def _cancel(row: Subscriber, event: Event, withheld: str | None) -> list[Fact]:
    """The last live subscription died: told once, under the newest death."""
    id_, state = max(row.subscriptions.items(), key=lambda each: each[1].key)
    fact = (id_, state.key.updated)
    if row.last_cancel == fact:
        return []
    row.last_cancel = fact
    listed = tuple(i for i, state in row.subscriptions.items() if state.died_in == row.spell)
    return [
        Fact(
            CANCEL,
            fact_id(CANCEL, event.merchant, event.customer_id, *fact),
            state.key.updated,
            withheld=withheld,
            because=_because(event, 1, 0, "last subscription ended: active"),
            listed=listed,
        )
    ]
