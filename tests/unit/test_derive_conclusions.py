"""What holds of every single derivation, whatever arrived before it and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings

from streams.derive import derive
from streams.model.events import Event, Subscription
from streams.model.ids import fact_id
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Subscriber, standing
from tests.support.applied import OPTIONS, run
from tests.support.customer_shop import ALL_STYLES, CUSTOMER, MERCHANT
from tests.support.histories import Arrival, orderly, shuffled
from tests.support.oracle import REACTIVATIONS, newest_told, once_each, order_key

if TYPE_CHECKING:
    from collections.abc import Sequence

PROPERTY = settings(max_examples=300, derandomize=True, deadline=None)
PLACES = ("subscriber.create", "subscriber.cancel", "profile.changed")


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_nobody_with_a_live_subscription_is_mourned(arrival: Arrival) -> None:
    """In any order, subscriber.cancel is told only when the count has changed to 0.

    It names the newest end that is known by then, never the same one twice running.
    """
    last = None
    for one in run(arrival.events):
        for fact in one.told("subscriber.cancel"):
            newest = max(one.after.subscriptions.values(), key=lambda held: held.key).content
            end = (newest.public_id, newest.updated)
            named = fact_id("subscriber.cancel", MERCHANT, CUSTOMER, *end)

            assert 0 == one.after.active
            assert one.before is None or one.before.active or not one.before.total
            assert (named, newest.updated) == (fact.event_id, fact.occurred_at)
            assert last != fact.event_id
            last = fact.event_id


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_a_create_is_late_if_nobody_lives_by_then(arrival: Arrival) -> None:
    """subscriber.create comes with the first subscription, at its time; late if that is dead."""
    for one in run(arrival.events):
        for fact in one.told("subscriber.create"):
            assert one.before is None or not one.before.total
            assert one.event.created == fact.occurred_at
            assert (one.after.active == 0) == fact.late


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_every_conclusion_says_why(arrival: Arrival) -> None:
    """A derived event names the event that revealed it and the counts of the row around it.

    A customer's first subscription, first seen dead, counts as live in between.
    """
    for one in run(arrival.events):
        before = one.before.active if one.before else 0
        after = one.after.active
        counts = {"subscriber.create": (0, after or 1), "subscriber.cancel": (before or 1, 0)}
        for fact in one.derivation.facts:
            if (fact.type, fact.event_id) == (one.event.type, one.event.event_id):
                assert fact.because is None
                continue
            expected = (one.event.event_id, *counts.get(fact.type, (before, after)))

            assert fact.because is not None
            assert fact.because.text
            assert expected == (
                fact.because.event_id,
                fact.because.active_before,
                fact.because.active_after,
            )


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_every_event_goes_out_in_its_place(arrival: Arrival) -> None:
    """The source's own event comes first, stale or not; or the reactivation in its place.

    Then subscriber.create, subscriber.cancel, profile.changed, each at most once.
    """
    for one in run(arrival.events):
        if one.derivation.duplicate:
            continue
        facts = one.derivation.facts
        if one.event.type in REACTIVATIONS:
            own = [fact.type for fact in facts[:1] if fact.type == "subscription.reactivate"]
        else:
            own = [one.event.type]
            assert (one.event.event_id, one.event.created) == (
                facts[0].event_id,
                facts[0].occurred_at,
            )
        rest = [fact.type for fact in facts[len(own) :]]

        assert own == [fact.type for fact in facts[: len(own)]]
        assert [place for place in PLACES if place in rest] == rest


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_the_sources_own_subscriber_events_are_withheld(arrival: Arrival) -> None:
    """What the source says of subscribers only tells who they are; nothing else is withheld."""
    for one in run(arrival.events):
        for fact in one.derivation.facts:
            own = fact.event_id == one.event.event_id and fact.type.startswith("subscriber.")

            assert ("derived_mode" if own else None) == fact.withheld


@PROPERTY
@given(shuffled(ALL_STYLES) | orderly(ALL_STYLES))
def test_a_stale_event_is_late_if_it_would_mislead(arrival: Arrival) -> None:
    """A subscription's event is late only if something newer of it came before.

    And then if that has another `live`, or if the event's record is more than an hour younger.
    """
    events = once_each(arrival.events)
    for nth, one in enumerate(run(events)):
        if isinstance(one.event.subject, Subscription):
            own = {one.event.type, "subscription.reactivate"}
            expected = misleading(events[:nth], one.event, one.now)

            assert {expected}.issuperset(f.late for f in one.derivation.facts if f.type in own)


def misleading(earlier: Sequence[Event], event: Event, now: int) -> bool:
    """Whether a subscription's event, after these, is old news that might start a flow."""
    assert isinstance(event.subject, Subscription)
    newest = newest_told(earlier).get(event.subject.public_id)
    if newest is None or newest.key < order_key(event):
        return False
    return newest.content.live != event.subject.live or now - event.created > OPTIONS.late_after


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_profile_changed_is_told_when_it_has(arrival: Arrival) -> None:
    """It is told exactly when status, counts, e-mail, phone or a name are others than before."""
    for one in run(arrival.events):
        changed = standing(one.before or Subscriber()) != standing(one.after)
        version = one.before.version if one.before else 0

        assert int(changed) == len(one.told("profile.changed"))
        assert version + int(changed) == one.after.version


@PROPERTY
@given(shuffled(ALL_STYLES))
def test_the_given_row_is_left_alone(arrival: Arrival) -> None:
    """`derive` makes a new row and never touches the one that it got."""
    for one in run(arrival.events):
        if one.before is not None:
            before = encode_row(one.before)
            derive(one.before, one.event, one.now, OPTIONS)

            assert before == encode_row(one.before)
