"""The subscriber's derivation: which events a record becomes, and the row afterwards (DESIGN §6).

Arrival order is not trusted: a subscription is a state with an order key, counts are counted, and
ids are functions of the fact.
"""

from __future__ import annotations

import msgspec

from streams.model.events import Entitlements, Event, Item, Person, Subscription
from streams.model.fact import Fact
from streams.model.subscriber import OrderKey, Settling, Standing, Subscriber, standing

from . import checkout, conclusions, dedupe, erasure, history, native, reactivation
from .cards import note_cards
from .compaction import compact
from .holdings import note_entitlements, note_products, note_stock
from .profile import updated_profile
from .subscriptions import apply, note_reactivations
from .terms import Derivation, DeriveOptions

IMPORT = "XML IMPORT"
"""`context.source` of a programme migration: everybody in it subscribed long ago."""

RANK = {
    "subscription.state": -1,
    "subscription.create": 1,
    "subscription.reactivate": 2,
    "subscription.change_live": 2,
    "subscription.cancel": 3,
}
"""Of two events of one second the greater rank is the later; every other change is 0. What a
sync read is older than any event of the same second."""


class _Arrival(msgspec.Struct, gc=False):
    """How an event met the row.

    `stale`: the row knows newer of its subscription, `newest` being that one's `updated` before;
    `late`: its own fact is; `early`: it is from before flows began, so all its facts are late;
    `withheld`: why it may start no flow; `fresh`: the row began with it.
    """

    before: Standing
    now: int
    early: bool
    withheld: str | None
    fresh: bool
    stale: bool = False
    late: bool = False
    newest: int | None = None


def derive(
    row: Subscriber | None,
    event: Event,
    now: int,
    options: DeriveOptions,
    recorded_at: int | None = None,
) -> Derivation:
    """What an event becomes. `row` is left as it was.

    `now` is stream time and `recorded_at` the record's own time (default: the same), both epoch
    milliseconds.
    """
    forgotten = erasure.erased(row, event)
    if forgotten is not None:
        return forgotten
    former, row = row, erasure.unless_marker(row)
    marks = dedupe.marks_of(event)
    if row is not None and dedupe.repeated(row, marks, now, options.remember):
        return Derivation(row, duplicate=True)
    recorded_at = now if recorded_at is None else recorded_at
    begins = row is None
    row = history.begin(event, options, recorded_at) if row is None else row.fork()
    row.seeded = event.kind == "state" and (begins or row.seeded)
    erasure.keep_mark(row, former)
    row.stated = row.stated or event.kind == "state"
    if row.stated and not row.complete:
        row.complete = history.all_is_told(options, recorded_at)
    dedupe.remember(row, marks, now, options.remember)
    first = not row.ever_subscribed
    early = event.created < options.flows_from
    withheld = _withheld(event, options)
    fresh = history.began_with(row, event)
    arrival = _Arrival(standing(row), now, early, withheld, fresh, late=early)
    _apply(row, event, arrival, tardy=recorded_at - event.created > options.late_after)
    for content in event.snapshot.subscriptions:
        apply(row, content, OrderKey(content.updated, event.created, 0, event.event_id))
    facts = _own(row, event, arrival, options, recorded_at)
    row.profile = updated_profile(row.profile, event)
    history.note_age(row, event)
    _note_holdings(row, event, now, options)
    facts += _concluded(row, event, arrival, options, first=first and row.ever_subscribed)
    compact(row)
    return Derivation(row, tuple(facts))


def _note_holdings(row: Subscriber, event: Event, now: int, options: DeriveOptions) -> None:
    """Keep what the customer has beside subscriptions."""
    if isinstance(event.subject, Item):
        note_stock(row, event.subject, event, options.out_of_stock_run)
    elif isinstance(event.subject, Entitlements):
        note_entitlements(row, event.subject, event)
    note_products(row, event)
    if options.card_expiration_warnings or row.cards is not None:
        note_cards(row, event, now, options)


def _withheld(event: Event, options: DeriveOptions) -> str | None:
    """Why no fact of this event may start a flow."""
    if event.source == IMPORT and "import" not in options.announce:
        return "import"
    return "state" if event.kind == "state" and "state" not in options.announce else None


def _apply(row: Subscriber, event: Event, arrival: _Arrival, *, tardy: bool) -> None:
    """Put the event's own subscription into the row, and note in the arrival how it met it.

    A stale event is late if newer facts say otherwise, or if its record is much younger than it is
    (`tardy`).
    """
    content = event.subject
    if not isinstance(content, Subscription):
        return
    known = row.subscriptions.get(content.public_id)
    key = OrderKey(content.updated, event.created, RANK.get(event.type, 0), event.event_id)
    if known is not None:
        arrival.newest = known.key.updated
    if apply(row, content, key) or known is None:
        return
    arrival.stale = True
    arrival.late = arrival.early or tardy or known.content.live != content.live


def _own(
    row: Subscriber, event: Event, arrival: _Arrival, options: DeriveOptions, recorded_at: int
) -> list[Fact]:
    """The source's own event, or the reactivation in its place."""
    if isinstance(event.subject, Subscription):
        return _subscription(row, event.subject, event, arrival)
    if isinstance(event.subject, Person) and event.type.startswith("subscriber."):
        age = recorded_at - event.created
        return [native.own(row, event, options, age, arrival.withheld, late=arrival.late)]
    fact = Fact(event.type, event.event_id, event.created, arrival.late, arrival.withheld)
    return [fact]


def _subscription(
    row: Subscriber, content: Subscription, event: Event, arrival: _Arrival
) -> list[Fact]:
    """The fact of a subscription.* event; none where its reactivation was announced before."""
    id_ = content.public_id
    told = row.subscriptions[id_].reactivations
    late, withheld = arrival.late, arrival.withheld
    if not reactivation.reactivates(event.type, content):
        if event.type == reactivation.CANCELLED:
            note_reactivations(row, id_, reactivation.after_cancel(told))
        return [Fact(event.type, event.event_id, event.created, late, withheld)]
    told, is_new = reactivation.announce(
        told, event.type, content.updated, arrival.newest, stale=arrival.stale
    )
    note_reactivations(row, id_, told)
    if not is_new:
        return []
    before = arrival.before.active
    return [conclusions.reactivate(row, content, event, before, late=late, withheld=withheld)]


def _concluded(
    row: Subscriber, event: Event, arrival: _Arrival, options: DeriveOptions, *, first: bool
) -> list[Fact]:
    """What follows from the whole record: `first` where it brought the first subscription ever.

    A first subscription that is dead already counts as having been live: 0 → 1, late, then 1 → 0.
    """
    before, after = arrival.before, standing(row)
    facts: list[Fact] = []
    if first:
        facts += _create(row, event, arrival, options)
    if after.active:
        row.settling = None
    elif before.active or first:
        facts += _cancel(row, event, arrival, options)
    facts += _checkout(row, event, arrival, options)
    if after != before:
        row.version += 1
        unasked = options.seeding and row.seeded and arrival.withheld == "state"
        facts.append(
            conclusions.profile_changed(row, event, before, after, "state" if unasked else None)
        )
    return facts


def _create(row: Subscriber, event: Event, arrival: _Arrival, options: DeriveOptions) -> list[Fact]:
    withheld = arrival.withheld
    if not row.complete:
        old = history.not_new(row, event, row_is_new=arrival.fresh)
        happened = event.kind == "event"  # a state is of long ago where nothing changed since
        row.complete = old is None and happened and event.source != IMPORT
        withheld = withheld or old
    if options.mode == "native":
        return []
    return [conclusions.create(row, event, late=arrival.early, withheld=withheld)]


def _cancel(row: Subscriber, event: Event, arrival: _Arrival, options: DeriveOptions) -> list[Fact]:
    """The last live subscription ended: told, withheld, or pending until stream time says so."""
    if options.mode == "native":
        return []
    withheld = arrival.withheld or (None if row.complete else history.INCOMPLETE)
    at = arrival.now + options.cancel_settle
    before = arrival.before.active or 1
    ended = Settling(at, event.event_id, event.type, before, arrival.early)
    if options.cancel_settle and withheld is None:
        row.settling = ended
        return []
    return conclusions.cancel(row, event.merchant, event.customer_id, ended, withheld)


def _checkout(
    row: Subscriber, event: Event, arrival: _Arrival, options: DeriveOptions
) -> list[Fact]:
    """A new subscription joins its checkout, which is told when it closes."""
    if arrival.withheld is not None or not options.concludes_checkouts:
        return []
    before, late = arrival.before.active, arrival.late
    key = checkout.join(row, event, arrival.now, options, before=before, late=late)
    if key is None or options.checkout_settle:
        return []
    return [checkout.close(row, event.merchant, event.customer_id, key)]
