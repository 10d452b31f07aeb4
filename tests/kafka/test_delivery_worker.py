"""The deliver role as it runs: real command line, child processes, broker, sockets, faults."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from signal import SIGKILL, SIGTERM
from typing import TYPE_CHECKING

import pytest

from streams.demo.broker import free_ports
from streams.simulators.faults import Fault
from tests.support.delivery_world import (
    DeliveryWorld,
    identity,
    in_order,
    shop_event,
    until,
    until_paused,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from streams.model.enriched import EnrichedEvent

CUSTOMERS, EACH = 30, 8
REFUSED = shop_event("c7", 3)

FAULTS = {
    "nothing": (),
    "throttled": (Fault(kind="status", status=429, retry_after=1, after=20, count=3),),
    "throttled without a word": (Fault(kind="status", status=429, after=20, count=20),),
    "its own trouble": (Fault(kind="status", status=500, probability=0.1, count=30),),
    "reset after it was taken": (Fault(kind="accept_then_reset", probability=0.1, count=20),),
    "reset before": (Fault(kind="reset", probability=0.1, count=20),),
    "refused for good": (Fault(kind="status", status=400, match={"unique_id": identity(REFUSED)}),),
}


def day() -> list[EnrichedEvent]:
    """Some events of many customers, mixed."""
    return [shop_event(f"c{c}", n) for n in range(EACH) for c in range(CUSTOMERS)]


def tell(world: DeliveryWorld, story: Callable[[DeliveryWorld], Awaitable[None]]) -> None:
    """Let a story happen in a world."""

    async def play() -> None:
        async with world:
            await story(world)

    asyncio.run(play())


@pytest.mark.parametrize("fault", FAULTS)
def test_everything_arrives_in_order_whatever_happens(broker: str, prefix: str, fault: str) -> None:
    """Each delivery is concluded once, in its customer's order; only what failed is repeated."""

    async def story(world: DeliveryWorld) -> None:
        world.feed(*day())
        worker = await world.start()
        await world.until_concluded()
        worker.send_signal(SIGTERM)
        codes.append(await worker.wait())
        outcomes = [each for each in await world.outcomes() if each["final"]]
        outcome_of.update({each["delivery_id"]: each["outcome"] for each in outcomes})
        letters.extend([each["id"] for each in await world.dead_letters()])

        assert len(outcomes) == len(day())

    codes: list[int] = []
    letters: list[str] = []
    outcome_of: dict[str, str] = {}
    world = DeliveryWorld(broker, prefix, FAULTS[fault])
    tell(world, story)
    refused = {identity(REFUSED)} if fault == "refused for good" else set()
    failed = sum(each.status != 202 for each in world.simulator.received)

    assert [0] == codes
    assert {identity(each) for each in day()} - refused == set(world.accepted)
    assert dict.fromkeys(world.accepted, "delivered") == {
        each: outcome for each, outcome in outcome_of.items() if each not in refused
    }
    assert [f"{each}:event" for each in refused] == letters
    assert in_order(day(), world.accepted)
    assert len(day()) + failed - len(refused) == len(world.sent)


def test_a_killed_worker_repeats_only_what_was_in_flight(broker: str, prefix: str) -> None:
    """SIGKILL with requests in flight, thrice: all arrive, in order; those alone come again.

    The vendor fails one request in ten meanwhile, so that some customers wait for a retry.
    """

    async def story(world: DeliveryWorld) -> None:
        world.feed(*day())
        for _round in range(3):
            arrived = len(set(world.accepted))
            worker = await world.start()
            await until(partial(world.has_accepted, arrived + 60))
            worker.send_signal(SIGKILL)
            await worker.wait()
            concluded = set(await world.concluded())
            in_flights.append(set(world.accepted) - concluded)
        await world.start()
        await world.until_concluded()

    in_flights: list[set[str]] = []
    trouble = Fault(kind="status", status=500, probability=0.1)
    world = DeliveryWorld(broker, prefix, [Fault(kind="latency", seconds=0.1), trouble])
    tell(world, story)
    repeats = {each for each, count in Counter(world.accepted).items() if count > 1}
    bodies: dict[str, set[str]] = {each: set() for each in world.sent}
    for received, each in zip(world.simulator.received, world.sent, strict=True):
        bodies[each].add(str(received.body))

    assert all(in_flights), "nothing was in flight when the worker was killed"
    assert {identity(each) for each in day()} == set(world.accepted)
    assert set.union(*in_flights) == repeats
    assert in_order(day(), world.accepted)
    assert {1} == set(map(len, bodies.values()))


def test_workers_come_and_go(broker: str, prefix: str) -> None:
    """A second worker joins, the first one stops: nothing is lost, repeated or out of order."""

    async def story(world: DeliveryWorld) -> None:
        world.feed(*day())
        first = await world.start()
        await until(lambda: len(world.sent) > 20)
        second = await world.start()
        await until(lambda: len(world.sent) > 120)
        first.send_signal(SIGTERM)
        codes.append(await first.wait())
        await world.until_concluded()
        second.send_signal(SIGTERM)
        codes.append(await second.wait())

    codes: list[int] = []
    world = DeliveryWorld(broker, prefix, [Fault(kind="latency", seconds=0.2)])
    tell(world, story)

    assert [0, 0] == codes
    assert sorted(identity(each) for each in day()) == sorted(world.sent)
    assert in_order(day(), world.sent)


def test_refused_credentials_pause_until_a_restart(broker: str, prefix: str) -> None:
    """After a 401 nothing is lost or given up; with good credentials everything arrives."""

    async def story(world: DeliveryWorld) -> None:
        world.feed(*day())
        (port,) = free_ports(1)
        worker = await world.start("--port", str(port))
        await until(lambda: any(each.status == 401 for each in world.simulator.received))
        await until_paused(port)
        before = len(world.sent)
        worker.send_signal(SIGTERM)
        codes.append(await worker.wait())
        stopped.append(len(world.sent) - before)
        lags.append(await world.lag())
        world.simulator.set_faults(())
        await world.start()
        await world.until_concluded()
        letters.extend(await world.dead_letters())

    codes: list[int] = []
    stopped: list[int] = []
    lags: list[int] = []
    letters: list[object] = []
    world = DeliveryWorld(broker, prefix, [Fault(kind="status", status=401, after=40)])
    tell(world, story)

    assert ([0], [0], []) == (codes, stopped, letters)
    assert len(day()) - 40 <= lags[0]
    assert {identity(each) for each in day()} == set(world.accepted)
    assert in_order(day(), world.accepted)


def test_a_broken_record_stops_nothing(broker: str, prefix: str) -> None:
    """It becomes a dead letter in Kafka, and the offset passes it."""

    async def story(world: DeliveryWorld) -> None:
        world.feed(shop_event("c1", 1), b"\x00\x00\x00\x00\x02broken", b"\x00\x00\x00\x03\xe7")
        world.feed(shop_event("c1", 2))
        await world.start()
        await world.until_concluded()
        reasons.update(each["reason"] for each in await world.dead_letters())

    reasons: Counter[str] = Counter()
    world = DeliveryWorld(broker, prefix)
    tell(world, story)

    assert Counter({"malformed": 1, "unknown_schema": 1}) == reasons
    assert 2 == len(world.accepted)
