"""Compaction: of subscriptions that died long ago id and time are kept, and nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings

from streams.derive import DeriveOptions, compaction
from streams.model.events import Event, Subscription
from streams.model.ids import digest, fact_id
from tests.support.applied import state
from tests.support.customer_shop import ALL_STYLES, BEGIN, CUSTOMER, MERCHANT, SECOND
from tests.support.histories import Arrival, shuffled
from tests.support.timed import Appended, Play, as_of, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.model.subscriber import Subscriber

PROPERTY = settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it is the same for all examples
)
DAY = 24 * 3_600 * SECOND
OPTIONS = DeriveOptions(history="complete", native_subscriptions_created=True)
MANY = 70


@pytest.fixture
def _keeps_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep one dead subscription whole."""
    monkeypatch.setattr(compaction, "KEPT", 1)


def played_by_who_keeps_all(records: list[Appended]) -> Play:
    """The same with nothing shrunk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "KEPT", 1_000)
        return play(records, OPTIONS)


def counts(row: Subscriber) -> tuple[object, ...]:
    """What a row says that must never be lost."""
    live = {id_: held.content.live for id_, held in row.subscriptions.items()}
    return (row.active, row.total, row.status, row.ever_subscribed, row.version, live, row.spell)


@pytest.mark.usefixtures("_keeps_one")
@PROPERTY
@given(shuffled(ALL_STYLES))
def test_nobody_can_tell(arrival: Arrival) -> None:
    """Any history in any order: the same facts, and a row that says the same of all but content."""
    records = as_of(arrival.events)
    assume(records)
    shrunk, whole = play(records, OPTIONS), played_by_who_keeps_all(records)

    assert whole.facts == shrunk.facts
    assert counts(whole.row) == counts(shrunk.row)


@pytest.mark.usefixtures("_keeps_one")
@PROPERTY
@given(shuffled(ALL_STYLES))
def test_old_news_of_a_shrunk_subscription_stays_old(arrival: Arrival) -> None:
    """A month later, when its ids are forgotten, all of it again: no state, nothing concluded."""
    assume(arrival.events)
    row = play(as_of(arrival.events), OPTIONS).row
    later = max(event.created for event in arrival.events) + 30 * DAY
    again = play([Appended(later, event) for event in arrival.events], OPTIONS, row=row)
    concluded = ("subscriber.create", "subscriber.cancel")

    assert counts(row) == counts(again.row)
    assert [] == [fact for each in concluded for fact in again.of(each)]


def told(action: str, name: str, at: int, *, live: bool) -> Appended:
    """An event of one subscription, with all that may be shrunk."""
    content = Subscription(
        name, live=live, updated=at, product="44120991", quantity=2, cancel_reason="too much of it"
    )
    id_ = f"{action} {name}"
    event = Event(id_, f"subscription.{action}", at, MERCHANT, CUSTOMER, digest(id_), content)
    return Appended(at, event)


def long_life(number: int = MANY) -> Iterator[Appended]:
    """One after another: a subscription, and its end."""
    for nth in range(number):
        at = BEGIN + nth * DAY
        yield told("create", f"{nth:04}", at, live=True)
        yield told("cancel", f"{nth:04}", at + SECOND, live=False)


def test_the_oldest_shrink_and_the_newest_do_not() -> None:
    """Beyond fifty dead ones the oldest keep id and time alone; live ones are never touched."""
    first = told("create", "live", BEGIN - DAY, live=True)
    row = play([first, *long_life()], OPTIONS).row
    whole = {id_ for id_, held in row.subscriptions.items() if held.content.quantity is not None}
    dead = [f"{nth:04}" for nth in range(MANY)]

    assert {"live", *dead[-50:]} == whole
    assert (1, MANY + 1) == (row.active, row.total)
    assert [
        Subscription(id_, live=False, updated=BEGIN + nth * DAY + SECOND)
        for nth, id_ in enumerate(dead[:-50])
    ] == [row.subscriptions[id_].content for id_ in dead[:-50]]


def test_each_end_is_told_under_its_own_id() -> None:
    """However many subscriptions a customer had: one create, and each cancel is its own fact."""
    records = list(long_life())
    found = play(records, OPTIONS, restarts=True)
    ends = [
        fact_id("subscriber.cancel", MERCHANT, CUSTOMER, f"{nth:04}", BEGIN + nth * DAY + SECOND)
        for nth in range(MANY)
    ]

    assert ends == [fact.event_id for fact in found.of("subscriber.cancel")]
    assert 1 == len(found.of("subscriber.create"))


def test_a_shrunk_subscription_can_live_again() -> None:
    """It is reactivated as any, whole again, and its next end is told."""
    row = play(list(long_life()), OPTIONS).row
    at = BEGIN + 200 * DAY
    back = play([told("reactivate", "0003", at, live=True)], OPTIONS, row=row)
    gone = play([told("cancel", "0003", at + SECOND, live=False)], OPTIONS, row=back.row)

    assert ["subscription.reactivate"] == [
        fact.type for fact in back.facts if fact.type != "profile.changed"
    ]
    assert 2 == back.row.subscriptions["0003"].content.quantity
    assert (MANY, 1) == (back.row.total, back.row.active)
    assert [fact_id("subscriber.cancel", MERCHANT, CUSTOMER, "0003", at + SECOND)] == [
        fact.event_id for fact in gone.of("subscriber.cancel")
    ]


def test_what_many_ends_of_one_second_leave_behind() -> None:
    """Sixty end in one second: the newest by event id names the fact, also when it settles later.

    Those that are shrunk meanwhile are the older ones, and stay so.
    """
    options = DeriveOptions(
        history="complete", native_subscriptions_created=True, cancel_settle=600 * SECOND
    )
    names = [f"{nth:04}" for nth in range(60)]
    born = [told("create", name, BEGIN, live=True) for name in names]
    ends = [told("cancel", name, BEGIN + DAY, live=False) for name in names]
    [cancel] = play([*born, *ends], options).of("subscriber.cancel")

    assert fact_id("subscriber.cancel", MERCHANT, CUSTOMER, "0059", BEGIN + DAY) == cancel.event_id


@pytest.mark.usefixtures("_keeps_one")
def test_a_reactivation_is_told_once_whatever_shrinks_meanwhile() -> None:
    """The second event of a pair comes when its subscription has died again and is shrunk.

    The pair's one fact was told with the first.
    """
    at = BEGIN + DAY
    pair = [told(action, "a", at, live=True) for action in ("change_live", "reactivate")]
    ends = [told("cancel", name, at + DAY, live=False) for name in "ab"]
    records = [told("create", name, BEGIN, live=True) for name in "ab"]
    records += [pair[0], *ends, pair[1]._replace(at=at + DAY)]

    assert [fact_id("subscription.reactivate", MERCHANT, CUSTOMER, "a", at)] == [
        fact.event_id for fact in play(records, OPTIONS).of("subscription.reactivate")
    ]


def test_state_is_kept_whole_below_fifty() -> None:
    """Fifty dead subscriptions are fifty whole ones."""
    row = play(list(long_life(50)), OPTIONS).row

    assert {2} == {held.quantity for held in state(row).subscriptions.values()}
