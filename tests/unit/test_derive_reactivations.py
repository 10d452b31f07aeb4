"""`derive` against the oracle: which reactivations are told, however their events arrive.

The set of ids does not depend on arrival where every reactivation of a subscription is told by both
types with equal `updated`, or every one by one and the same type (`SETTLED`), for any number of
cycles.

For a pair whose `updated` differ nobody who tells at once can know: the later of the two, if it
comes first, is told under its own id, and the earlier cannot take that back. Nor can a lone event
of one cycle be told from the second of another's pair, while the cancel between them has not come.
So of one cycle with such a pair the exact rule is tested, of any mixture only bounds, and of any
mixture in order again the exact set.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from streams.model.events import Event, Subscription
from streams.model.ids import fact_id
from tests.support.applied import ids, run
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
from tests.support.oracle import REACTIVATIONS, newest_told, once_each, order_key, truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PROPERTY = settings(max_examples=300, derandomize=True, deadline=None)


def reactivating(events: Iterable[Event]) -> list[Event]:
    """The events that tell of a reactivation."""
    return [event for event in events if event.type in REACTIVATIONS]


def reactivate_id(event: Event) -> str:
    """The id of the reactivation that an event tells, taken by itself."""
    assert isinstance(event.subject, Subscription)
    fact = ("subscription.reactivate", MERCHANT, CUSTOMER)
    return fact_id(*fact, event.subject.public_id, event.subject.updated)


def first_of_pair(earlier: Sequence[Event], event: Event) -> Event | None:
    """The other event of a reactivation, if it is older and no cancel arrived in between.

    `earlier` are those that arrived before the event, in order of arrival.
    """
    first: Event | None = None
    for one in earlier:
        if getattr(one.subject, "public_id", "") == getattr(event.subject, "public_id", None):
            if one.type == "subscription.cancel":
                first = None
            elif one.type in REACTIVATIONS and order_key(one) < order_key(event):
                first = one
    return first


def stale(earlier: Sequence[Event], event: Event) -> bool:
    """Whether anything newer of the event's subscription arrived before it."""
    newest = newest_told(earlier).get(getattr(event.subject, "public_id", ""))
    return newest is not None and newest.key > order_key(event)


@PROPERTY
@given(shuffled(SETTLED))
def test_reactivations_do_not_depend_on_arrival(arrival: Arrival) -> None:
    """Of pairs with equal `updated`, and of one type alone, each reactivation is told, once.

    For any number of cycles and subscriptions, any shuffle, any repetitions.
    """
    actual = ids(run(arrival.events), "subscription.reactivate")

    assert sorted(truth(arrival.history).reactivations) == sorted(actual)


LIVES_AGAIN = [("change_live", 20), ("reactivate", 20), ("change_live", 40), ("reactivate", 40)]
CYCLES = {
    "two cycles, their cancels told": [("cancel", 10), ("cancel", 30), *LIVES_AGAIN],
    "three cycles, no cancel told": [*LIVES_AGAIN, ("change_live", 60), ("reactivate", 60)],
}


@pytest.mark.parametrize("ids_as_letters", ["abcdef", "fedcba"], ids=["ids rise", "ids fall"])
@pytest.mark.parametrize("told_at", CYCLES.values(), ids=CYCLES)
def test_no_order_of_a_few_cycles_loses_a_reactivation(
    told_at: list[tuple[str, int]], ids_as_letters: str
) -> None:
    """In each of the 720 orders of six events, pairs with equal `updated` are told once each.

    Whichever of a pair the event ids make the newer: a reactivation that was taken for the second
    event of an earlier one must be told when its own second event comes.
    """
    events = [
        subscription_event(
            f"subscription.{action}", event_id, BEGIN + at * SECOND, live=action != "cancel"
        )
        for (action, at), event_id in zip(told_at, ids_as_letters, strict=True)
    ]
    expected = sorted({reactivate_id(event) for event in reactivating(events)})
    lost = [
        [event.type for event in order]
        for order in permutations(events)
        if expected != sorted(ids(run(order), "subscription.reactivate"))
    ]

    assert [] == lost


@PROPERTY
@given(shuffled(("differ",)))
def test_a_pair_whose_updated_differ_is_one_fact_if_it_arrives_as_one(arrival: Arrival) -> None:
    """One cycle, told by both types with different `updated`: the exact rule, for any arrival.

    It is one fact, under the earlier's id, if the two arrive in order, no cancel arrives between
    them, and neither is stale when it arrives. If only the first was stale it may be one or two.
    Else it is told under both ids: the later, come first, had to be told, and what is stale stands
    for itself. So the sorted history's id is told in any order, and at most one more.
    """
    events = once_each(arrival.events)
    required, allowed = set(), set()
    for nth, event in enumerate(events):
        if event.type in REACTIVATIONS:
            first = first_of_pair(events[:nth], event)
            if first is None or stale(events[:nth], event):
                required.add(reactivate_id(event))
            elif stale(events[: events.index(first)], first):
                allowed.add(reactivate_id(event))
    actual = ids(run(arrival.events), "subscription.reactivate")

    assert len(set(actual)) == len(actual)
    assert required <= set(actual) <= required | allowed
    assert truth(arrival.history).reactivations <= required


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_of_any_mixture_of_reactivations_bounds_hold(arrival: Arrival) -> None:
    """In any order: nothing else is told as a reactivation, none twice, and not none of some."""
    possible = {reactivate_id(event) for event in reactivating(arrival.history)}
    actual = ids(run(arrival.events), "subscription.reactivate")

    assert possible.issuperset(actual)
    assert len(set(actual)) == len(actual)
    assert bool(possible) == bool(actual)


@PROPERTY
@given(orderly(ALL_STYLES))
def test_in_order_each_cycle_is_reactivated_once(arrival: Arrival) -> None:
    """Arriving in order, repeated or not, one reactivation a cycle is told, however it is told."""
    actual = ids(run(arrival.events), "subscription.reactivate")

    assert sorted(truth(arrival.history).reactivations) == sorted(actual)
