"""Stories of the low lane: replays and repairs go where live work leaves room, in one order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from streams.delivery.known import Known, low_key
from streams.delivery.low_pace import LowPace
from streams.delivery.pending import Recalled
from streams.delivery.retry import Schedule
from streams.model.delivery import Outcome
from streams.model.rules import Limit
from tests.support.delivery import Stage, identity, tell, until
from tests.support.delivery_vendor import Answer, Gate, Seen, event

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent


def put(stage: Stage, *events: EnrichedEvent, partition: int = 0) -> None:
    """Append records to the low topic."""
    for each in events:
        stage.low.put(msgspec.json.encode(each), each.customer_id.encode(), partition)


def kept(stage: Stage) -> int:
    """How far the low lane of partition 0 is, by the changelog."""
    known = Known()
    for record in stage.of("profiles"):
        if record.key == low_key() and record.partition == 0:
            known.note(record.key, record.value["version"])
    return known.low[0]


def test_what_lies_in_the_low_topic_is_delivered() -> None:
    """Outcomes say where it lay; how far it is stands in the changelog, not in the group."""

    async def story(stage: Stage) -> None:
        put(stage, event(customer="a"), event(customer="b"))
        await until(lambda: kept(stage) == 2)

    stage = tell(story)

    assert {"a-1", "b-1"} == set(stage.server.events)
    assert {("low", 0), ("low", 1)} == {
        (each.value["topic"], each.value["offset"]) for each in stage.of("outcomes")
    }
    assert stage.offset == 0


def test_live_work_goes_first() -> None:
    """With one slot, nothing of the low lane starts while something live waits."""

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        await stage.feed(event(customer="first"))
        await until(lambda: len(stage.server.seen) == 1)
        put(stage, *(event(customer=f"low{n}") for n in range(2)))
        await until(lambda: stage.handler.statistics.low.waiting == 2)
        await stage.feed(*(event(customer=f"live{n}") for n in range(5)))
        gate.open.set()
        await stage.until_offset(6)
        await until(lambda: kept(stage) == 2)

    seen = tell(story, concurrency=1).server.events

    assert ["first-1", *(f"live{n}-1" for n in range(5))] == seen[:6]
    assert {f"low{n}-1" for n in range(2)} == set(seen[6:])


def test_it_takes_a_share_of_the_slots_at_most() -> None:
    """Half of them stay free for what comes next."""

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        put(stage, *(event(customer=f"low{n}") for n in range(8)))
        await until(lambda: stage.handler.statistics.low.waiting == 8)
        await until(lambda: len(stage.server.seen) == 2)
        await stage.feed(event(customer="live"))
        await until(lambda: "live-1" in stage.server.events)
        assert 2 == stage.handler.statistics.low_in_flight
        gate.open.set()
        await until(lambda: kept(stage) == 8)

    stage = tell(story, concurrency=4)

    assert 0 == stage.handler.statistics.low_in_flight


def test_one_customer_is_in_order_over_both_lanes() -> None:
    """What is live waits for what is under way in the low lane, and never beside it."""

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        put(stage, event(customer="a", number=1))
        await until(lambda: len(stage.server.seen) == 1)
        await stage.feed(event(customer="a", number=2))
        await stage.feed(event(customer="b", number=1))
        await until(lambda: "b-1" in stage.server.events)
        gate.open.set()
        await stage.until_offset(2)

    assert ["a-1", "b-1", "a-2"] == tell(story).server.events


def test_a_restart_goes_on_where_it_was() -> None:
    """From the position in the changelog, without what was concluded beyond it."""

    async def story(stage: Stage) -> None:
        put(stage, *(event(customer=f"c{n}") for n in range(4)))
        stage.lows[0] = 1, "outcomes=5"
        heard = Recalled(identity("c2-1"), "event", 7, Outcome.DELIVERED)
        stage.recalled_low[0] = {2: (heard,)}
        stage.own(0, epoch=2)
        await until(lambda: kept(stage) == 4)

    async def first_owner_leaves(stage: Stage) -> None:
        stage.handler.drop([0])
        await story(stage)

    stage = tell(first_owner_leaves)

    assert {"c1-1", "c3-1"} == set(stage.server.events)


def test_partitions_come_and_go() -> None:
    """Each is read under the epoch of its live twin; what is read of a lost one is forgotten."""

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        stage.own(1)
        put(stage, event(customer="a"))
        put(stage, event(customer="b"), partition=1)
        await until(lambda: len(stage.server.seen) == 2)
        stage.poller.epochs.pop(1)
        stage.handler.drop([1])
        gate.open.set()
        await until(lambda: kept(stage) == 1)
        assert {0} == {each.partition for each in stage.of("outcomes")}
        stage.own(1, epoch=2)
        await until(lambda: len(stage.of("outcomes")) == 2)

    stage = tell(story)

    assert ["b-1", "b-1"] == [each for each in stage.server.events if each == "b-1"]
    assert {0: 0, 1: 0} == stage.low.assigned[0] | stage.low.assigned[-1] | {0: 0}


def test_what_is_stuck_is_parked_with_its_lane() -> None:
    """It holds back neither lane, and goes on from the table."""

    async def story(stage: Stage) -> None:
        def answer(seen: Seen) -> Answer:
            return Answer(500 if seen.event == "slow-1" and not stage.well else 202)

        stage.server.answer = answer
        put(stage, event(customer="slow"), event(customer="other"))
        await until(lambda: kept(stage) == 2)
        assert stage.handler.statistics.low.parked == 1
        stage.well = True
        await until(lambda: stage.handler.statistics.low.parked == 0)

    stage = tell(story, schedule=Schedule(base=0.004, cap=0.004), park_after=1e-9)

    assert "slow-1" == stage.server.events[-1]


def test_room_that_parking_gives_is_used() -> None:
    """A whole window of somebody who is stuck holds nobody back, though nothing live happens."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda seen: Answer(500 if seen.event.startswith("slow") else 202)
        room = stage.handler._low._window.count
        slow = [event(customer="slow", number=n) for n in range(room + 1)]
        put(stage, *slow, event(customer="other"))
        await until(lambda: "other-1" in stage.server.events)
        await until(lambda: stage.handler.statistics.low.parked == room + 1)

    stage = tell(story, schedule=Schedule(base=0.004, cap=0.004), park_after=1e-9)

    assert 1 == stage.server.events.count("other-1")


@pytest.mark.parametrize(("share", "between"), [(0.5, 0.2), (1.0, 0.1)])
def test_its_pace_is_a_share_of_each_limit(share: float, between: float) -> None:
    """Of several windows the slowest counts; requests are spread."""
    now = [100.0]
    limits = [Limit("events", 100, 1.0), Limit("events", 10, 1.0), Limit("profiles", 1, 60.0)]
    pace = LowPace(limits, share=share, factor=1.0, concurrency=64, clock=lambda: now[0])

    assert 0.0 == pace.wait("events")
    pace.note("events")
    assert between == pytest.approx(pace.wait("events"))
    now[0] += between
    assert 0.0 == pytest.approx(pace.wait("events"))
    assert 0.0 == pace.wait("profiles")
    assert int(64 * share) == pace.slots


def test_a_closed_connection_reads_no_more() -> None:
    """Its task ends with it."""

    async def story(stage: Stage) -> None:
        await until(lambda: bool(stage.low.assigned))
        stage.handler.close()
        await asyncio.sleep(0)
        put(stage, event(customer="a"))
        await until(lambda: stage.low.closed)

    assert [] == tell(story).server.events
