"""Checkouts: who is told together, when, under which id; whatever the order and the times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.derive import DeriveOptions
from streams.model.events import Event, Order, Subscription
from streams.model.ids import digest, fact_id
from tests.support.customer_shop import BEGIN, CUSTOMER, MERCHANT, SECOND
from tests.support.timed import Appended, play

if TYPE_CHECKING:
    from collections.abc import Sequence

PROPERTY = settings(max_examples=200, derandomize=True, deadline=None)
DAY = 24 * 3_600 * SECOND
OPTIONS = DeriveOptions(history="complete")
TOLD = "subscriber.subscriptions_created"


def born(
    name: str,
    at: int = BEGIN,
    *,
    order: str | None = None,
    session: str | None = None,
    created: int | None = None,
    **more: object,
) -> Event:
    """A subscription's creation."""
    content = Subscription(
        name, live=True, updated=at, merchant_order_id=order, session_id=session, created=created
    )
    named = Event(f"create {name}", "subscription.create", at, MERCHANT, CUSTOMER, b"", content)
    return replace(named, guard=digest(name), **more)


def ended(name: str, at: int) -> Event:
    """A subscription's end."""
    content = Subscription(name, live=False, updated=at)
    id_ = f"cancel {name}"
    return Event(id_, "subscription.cancel", at, MERCHANT, CUSTOMER, digest(id_), content)


def checkout_id(key: str, *again: int) -> str:
    """The id of a checkout's event."""
    return fact_id(TOLD, MERCHANT, CUSTOMER, key, *again)


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["70441", "70442"]),  # order
        st.integers(0, 9),  # second in which it was created
        st.integers(0, 30),  # seconds until the record is appended
        st.booleans(),  # arrives twice
    ),
    min_size=1,
    max_size=8,
)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Appended]:
    """Checkouts of several subscriptions, in any order, at any times, some repeated."""
    drawn = draw(ORDERS)
    events = [
        born(f"s{nth}", BEGIN + second * SECOND, order=order)
        for nth, (order, second, *_) in enumerate(drawn)
    ]
    events += [event for event, (*_, twice) in zip(events, drawn, strict=True) if twice]
    gaps = [gap for _, _, gap, _ in drawn] * 2
    at, records = BEGIN + 9 * SECOND, []
    for event, gap in zip(draw(st.permutations(events)), gaps, strict=False):
        at += draw(st.sampled_from([0, gap])) * SECOND
        records.append(Appended(at, event))
    return records


def order_of(event: Event) -> str:
    """The order of a creation."""
    assert isinstance(event.subject, Subscription)
    return event.subject.merchant_order_id or ""


def in_bundles(records: Sequence[Appended]) -> list[tuple[int, str, tuple[str, ...]]]:
    """(closes, order, subscriptions) of each event: the oracle, by the words of the rule."""
    bundles: list[tuple[int, str, list[str]]] = []
    known = set()
    for at, event in records:
        assert isinstance(event.subject, Subscription)
        name = event.subject.public_id
        if name not in known:
            known.add(name)
            still_open = [b for b in bundles if b[1] == order_of(event) and at < b[0]]
            if still_open:
                still_open[0][2].append(name)
            else:
                bundles.append((at + OPTIONS.checkout_settle, order_of(event), [name]))
    return sorted((closes, order, tuple(names)) for closes, order, names in bundles)


@PROPERTY
@given(arrivals())
def test_each_subscription_is_told_once_with_its_checkout(records: list[Appended]) -> None:
    """Each is told exactly once, with those of its order that came within five seconds.

    The nth event of an order has the nth id, and all ids differ.
    """
    told = play(records, OPTIONS).of(TOLD)
    bundles = in_bundles(records)
    counts = dict.fromkeys(("70441", "70442"), 0)
    ids = []
    for _, order, _ in bundles:
        ids.append(checkout_id(order, *([counts[order]] if counts[order] else [])))
        counts[order] += 1

    assert [names for *_, names in bundles] == [fact.listed for fact in told]
    assert ids == [fact.event_id for fact in told]
    assert len(set(ids)) == len(ids)


@PROPERTY
@given(arrivals())
def test_when_time_is_noticed_makes_no_difference(records: list[Appended]) -> None:
    """A checkout is told alike at the millisecond it closes, with the next record, or restarted."""
    told = play(records, OPTIONS)

    assert told == play(records, OPTIONS, ticks=True)
    assert told == play(records, OPTIONS, restarts=True)


@PROPERTY
@given(arrivals())
def test_the_event_says_when_and_why(records: list[Appended]) -> None:
    """Its time is the least of its members' events; it names the member that opened it."""
    events = {event.event_id.removeprefix("create "): event for _, event in records}
    for fact in play(records, OPTIONS).of(TOLD):
        assert fact.listed is not None
        assert fact.because is not None
        members = [events[name] for name in fact.listed]
        text = f"checkout of {len(members)}: active {fact.because.active_before} → "

        assert min(event.created for event in members) == fact.occurred_at
        assert members[0].event_id == fact.because.event_id
        assert f"{text}{fact.because.active_after} by subscription.create" == fact.because.text
        assert not fact.late


def test_a_checkout_closes_before_the_record_of_that_moment() -> None:
    """Who comes at the very time at which it closes comes later; a millisecond before is in time.

    Nobody prolongs it.
    """
    opened = BEGIN
    closes = opened + OPTIONS.checkout_settle
    records = [
        Appended(opened, born("a", order="o")),
        Appended(closes - 1, born("b", order="o")),
        Appended(closes, born("c", order="o")),
    ]

    assert [("a", "b"), ("c",)] == [fact.listed for fact in play(records, OPTIONS).of(TOLD)]


KEYS = {
    "one order": ([born("a", order="o"), born("b", order="o")], 1),
    "two orders": ([born("a", order="o"), born("b", order="p")], 2),
    "one order, two sessions": (
        [born("a", order="o", session="s"), born("b", order="o", session="t")],
        1,
    ),
    "one session, one second": ([born("a", session="s"), born("b", session="s")], 1),
    "one session, two seconds": (
        [born("a", session="s", created=BEGIN), born("b", session="s", created=BEGIN + SECOND)],
        2,
    ),
    "two sessions, one second": ([born("a", session="s"), born("b", session="t")], 2),
    "neither, one second": ([born("a"), born("b")], 1),
    "neither, one second of creation": (
        [born("a", BEGIN, created=BEGIN - 9), born("b", BEGIN + SECOND, created=BEGIN - 9)],
        1,
    ),
    "neither, two seconds": ([born("a", BEGIN), born("b", BEGIN + SECOND)], 2),
}


@pytest.mark.parametrize(("events", "expected"), KEYS.values(), ids=KEYS)
def test_what_belongs_together(events: list[Event], expected: int) -> None:
    """By the order's number; without one by session and second of creation, else of the event."""
    told = play([Appended(BEGIN + SECOND, event) for event in events], OPTIONS).of(TOLD)

    assert expected == len(told)


LATE = {
    "in time": ([Appended(BEGIN, born("a"))], False),
    "cancelled before it closes": (
        [Appended(BEGIN, born("a")), Appended(BEGIN + SECOND, ended("a", BEGIN + SECOND))],
        True,
    ),
    "one of two cancelled": (
        [
            Appended(BEGIN, born("a", order="o")),
            Appended(BEGIN, born("b", order="o")),
            Appended(BEGIN + SECOND, ended("a", BEGIN + SECOND)),
        ],
        False,
    ),
    "its creation is old news": (
        [Appended(BEGIN, ended("a", BEGIN + SECOND)), Appended(BEGIN, born("a"))],
        True,
    ),
    "one of two creations is old news": (
        [
            Appended(BEGIN, ended("a", BEGIN + SECOND)),
            Appended(BEGIN, born("a", order="o")),
            Appended(BEGIN, born("b", order="o")),
        ],
        False,
    ),
    "another lives, none of it": (
        [
            Appended(BEGIN - DAY, born("c", BEGIN - DAY, order="p")),
            Appended(BEGIN, born("a", order="o")),
            Appended(BEGIN + SECOND, ended("a", BEGIN + SECOND)),
        ],
        True,
    ),
}


@pytest.mark.parametrize(("records", "late"), LATE.values(), ids=LATE)
def test_when_a_checkout_is_late(records: list[Appended], late: bool) -> None:
    """Late where all its creations are, or where nothing of it lives when it closes."""
    told = play(records, OPTIONS).of(TOLD)

    assert late == told[-1].late


MEMBERS = {
    "a checkout": (born("a"), OPTIONS, True),
    "an import": (born("a", source="XML IMPORT"), OPTIONS, False),
    "a state": (born("a", kind="state"), OPTIONS, False),
    "an announced import": (
        born("a", source="XML IMPORT"),
        replace(OPTIONS, announce=frozenset({"import"})),
        True,
    ),
    "an announced state": (
        born("a", kind="state"),
        replace(OPTIONS, announce=frozenset({"state"})),
        True,
    ),
    "native mode": (born("a"), replace(OPTIONS, mode="native"), False),
    "the source tells": (born("a"), replace(OPTIONS, native_subscriptions_created=True), False),
    "a change": (replace(born("a"), type="subscription.change_payment"), OPTIONS, False),
    "an old customer": (born("a"), DeriveOptions(history="live"), True),
}


@pytest.mark.parametrize(("event", "options", "is_told"), MEMBERS.values(), ids=MEMBERS)
def test_who_opens_a_checkout(event: Event, options: DeriveOptions, is_told: bool) -> None:
    """Only a subscription.create that may start flows, and only where we conclude checkouts."""
    assert is_told == bool(play([Appended(BEGIN, event)], options).of(TOLD))


def test_without_waiting_each_is_told_with_its_record() -> None:
    """`checkout_settle = 0`: one event a subscription, numbered within the order."""
    options = replace(OPTIONS, checkout_settle=0)
    records = [Appended(BEGIN + n * SECOND, born(f"s{n}", order="o")) for n in range(3)]
    told = play(records, options).of(TOLD)

    assert [("s0",), ("s1",), ("s2",)] == [fact.listed for fact in told]
    assert [checkout_id("o"), checkout_id("o", 1), checkout_id("o", 2)] == [
        fact.event_id for fact in told
    ]


@pytest.mark.parametrize(("days", "kept"), [(6, True), (8, False)], ids=["a week", "longer"])
def test_closed_checkouts_are_remembered_for_a_week(days: int, kept: bool) -> None:
    """Then they are forgotten, with the next checkout, so that rows stay small."""
    records = [Appended(BEGIN, born("a", order="o"))]
    at = BEGIN + days * DAY
    later = play([*records, Appended(at, born("b", at, order="p"))], OPTIONS).row

    assert ({"o", "p"} if kept else {"p"}) == set(later.checkouts)


def test_a_timer_alone_changes_nothing_else() -> None:
    """What a checkout leaves behind is only that it was told."""
    other = Event("o", "order.success", BEGIN + DAY, MERCHANT, CUSTOMER, digest("o"), Order("o"))
    records = [Appended(BEGIN, born("a")), Appended(BEGIN + DAY, other)]
    told = play(records, OPTIONS)
    silent = play(records, replace(OPTIONS, native_subscriptions_created=True))

    assert replace(told.row, checkouts={}) == silent.row
