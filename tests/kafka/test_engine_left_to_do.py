"""What a lane says of the work before it, on a real broker: also while it consumes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from streams.engine.at_least_once import AtLeastOnce
from streams.engine.job_handler import JobHandler
from streams.engine.lane import Lane, PollOptions
from streams.metrics import engine_metrics
from tests.support.engine_job import Counting
from tests.support.engine_world import Driver, World

if TYPE_CHECKING:
    from streams.engine.batch import Batch
    from streams.engine.poller import Poller

PAST = 1_000_000_000_000
"""A record time long ago, milliseconds."""


class Held(JobHandler):
    """Takes no batch before it is let go, as a connection that is paused."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.let_go = asyncio.Event()

    @override
    async def feed(self, batch: Batch) -> None:
        """Wait, then go on as usual."""
        await self.let_go.wait()
        await super().feed(batch)


def told(poller: Poller, name: str) -> dict[int, float]:
    """A gauge of the lane's partitions, as Prometheus is told."""
    families = {each.name: each for each in engine_metrics(lambda: {"count": poller})}
    samples = families[f"streams_{name}"].samples
    return {int(each.labels["partition"]): each.value for each in samples}


def test_lag_and_age_go_on_while_nothing_is_consumed(broker: str, prefix: str) -> None:
    """All slots are taken and nothing is fetched: what comes meanwhile is counted none the less."""
    world = World(broker, prefix).create()

    async def scenario() -> tuple[float, float, float]:
        handler = Held(world.kafka, Counting(world.out), world.log, AtLeastOnce(world.kafka))
        options = PollOptions(max_batch=5, slots=1)
        lane = Lane(
            name="count", topic=world.source, group=prefix, handler=handler, options=options
        )
        async with Driver(world, lane) as driver:

            def lag() -> float:
                return sum(told(driver.poller, "lag").values())

            world.feed(world.counted(keys=8, each=5), timestamp=PAST)
            await driver.until(lambda: driver.poller.statistics.pauses, "nothing is fetched")
            await driver.until(lambda: lag() == 40, "what was there is counted")
            world.feed(world.counted(keys=8, each=2))
            await driver.until(lambda: lag() == 56, "what came since is counted")
            oldest = max(told(driver.poller, "oldest_age_seconds").values())
            handler.let_go.set()
            await driver.until(lambda: lag() == 0, "all is processed")
            after = max(told(driver.poller, "oldest_age_seconds").values())
            return oldest, after, sum(driver.poller.waited.counts)

    oldest, after, measured = asyncio.run(scenario())

    assert oldest > 10 * 365 * 86_400
    assert after == 0
    assert measured >= 4
