"""Rebalances without a stop: who keeps a partition goes on with it, whatever the others do.

With both protocols: `classic` (cooperative-sticky) and `consumer` (KIP-848).
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from typing_extensions import override

from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.lane import Lane, PollOptions
from streams.engine.publication import do_nothing
from streams.engine.transactional import Transactional
from tests.support.engine_job import Counting
from tests.support.engine_world import PATIENCE, Driver, Worker, World, assert_exact, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from streams.engine.batch import Position


LONG = pytest.mark.long


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(broker, prefix).create()


class Held(JobHandler):
    """The counting job, whose tables are loaded only while it is let."""

    def __init__(self, world: World, instance: str, at: Callable[[str], None] = do_nothing) -> None:
        publication = Transactional(world.kafka, f"{world.prefix}-{instance}", at=at)
        super().__init__(world.kafka, Counting(world.out), world.log, publication)
        self.may_load = threading.Event()
        self.may_load.set()

    @override
    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Any]:
        assert self.may_load.wait(PATIENCE)
        return super().load(positions, alive)


def driver(world: World, handler: Held) -> Driver:
    """Return a member of the group with this handler."""
    options = PollOptions(max_batch=50, slots=2)
    lane = Lane(
        name="count", topic=world.source, group=world.prefix, handler=handler, options=options
    )
    return Driver(world, lane)


def reached(world: World, partitions: Iterable[int]) -> bool:
    """Whether all that was fed into these partitions is committed."""
    fed = [world.partition(key) for key, _ in world.fed]
    offsets = world.offsets()
    return all(offsets[partition] >= fed.count(partition) for partition in partitions)


async def goes_on(world: World, owner: Driver, loading: Driver) -> None:
    """Feed everything: what its owner kept is committed, what is being loaded stands."""
    standing = {p: n for p, n in world.offsets().items() if p in loading.poller.loading}
    staying = owner.poller.owned - loading.poller.loading
    assert staying
    assert standing

    world.feed(world.counted(keys=40, each=5))
    await owner.until(lambda: reached(world, staying), "the others go on")

    assert standing.keys() == loading.poller.loading
    assert standing == {partition: world.offsets()[partition] for partition in standing}


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_partitions_that_stay_go_on(world: World, protocol: str) -> None:
    """While a newcomer still loads what it got, and again while its share comes back."""
    world.kafka = KafkaSettings(
        bootstrap=world.bootstrap,
        protocol=protocol,  # type: ignore[arg-type]
        heartbeat_interval_ms=300,
    )

    async def scenario() -> tuple[Driver, Driver, frozenset[int]]:
        old, new = Held(world, "old"), Held(world, "new")
        async with driver(world, old) as first:
            world.feed(world.counted(keys=40, each=5))
            await first.until(lambda: reached(world, range(4)), "all is committed")
            new.may_load.clear()
            second = driver(world, new)
            async with second:
                await second.until(lambda: len(second.poller.loading) == 2, "it gets its share")
                stayed = first.poller.owned
                await goes_on(world, first, second)
                new.may_load.set()
                await second.until(lambda: reached(world, range(4)), "all is committed")
                old.may_load.clear()
            await first.until(lambda: len(first.poller.loading) == 2, "the share comes back")
            await goes_on(world, first, first)
            old.may_load.set()
            await first.until(lambda: reached(world, range(4)), "all is committed")
            return first, second, stayed

    first, second, stayed = asyncio.run(scenario())
    moved = sorted(set(range(4)) - stayed)

    assert [0, 1, 2, 3, *moved] == [*sorted(first.gained[:4]), *sorted(first.gained[4:])]
    assert moved == sorted(first.lost[:2])
    assert moved == sorted(second.gained)
    assert_exact(world)


def test_a_partition_set_back_while_the_consumer_is_paused_goes_on(world: World) -> None:
    """The pause of a consumer whose batches are stuck does not outlast the reset."""
    paused = threading.Event()

    def stick(step: str) -> None:
        if step == "flushed" and not paused.is_set():
            assert paused.wait(PATIENCE)
            raise RuntimeError

    async def scenario() -> int:
        async with driver(world, Held(world, "w", stick)) as member:
            world.feed(world.counted(keys=20, each=50))
            await member.until(lambda: member.poller.statistics.pauses > 0, "it is paused")
            paused.set()
            await member.until(lambda: reached(world, range(4)), "all is committed")
            return member.poller.statistics.resets

    assert asyncio.run(scenario()) > 0
    assert_exact(world)


def be_patient(world: World) -> None:
    """Have the broker wait for a static member's restart as long as it can take (KIP-848)."""
    entry = ConfigEntry(
        "consumer.session.timeout.ms", "45000", incremental_operation=AlterConfigOpType.SET
    )
    group = ConfigResource(ConfigResource.Type.GROUP, world.prefix, incremental_configs=[entry])
    admin = AdminClient(world.kafka.client())  # kept, or it ends with the question unanswered
    for future in admin.incremental_alter_configs([group]).values():
        future.result()


@pytest.mark.parametrize("protocol", ["classic", pytest.param("consumer", marks=LONG)])
def test_static_workers_restart_one_after_the_other(
    world: World, tmp_path: Path, protocol: str
) -> None:
    """Each gets its own partitions back, and the others notice nothing; the outputs are exact."""
    options = ("--protocol", protocol, "--static", "--session-timeout", "45000")
    be_patient(world)
    names = ["a", "b", "c"]
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(world, name, *options, log=tmp_path)) for name in names
        }
        until(lambda: shares(workers) == [1, 1, 2], "each has its share")
        world.feed(world.counted(keys=40, each=20))
        world.until_all_committed()
        for name in names:
            own = workers[name].owned
            before = {other: workers[other].changes for other in names if other != name}
            began = len(workers[name].changes)
            workers[name].send(signal.SIGTERM)
            world.feed(world.counted(keys=40, each=20))
            assert 0 == workers[name].ended()
            workers[name] = stack.enter_context(Worker(world, name, *options, log=tmp_path))
            until(lambda: len(workers[name].changes) == began + 2, "it gave up, and gained")  # noqa: B023
            world.until_all_committed()

            assert own == workers[name].owned
            assert before == {other: workers[other].changes for other in before}

    assert_exact(world)


def shares(workers: Mapping[str, Worker]) -> list[int]:
    """Return how many partitions each worker has, sorted; none while two claim the same one."""
    all_owned = [worker.owned for worker in workers.values()]
    once = sum(len(own) for own in all_owned) == len(set().union(*all_owned)) == 4
    return sorted(len(own) for own in all_owned) if once else []


@pytest.mark.parametrize(
    ("protocol", "ends"), [("classic", "older"), pytest.param("consumer", "newer", marks=LONG)]
)
def test_two_processes_with_one_instance_id(
    world: World, tmp_path: Path, protocol: str, ends: str
) -> None:
    """One of them ends and names the setting, whichever Kafka refuses; its work leaves no trace."""
    options = ("--protocol", protocol, "--static", "--max-batch", "50")
    (tmp_path / "newer").mkdir()
    with Worker(world, "w", *options, log=tmp_path) as older:
        world.feed(world.counted(keys=20, each=10))
        world.until_all_committed()
        with Worker(world, "w", *options, log=tmp_path / "newer") as newer:
            refused, stays = (older, newer) if ends == "older" else (newer, older)
            code = refused.ended()
            world.feed(world.counted(keys=20, each=10))
            world.until_all_committed()
            stays.send(signal.SIGTERM)
            last = stays.ended()

    assert (70, 0) == (code, last)
    assert "kafka.instance_id: another live process" in refused.log
    assert_exact(world)
