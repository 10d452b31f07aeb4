"""What goes beside the topic's order, on a real broker: parked customers, and the low lane."""

from __future__ import annotations

import asyncio
from functools import partial
from signal import SIGKILL, SIGTERM, Signals
from typing import TYPE_CHECKING

from streams.simulators.faults import Fault
from tests.support.delivery_world import DeliveryWorld, identity, in_order, shop_event, until

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

STUCK = shop_event("slow", 1)
PATIENT = Fault(kind="status", status=503, retry_after=600, match={"unique_id": identity(STUCK)})
"""Asks for longer than a customer may hold others back."""


def day(name: str, customers: int, each: int) -> list[EnrichedEvent]:
    """Some events of customers, mixed."""
    return [shop_event(f"{name}{c}", n) for n in range(each) for c in range(customers)]


async def end(worker: asyncio.subprocess.Process, how: Signals = SIGTERM) -> int:
    """End a worker; its exit code."""
    worker.send_signal(how)
    return await worker.wait()


def test_a_parked_customer_goes_on_after_a_crash(broker: str, prefix: str) -> None:
    """The offset has passed them; a successor finds them in the table, in order, and only them."""
    world = DeliveryWorld(broker, prefix, (PATIENT,))
    slow = [STUCK, shop_event("slow", 2)]
    others = day("c", 10, 3)

    async def story() -> None:
        async with world:
            world.feed(*slow, *others, shop_event("slow", 3))
            first = await world.start()
            await until(partial(world.has_accepted, len(others)))
            await world.until_passed()
            assert set(map(identity, others)) == set(world.accepted)
            await end(first, SIGKILL)
            world.simulator.set_faults(())
            sent = len(world.sent)
            second = await world.start()
            await world.until_concluded()
            after.extend(world.sent[sent:])
            assert await end(second) == 0
            third = await world.start()  # nothing is left in the table
            world.feed(shop_event("slow", 4))
            await world.until_concluded()
            last.extend(world.sent[sent + len(after) :])
            assert await end(third) == 0

    after: list[str] = []
    last: list[str] = []
    asyncio.run(story())

    assert [identity(shop_event("slow", n)) for n in (1, 2, 3)] == after
    assert [identity(shop_event("slow", 4))] == last


def test_the_low_lane_survives_a_crash(broker: str, prefix: str) -> None:
    """Killed in its midst: all arrives, in order, and only what was in flight comes again."""
    world = DeliveryWorld(broker, prefix)
    old, new = day("old", 20, 10), day("new", 20, 3)

    async def story() -> None:
        async with world:
            world.feed(*old, low=True)
            world.feed(*new)
            first = await world.start()
            await until(partial(world.has_accepted, 130))
            await end(first, SIGKILL)
            concluded = set(await world.concluded())
            in_flight.update(set(world.accepted) - concluded)
            second = await world.start()
            await world.until_concluded()
            assert await end(second) == 0
            sent = len(world.sent)
            third = await world.start()  # nothing of either lane is left
            world.feed(shop_event("late", 1))
            await world.until_concluded()
            again.extend(world.sent[sent:])
            assert await end(third) == 0

    in_flight: set[str] = set()
    again: list[str] = []
    asyncio.run(story())
    repeated = {each for each in world.accepted if world.accepted.count(each) > 1}

    assert {identity(each) for each in (*old, *new)} < set(world.accepted)
    assert in_order([*old, *new], world.accepted)
    assert repeated <= in_flight
    assert [identity(shop_event("late", 1))] == again


def test_a_worker_hands_the_low_lane_over(broker: str, prefix: str) -> None:
    """Partitions move with their low twins, while they are read; all arrives, in order.

    Of four slots the low lane has two: no more can be in flight, and come again.
    """
    world = DeliveryWorld(broker, prefix, CONNECTIONS__KLAVIYO__CONCURRENCY="4")
    old = day("old", 60, 5)

    async def story() -> None:
        async with world:
            world.simulator.set_faults((Fault(kind="latency", seconds=0.1),))
            world.feed(*old, low=True)
            first = await world.start()
            await until(partial(world.has_accepted, 20))
            second = await world.start()
            codes.append(await end(first))
            world.simulator.set_faults(())
            await world.until_concluded()
            codes.append(await end(second))

    codes: list[int] = []
    asyncio.run(story())

    assert [0, 0] == codes
    assert set(map(identity, old)) == set(world.accepted)
    assert len(old) <= len(world.accepted) <= len(old) + 2
    assert in_order(old, world.accepted)
