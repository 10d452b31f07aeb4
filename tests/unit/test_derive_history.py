"""Connecting to a running shop: who is new, who only is new to us, and what must wait for that.

The rules are those of DESIGN §6, "History first". The random shop is the one of the other property
tests, a day long at most, so that a customer who came with it is new all the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.derive import DeriveOptions, derive
from streams.destinations import DESTINATIONS
from streams.model.events import Event, Order, Snapshot, Subscription
from streams.model.ids import digest
from streams.route import Route, route
from tests.support.customer_shop import ALL_STYLES, BEGIN, CUSTOMER, MERCHANT, SECOND
from tests.support.histories import Arrival, histories, shuffled
from tests.support.oracle import in_order
from tests.support.timed import Appended, as_of, customer_since, play

if TYPE_CHECKING:
    from streams.model.fact import Fact

PROPERTY = settings(max_examples=200, derandomize=True, deadline=None)
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LIVE = DeriveOptions(history="live")
COMPLETE = DeriveOptions(history="complete")
CREATE, CANCEL = "subscriber.create", "subscriber.cancel"
ROUTES = [Route(name, each.takes) for name, each in DESTINATIONS.items()]
PAST = ("old_customer", "customer_age_unknown", "old_subscription", "incomplete_history")
IN_THE_MIDDLE = st.tuples(histories(ALL_STYLES), st.integers(0, 100))
"""A history, and how many per cent of it happened before the program was connected."""


def joined(history: list[Event], per_cent: int) -> list[Event]:
    """What is seen of a history from some point on."""
    ordered = in_order(history)
    return ordered[len(ordered) * per_cent // 101 :]


def without(fact: Fact) -> Fact:
    """A fact as it is, withheld or not."""
    return replace(fact, withheld=None if fact.withheld in PAST else fact.withheld)


@PROPERTY
@given(IN_THE_MIDDLE)
def test_nobody_old_is_welcomed_or_mourned(drawn: tuple[list[Event], int]) -> None:
    """A customer of last year, joined in the middle: no subscriber.create, no subscriber.cancel.

    Whatever they do from then on, and however often they leave.
    """
    seen = [customer_since(event, BEGIN - 365 * DAY) for event in joined(*drawn)]
    if seen:
        told = play(as_of(seen), LIVE)

        assert [] == told.of(CREATE) + told.of(CANCEL)
        assert {"old_customer", "derived_mode"} >= {
            fact.withheld for fact in told.of(CREATE, withheld=True)
        }
        assert not told.row.complete


@PROPERTY
@given(IN_THE_MIDDLE, st.sets(st.integers(0, 30)))
def test_a_seeding_under_way_proves_nothing(
    drawn: tuple[list[Event], int], synced: set[int]
) -> None:
    """However much of an old customer a sync has told, and in what order beside webhooks."""
    seen = [
        replace(
            customer_since(event, BEGIN - 365 * DAY), kind="state" if nth in synced else "event"
        )
        for nth, event in enumerate(joined(*drawn))
    ]
    if seen:
        told = play(as_of(seen), LIVE)

        assert [] == told.of(CREATE) + told.of(CANCEL)
        assert told.row.stated == bool(synced.intersection(range(len(seen))))
        assert not told.row.complete


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_nobody_old_is_welcomed_in_any_order(arrival: Arrival) -> None:
    """Nor in any order, with any repetitions."""
    seen = [customer_since(event, BEGIN - 2 * DAY) for event in arrival.events]
    if seen:
        told = play(as_of(seen), LIVE)

        assert [] == told.of(CREATE) + told.of(CANCEL)


@PROPERTY
@given(IN_THE_MIDDLE)
def test_unknown_age_needs_a_checkout_as_the_first_news(drawn: tuple[list[Event], int]) -> None:
    """Nobody says how old they are: welcomed only if the first that we ever hear is a checkout.

    Its events are created within a minute; that with the first subscription must say so.

    And whoever was not welcomed is not mourned.
    """
    seen = joined(*drawn)
    if seen:
        told = play(as_of(seen), LIVE)
        of_subscriptions = (
            one
            for one in seen
            if isinstance(one.subject, Subscription) or one.snapshot.subscriptions
        )
        first = next(of_subscriptions, None)
        proof = (
            first is not None
            and (first.type, first.source) == ("subscription.create", "PurchasePOST")
            and abs(first.created - seen[0].created) <= MINUTE
        )
        of_a_checkout = proof and told.row.complete

        assert of_a_checkout == bool(told.of(CREATE)) == told.row.complete
        assert told.row.complete or [] == told.of(CANCEL)


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_a_new_customer_is_told_as_if_all_were_known(arrival: Arrival) -> None:
    """Customer and subscriptions younger than a day: `live` and `complete` tell the same facts."""
    seen = as_of(customer_since(event, BEGIN) for event in arrival.events)
    if seen:
        assert play(seen, COMPLETE).facts == play(seen, LIVE).facts


@PROPERTY
@given(IN_THE_MIDDLE, st.sampled_from([None, BEGIN, BEGIN - 3 * DAY]))
def test_history_only_withholds(drawn: tuple[list[Event], int], since: int | None) -> None:
    """Whatever is known of the past: the same facts with the same ids, the same row.

    Only subscriber.create and .cancel may be withheld for it; profile.changed never is.
    """
    seen = as_of(customer_since(event, since) for event in joined(*drawn))
    if seen:
        live, complete = play(seen, LIVE), play(seen, COMPLETE)
        differing = {
            one.type for one, other in zip(live.facts, complete.facts, strict=True) if one != other
        }

        assert [without(fact) for fact in live.facts] == complete.facts
        assert {CREATE, CANCEL} >= differing
        assert replace(live.row, complete=True, begun=None) == complete.row


@PROPERTY
@given(IN_THE_MIDDLE)
def test_what_is_withheld_goes_nowhere(drawn: tuple[list[Event], int]) -> None:
    """No connection gets a withheld event, and each gets the profile all the same."""
    row = None
    for at, event in as_of(joined(*drawn)):
        derivation = derive(row, event, at, LIVE)
        row = derivation.row
        routed = route(derivation.facts, MERCHANT, ROUTES)
        took = {connection for _, to in routed for connection in to}
        changed = any(fact.type == "profile.changed" for fact in derivation.facts)

        assert {()} >= {to for fact, to in routed if fact.withheld is not None}
        assert not changed or set(DESTINATIONS) == took


OATS = Subscription("oats", live=True, updated=BEGIN)
CHECKOUT = "PurchasePOST"


def event(
    event_type: str,
    at: int = BEGIN,
    *,
    live: bool = True,
    created: int | None = BEGIN,
    since: int | None = None,
    **more: object,
) -> Event:
    """An event of one subscription: when that and the customer came to be, as far as told."""
    content = Subscription("oats", live=live, updated=at, created=created)
    id_ = f"{event_type} {at}"
    named = Event(id_, event_type, at, MERCHANT, CUSTOMER, digest(id_), content)
    return customer_since(named, since, **more)


def only_order(at: int, since: int | None = None, **more: object) -> Event:
    """An event without a subscription."""
    named = Event(f"o{at}", "order.success", at, MERCHANT, CUSTOMER, digest(at), Order("o"))
    return customer_since(named, since, **more)


BORN = "subscription.create"
CHANGED = "subscription.change_payment"
NEWS = {
    "new at the checkout": ([event(BORN, source=CHECKOUT)], None),
    "new at the checkout, subscription untold": (
        [event(BORN, source=CHECKOUT, created=None)],
        None,
    ),
    "a change from a checkout": ([event(CHANGED, source=CHECKOUT)], None),
    "a change from a checkout, subscription untold": (
        [event(CHANGED, source=CHECKOUT, created=None)],
        "old_subscription",
    ),
    "no checkout": ([event(BORN)], "customer_age_unknown"),
    "another source": ([event(BORN, source="CSA")], "customer_age_unknown"),
    "a row before the checkout": (
        [only_order(BEGIN - HOUR), event(BORN, source=CHECKOUT)],
        "customer_age_unknown",
    ),
    "the checkout's order came first": (
        [only_order(BEGIN - MINUTE), event(BORN, source=CHECKOUT)],
        None,
    ),
    "an order of a minute before": (
        [only_order(BEGIN - MINUTE - 1), event(BORN, source=CHECKOUT)],
        "customer_age_unknown",
    ),
    "a row before, and an age": ([only_order(BEGIN - HOUR, since=BEGIN - HOUR), event(BORN)], None),
    "an old age told before": (
        [only_order(BEGIN - HOUR, since=BEGIN - 9 * DAY), event(BORN, source=CHECKOUT)],
        "old_customer",
    ),
    "the customer is a day old": ([event(BORN, since=BEGIN - DAY)], None),
    "the customer is a day and a second old": (
        [event(BORN, since=BEGIN - DAY - SECOND)],
        "old_customer",
    ),
    "the subscription is a day old": ([event(CHANGED, created=BEGIN - DAY, since=BEGIN)], None),
    "the subscription is a day and a second old": (
        [event(CHANGED, created=BEGIN - DAY - SECOND, since=BEGIN)],
        "old_subscription",
    ),
    "a subscription of which nobody says how old": (
        [event(CHANGED, created=None, since=BEGIN)],
        "old_subscription",
    ),
    "both old": (
        [event(CHANGED, created=BEGIN - 9 * DAY, since=BEGIN - 9 * DAY)],
        "old_customer",
    ),
    "an old subscription beside the new one": (
        [
            customer_since(
                replace(
                    event(BORN),
                    snapshot=Snapshot(
                        subscriptions=(replace(OATS, public_id="tea", created=BEGIN - 9 * DAY),)
                    ),
                ),
                BEGIN,
            )
        ],
        "old_subscription",
    ),
    "an import": ([event(BORN, since=BEGIN, source="XML IMPORT")], "import"),
    "a change, and their order was synced": (
        [only_order(BEGIN - HOUR, since=BEGIN - 9 * DAY, kind="state"), event(CHANGED)],
        "old_customer",
    ),
    "a state": ([event(BORN, since=BEGIN, kind="state")], "state"),
    "an import of a state": (
        [event(BORN, since=BEGIN, source="XML IMPORT", kind="state")],
        "import",
    ),
}


@pytest.mark.parametrize(("events", "withheld"), NEWS.values(), ids=NEWS)
def test_who_is_new(events: list[Event], withheld: str | None) -> None:
    """Under `live` a first subscription is told if customer and subscription are both new."""
    told = play(as_of(events), LIVE)
    [create] = told.of(CREATE) + told.of(CREATE, withheld=True)

    assert withheld == create.withheld


SEEDED = DeriveOptions(history="live", synced_at=BEGIN + 2 * HOUR)
"""A seeding that ends with the last moment before the end of `test_whose_end_is_told`."""
ENDS = {
    "of somebody new": ([event(BORN, since=BEGIN)], LIVE, None),
    "of somebody old": ([event(BORN, since=BEGIN - 9 * DAY)], LIVE, "incomplete_history"),
    "of an import": ([event(BORN, since=BEGIN, source="XML IMPORT")], LIVE, "incomplete_history"),
    "of an announced import": (
        [event(BORN, since=BEGIN, source="XML IMPORT")],
        DeriveOptions(history="live", announce=frozenset({"import"})),
        "incomplete_history",
    ),
    "of an import, all known": ([event(BORN, source="XML IMPORT")], COMPLETE, None),
    "of somebody seeded": ([event(BORN, kind="state")], SEEDED, None),
    "of somebody seeded after they were seen": (
        [event(CHANGED), event(CHANGED, BEGIN + HOUR, kind="state")],
        SEEDED,
        None,
    ),
    "of somebody of whom the seeding told an order": (
        [only_order(BEGIN, kind="state"), event(CHANGED)],
        SEEDED,
        None,
    ),
    "of somebody of whom the seeding told nothing": (
        [event(CHANGED)],
        SEEDED,
        "incomplete_history",
    ),
    "of somebody seeded, and the seeding goes on": (
        [event(CHANGED, kind="state")],
        replace(SEEDED, synced_at=BEGIN + 2 * HOUR + 1),
        "incomplete_history",
    ),
    "of somebody whom a partial sync told of": (
        [event(CHANGED, kind="state")],
        LIVE,
        "incomplete_history",
    ),
    "of somebody who was new when what a sync told of last changed": (
        [event(BORN, since=BEGIN, kind="state")],
        LIVE,
        "incomplete_history",
    ),
    "of somebody told of by a sync, all known": ([event(CHANGED, kind="state")], COMPLETE, None),
    "of somebody synced later": (
        [event(CHANGED)],
        DeriveOptions(history="synced", synced_at=BEGIN),
        None,
    ),
    "of somebody seen before the sync's end": (
        [event(CHANGED)],
        DeriveOptions(history="synced", synced_at=BEGIN + 1),
        "incomplete_history",
    ),
}


@pytest.mark.parametrize(("events", "options", "withheld"), ENDS.values(), ids=ENDS)
def test_whose_end_is_told(
    events: list[Event], options: DeriveOptions, withheld: str | None
) -> None:
    """subscriber.cancel waits until all of a row's past is known; what it missed is never told."""
    ended = event("subscription.cancel", BEGIN + 2 * HOUR, live=False)
    told = play(as_of([*events, ended]), options)
    again = play([*as_of([only_order(BEGIN + 9 * DAY)])], options, row=told.row)
    [cancel] = told.of(CANCEL) + told.of(CANCEL, withheld=True)

    assert withheld == cancel.withheld
    assert [] == [fact.type for fact in again.facts if fact.type.startswith("subscriber.")]


def test_a_record_that_was_appended_late_counts_when_it_came() -> None:
    """`synced` goes by the time of the record, not of the event: sync knew what came before."""
    options = DeriveOptions(history="synced", synced_at=BEGIN + HOUR)
    early = play([Appended(BEGIN, event(CHANGED))], options)
    late = play([Appended(BEGIN + HOUR, event(CHANGED))], options)

    assert (False, True) == (early.row.complete, late.row.complete)


@PROPERTY
@given(IN_THE_MIDDLE, st.integers(0, 20 * 3_600))
def test_before_flows_begin_everything_is_late(drawn: tuple[list[Event], int], after: int) -> None:
    """Events from before `flows_from` are told with all their facts late, others as ever.

    Only profile.changed is never late; nothing else changes, and no row.
    """
    since = BEGIN + after * SECOND
    seen = as_of(joined(*drawn))
    if not seen:
        return
    options = replace(COMPLETE, checkout_settle=0)
    with_, without_ = play(seen, replace(options, flows_from=since)), play(seen, options)
    born = {record.event.event_id: record.event.created for record in seen}
    for one, other in zip(with_.facts, without_.facts, strict=True):
        source = one.because.event_id if one.because is not None else one.event_id
        early = born[source] < since and one.type != "profile.changed"

        assert replace(other, late=other.late or early) == one
