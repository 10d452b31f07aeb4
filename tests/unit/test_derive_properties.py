"""`derive` against the oracle: what may be known must not depend on how events arrive.

What is claimed of arrival in any order, and for which histories:

- Subscriptions, counts, status, profile, ever_subscribed and `subscriber.create`: for all.
- The ids of `subscription.reactivate`: see test_derive_reactivations.
- `subscriber.cancel`: exactly for arrival in order; what it must never be in any order is in
  test_derive_conclusions.

Two kinds of events are drawn for none of these, as their row is by rule a matter of arrival; the
last test says how far.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.derive import derive
from streams.model.events import Event, Order
from streams.model.row_bytes import decode_row, encode_row
from tests.support.applied import DAY, OPTIONS, ids, run, state, told
from tests.support.customer_shop import (
    ALL_STYLES,
    BEGIN,
    CUSTOMER,
    MERCHANT,
    SECOND,
    SETTLED,
    subscription_event,
)
from tests.support.histories import Arrival, orderly, shuffled
from tests.support.oracle import once_each, truth

if TYPE_CHECKING:
    from streams.model.subscriber import Subscriber

PROPERTY = settings(max_examples=300, derandomize=True, deadline=None)
CONCLUDED = ("subscriber.create", "subscriber.cancel", "subscription.reactivate")
MUCH_LATER = Event(
    "later", "order.success", BEGIN + DAY, MERCHANT, CUSTOMER, b"later...", Order("later")
)
"""An event after which a row holds only what it shall still remember."""


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_the_state_does_not_depend_on_arrival(arrival: Arrival) -> None:
    """Any shuffle with any repetitions ends in the state of the sorted, once-each history."""
    assume(arrival.history)
    expected = truth(arrival.history)
    actual = state(run(arrival.events)[-1].after)

    assert expected[: len(actual)] == actual


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_a_customer_is_created_once(arrival: Arrival) -> None:
    """However events arrive, subscriber.create is told once, and never without a subscription."""
    assert sorted(truth(arrival.history).creates) == ids(run(arrival.events), "subscriber.create")


@PROPERTY
@given(orderly(ALL_STYLES))
def test_in_order_each_change_to_zero_is_a_cancel(arrival: Arrival) -> None:
    """subscriber.cancel is told at each change of the live count to 0, and at nothing else.

    Its id, its time and the counts around it are the oracle's, in order, repeated or not.
    """
    expected = [
        (ending.event_id, ending.occurred_at, ending.active_before, 0)
        for ending in truth(arrival.history).endings
    ]
    actual = [
        (fact.event_id, fact.occurred_at, fact.because.active_before, fact.because.active_after)
        for fact in told(run(arrival.events), "subscriber.cancel")
        if fact.because
    ]

    assert expected == actual


@PROPERTY
@given(shuffled(ALL_STYLES), st.data())
def test_a_repetition_tells_nothing(arrival: Arrival, data: st.DataObject) -> None:
    """Six days later an event seen, by its id or its guard, is a duplicate and changes nothing."""
    assume(arrival.events)
    row = run([MUCH_LATER], run(arrival.events)[-1].after, wait=5 * DAY)[-1].after
    event = data.draw(st.sampled_from(once_each(arrival.events)))
    renamed, reworded = replace(event, event_id="another"), replace(event, guard=b"another.")
    again = run([data.draw(st.sampled_from((event, renamed, reworded)))], row, wait=6 * DAY)[0]

    assert (True, ()) == (again.derivation.duplicate, again.derivation.facts)
    assert (row.version, state(row)) == (again.after.version, state(again.after))


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_repetitions_change_nothing_of_what_is_told(arrival: Arrival) -> None:
    """With its repetitions or without, an arrival is told in the same facts, in the same order."""
    facts = [
        [(fact.type, fact.event_id, fact.occurred_at, fact.because) for fact in told_by_one]
        for events in (arrival.events, once_each(arrival.events))
        for told_by_one in [[f for one in run(events) for f in one.derivation.facts]]
    ]

    assert facts[1] == facts[0]


@PROPERTY
@given(shuffled(SETTLED))
def test_a_repetition_after_the_window_concludes_nothing(arrival: Arrival) -> None:
    """Events that come again when their ids are forgotten change no state and conclude nothing."""
    assume(arrival.events)
    row = run(arrival.events)[-1].after
    again = run(arrival.events, row, wait=30 * DAY)

    assert not again[0].derivation.duplicate
    assert state(row) == state(again[-1].after)
    assert [] == [fact for each in CONCLUDED for fact in told(again, each)]


@PROPERTY
@given(shuffled(ALL_STYLES), st.data())
def test_batches_change_nothing(arrival: Arrival, data: st.DataObject) -> None:
    """However a stream is cut, and the row encoded in between, facts and row are the same."""
    cuts = data.draw(st.sets(st.integers(0, len(arrival.events))))
    row: Subscriber | None = None
    for nth, one in enumerate(run(arrival.events)):
        if nth in cuts and row is not None:
            row = decode_row(encode_row(row))
        derivation = derive(row, one.event, one.now, OPTIONS)

        assert one.derivation == derivation
        row = derivation.row


def changed(quantity: int, event_id: str, lag: int = 0) -> Event:
    """A change of quantity within the first second."""
    action = "subscription.change_quantity"
    return subscription_event(action, event_id, BEGIN, quantity=quantity, lag=lag)


BY_ARRIVAL = {
    "a rival, repeated under a greater id": [changed(5, "a"), changed(7, "b"), changed(5, "c")],
    "there and back within a second": [
        changed(5, "a"),
        changed(7, "b", lag=SECOND),
        changed(5, "c", lag=2 * SECOND),
    ],
}


@pytest.mark.parametrize("events", BY_ARRIVAL.values(), ids=BY_ARRIVAL)
def test_what_is_left_to_arrival(events: list[Event]) -> None:
    """Of two contents of one second, one told twice, the row may keep either, by arrival.

    The second telling is a repetition to the guard, and its key does not count; so the key that
    stands against the other content is that of the copy which came first. All else is the same.
    """
    ends = [state(run(order)[-1].after) for order in permutations(events)]

    assert {5, 7} == {end.subscriptions["oats"].quantity for end in ends}
    assert {(1, 1, "active", True)} == {
        (end.active, end.total, end.status, end.ever_subscribed) for end in ends
    }
