"""`cancel_settle`: a customer who is back in time was never gone; and timers survive restarts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.derive import DeriveOptions
from streams.model.events import Event, Subscription
from streams.model.ids import digest, fact_id
from tests.support.customer_shop import ALL_STYLES, BEGIN, CUSTOMER, MERCHANT, SECOND
from tests.support.histories import Arrival, shuffled
from tests.support.timed import Appended, as_of, play

PROPERTY = settings(max_examples=100, derandomize=True, deadline=None)
SETTLE = 600 * SECOND
COMPLETE = DeriveOptions(history="complete", native_subscriptions_created=True)
SETTLING = DeriveOptions(
    history="complete", native_subscriptions_created=True, cancel_settle=SETTLE
)
CANCEL = "subscriber.cancel"
SETTINGS = [
    SETTLING,
    DeriveOptions(history="live", cancel_settle=SETTLE),
    DeriveOptions(history="complete", cancel_settle=SETTLE, checkout_settle=120 * SECOND),
    DeriveOptions(history="complete", mode="native", cancel_settle=SETTLE),
]


def flip(name: str, at: int, *, live: bool) -> Appended:
    """A subscription that comes alive, or dies, told at once."""
    content = Subscription(name, live=live, updated=at)
    action = "reactivate" if live else "cancel"
    id_ = f"{action} {name} {at}"
    event = Event(id_, f"subscription.{action}", at, MERCHANT, CUSTOMER, digest(id_), content)
    return Appended(at, event)


@st.composite
def lives(draw: st.DrawFn) -> list[Appended]:
    """Two subscriptions that come and go, with pauses about as long as the waiting time."""
    at, live, records = BEGIN, {"a": False, "b": False}, []
    gaps = st.sampled_from([1, 60, 599, 600, 601, 900])
    for name, gap in draw(st.lists(st.tuples(st.sampled_from("ab"), gaps), min_size=1)):
        at += gap * SECOND
        live[name] = not live[name]
        records.append(flip(name, at, live=live[name]))
    return records


def departures(records: list[Appended], settle: int) -> list[tuple[str, int]]:
    """(subscription, time) of each end after which nothing lived for long enough: the oracle."""
    found: list[tuple[str, int]] = []
    live: set[str] = set()
    left: tuple[str, int] | None = None
    for at, event in records:
        assert isinstance(event.subject, Subscription)
        if left is not None and at >= left[1] + settle:
            found.append(left)
            left = None
        if event.subject.live:
            live.add(event.subject.public_id)
            left = None
        else:
            live.discard(event.subject.public_id)
            left = None if live else (event.subject.public_id, at)
    return found if left is None else [*found, left]


@PROPERTY
@given(lives())
def test_nobody_who_is_back_in_time_was_gone(records: list[Appended]) -> None:
    """subscriber.cancel is told for each end that lasted, with its id and time, and for no other.

    An end lasts if no subscription lives at its waiting time's end; back at that very time is too
    late, as the timer fires before the record.
    """
    told = play(records, SETTLING).of(CANCEL)

    assert [
        (fact_id(CANCEL, MERCHANT, CUSTOMER, *end), end[1]) for end in departures(records, SETTLE)
    ] == [(fact.event_id, fact.occurred_at) for fact in told]


@PROPERTY
@given(lives())
def test_waiting_changes_nothing_else(records: list[Appended]) -> None:
    """With or without waiting: the same other facts, and at most fewer cancels."""
    waited, at_once = play(records, SETTLING), play(records, COMPLETE)
    cancels = [fact.event_id for fact in at_once.of(CANCEL)]

    assert [fact for fact in at_once.facts if fact.type != CANCEL] == [
        fact for fact in waited.facts if fact.type != CANCEL
    ]
    assert set(cancels) >= {fact.event_id for fact in waited.of(CANCEL)}
    assert at_once.row.version == waited.row.version


@pytest.mark.parametrize("options", SETTINGS, ids=["settle", "live", "both", "native"])
@PROPERTY
@given(shuffled(ALL_STYLES))
def test_timers_survive_everything(options: DeriveOptions, arrival: Arrival) -> None:
    """Any history in any order: with a restart before every step the same facts and the same row.

    Also where timers fire at their very millisecond instead of with the next record.
    """
    records = as_of(arrival.events)
    if records:
        told = play(records, options)

        assert told == play(records, options, restarts=True)
        assert told == play(records, options, ticks=True)
        assert told == play(records, options, restarts=True, ticks=True)


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_in_any_order_nobody_is_mourned_who_lives(arrival: Arrival) -> None:
    """Whatever arrives in whatever order: when a cancel is told, nothing lives."""
    records = as_of(arrival.events)
    if records:
        told = play(records, SETTLING)
        mourned = [
            live
            for fact, live in zip(told.facts, told.live, strict=True)
            if fact.type == CANCEL and fact.withheld is None
        ]

        assert {0} >= set(mourned)
        assert told.row.settling is None


def test_a_death_told_meanwhile_is_the_one_that_is_named() -> None:
    """Of two ends the newer one names the fact, also where it is told while the cancel waits."""
    alive = [flip("a", BEGIN, live=True)]
    ends = [flip("a", BEGIN + SECOND, live=False), flip("b", BEGIN + 60 * SECOND, live=False)]
    [told] = play([*alive, *ends], SETTLING).of(CANCEL)

    assert (fact_id(CANCEL, MERCHANT, CUSTOMER, "b", BEGIN + 60 * SECOND), BEGIN + 60 * SECOND) == (
        told.event_id,
        told.occurred_at,
    )
    assert told.because is not None
    assert (ends[0].event.event_id, 1, 0) == (
        told.because.event_id,
        told.because.active_before,
        told.because.active_after,
    )


def test_what_began_before_flows_is_late_when_it_settles() -> None:
    """A cancel that opened before `flows_from` is late, whenever its timer fires."""
    options = DeriveOptions(
        history="complete",
        native_subscriptions_created=True,
        cancel_settle=SETTLE,
        flows_from=BEGIN + 60 * SECOND,
    )
    records = [flip("a", BEGIN, live=True), flip("a", BEGIN + SECOND, live=False)]
    [told] = play(records, options).of(CANCEL)

    assert told.late


def test_a_withheld_cancel_does_not_wait() -> None:
    """What is not told anyway is concluded at once, and no timer is set."""
    options = DeriveOptions(history="live", native_subscriptions_created=True, cancel_settle=SETTLE)
    records = [flip("a", BEGIN, live=True), flip("a", BEGIN + SECOND, live=False)]
    told = play(records, options)

    assert [] == told.of(CANCEL)
    assert ["incomplete_history"] == [each.withheld for each in told.of(CANCEL, withheld=True)]


def test_a_checkout_and_a_cancel_due_together() -> None:
    """At one time checkouts are told first, in the order of their keys, then the cancel."""
    options = DeriveOptions(
        history="complete", cancel_settle=5 * SECOND, checkout_settle=5 * SECOND
    )
    created = [
        Event(
            f"create {order}",
            "subscription.create",
            BEGIN,
            MERCHANT,
            CUSTOMER,
            digest(order),
            Subscription(order, live=True, updated=BEGIN, merchant_order_id=order),
        )
        for order in ("zebra", "apple")
    ]
    ends = [flip(name, BEGIN + 1, live=False).event for name in ("zebra", "apple")]
    records = [Appended(BEGIN, event) for event in [*created, *ends]]
    told = [
        fact
        for fact in play(records, options).facts
        if fact.listed and fact.type != "subscriber.create"
    ]

    assert [("apple",), ("zebra",)] == [fact.listed for fact in told[:2]]
    assert [CANCEL] == [fact.type for fact in told[2:]]
