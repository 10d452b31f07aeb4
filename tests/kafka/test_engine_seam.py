"""The seam that chaos listens at, and what it once found there.

The engine says each step of a publication and of a restore; who listens may also make one fail.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from streams.cli.worker.rehearsal import STEPS
from streams.engine.job_handler import JobHandler
from streams.engine.lane import Lane, PollOptions
from streams.engine.transactional import Transactional
from tests.support.engine_job import Counting
from tests.support.engine_world import Driver, World, until

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLISHED = ["began", "produced", "flushed", "offsets", "committed"]
RESTORED = ["restoring", "restored"]


def counting(world: World, at: Callable[[str], None]) -> Driver:
    """Return the counting job on the world's topics, with somebody at the seam."""
    publication = Transactional(world.kafka, f"{world.prefix}-t", at=at)
    handler = JobHandler(world.kafka, Counting(world.out), world.log, publication)
    lane = Lane(
        name="count",
        topic=world.source,
        group=world.prefix,
        handler=handler,
        options=PollOptions(max_batch=5),
    )
    return Driver(world, lane)


def test_every_step_is_said(broker: str, prefix: str) -> None:
    """A restore, then transactions; of one that is fenced from outside, that it came to nothing.

    Who fences waits for the middle of the second transaction, so what follows is certain.
    """
    world = World(broker, prefix).create()
    name = f"{prefix}-t"
    said: list[str] = []

    def at(step: str) -> None:
        said.append(step)
        if step == "flushed" and said.count("flushed") == 2:
            fencing = Producer({"bootstrap.servers": broker, "transactional.id": name})
            fencing.init_transactions(10)

    driver = counting(world, at)

    async def scenario() -> None:
        async with driver:
            world.feed([(b"a", b"1")])
            await driver.until(lambda: said.count("committed") == 1, "the first is committed")
            world.feed([(b"a", b"2")])
            await driver.until(lambda: world.committed() == 2, "all is committed")

    asyncio.run(scenario())
    steps = [step for step, _ in groupby(said)]

    assert world.truth() == world.outputs()
    assert set() == set(said) - set(STEPS)
    assert [*RESTORED, *PUBLISHED] == steps[:7]
    assert [*PUBLISHED[:3], "aborted", *RESTORED, *PUBLISHED] == steps[7:]


def test_what_was_set_back_while_paused_goes_on(broker: str, prefix: str) -> None:
    """A publication fails when no slot was free for so long that the consumer is paused.

    A pause outlasts an assignment: of whoever was paused when it was set back, nothing was ever
    fetched again, and the worker said that it was ready.
    """
    world = World(broker, prefix).create()
    world.feed(world.counted(keys=1, each=100))
    failed = False

    def fail(step: str) -> None:
        nonlocal failed
        if step == "flushed" and not failed:
            until(lambda: driver.poller.statistics.pauses > 0, "the consumer is paused")
            failed = True
            raise RuntimeError

    driver = counting(world, fail)

    async def scenario() -> None:
        async with driver:
            await driver.until(lambda: world.committed() == 100, "all is committed")

    asyncio.run(scenario())

    assert failed
    assert world.truth() == world.outputs()
