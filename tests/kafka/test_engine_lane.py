"""One lane on a real broker, without Faust: resets, poison, timers, at-least-once, commits."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from typing_extensions import override

from streams.engine.at_least_once import AtLeastOnce
from streams.engine.idle import IDLE_LAG_MS
from streams.engine.job_handler import JobHandler
from streams.engine.lane import Lane, PassiveHandler, PollOptions
from streams.engine.transactional import Transactional
from streams.errors import EngineFailed
from tests.support.engine_job import Counting
from tests.support.engine_world import PARTITIONS, PATIENCE, Driver, World, until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.engine.batch import Batch, Position
    from streams.engine.job import Outputs
    from streams.engine.ownership import Share
    from streams.engine.poller import Poller
    from streams.engine.publication import Publication
    from streams.engine.rows import Rows

PAST = 1_000_000_000_000
"""A record time long ago, milliseconds."""


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(broker, prefix).create()


def counting(
    world: World,
    publication: Publication | None = None,
    job: Counting | None = None,
    *,
    max_batch: int = 50,
    poison_limit: int = 3,
    one_by_one: bool = False,
) -> Driver:
    """Return the counting job on the world's topics, exactly once unless told otherwise."""
    publication = publication or Transactional(world.kafka, f"{world.prefix}-t")
    handler = JobHandler(world.kafka, job or Counting(world.out), world.log, publication)
    options = PollOptions(
        max_batch=max_batch, poison_limit=poison_limit, idle_ms=50, one_by_one=one_by_one
    )
    return Driver(
        world,
        Lane(
            name="count", topic=world.source, group=world.prefix, handler=handler, options=options
        ),
    )


async def fed(world: World, driver: Driver) -> None:
    """Wait until everything fed is committed."""
    await driver.until(lambda: world.committed() >= len(world.fed), "all is committed")


def test_goes_on_after_being_fenced(world: World) -> None:
    """A producer fenced from outside: partitions are set back, nothing is lost or repeated."""

    async def scenario() -> int:
        async with counting(world) as driver:
            for _ in range(2):
                world.feed(world.counted(keys=20, each=10))
                await fed(world, driver)
                thief = Producer(world.kafka.transactional(f"{world.prefix}-t"))
                await asyncio.to_thread(thief.init_transactions, 30)
            world.feed(world.counted(keys=20, each=10))
            await fed(world, driver)
            return driver.poller.statistics.resets

    resets = asyncio.run(scenario())

    assert resets > 0
    assert world.truth() == world.outputs()
    assert {key: b"%d:0" % len(v) for key, v in world.truth().items()} == world.table()


class Stumbling(Counting):
    """Raises at its first attempt at some offsets: passing poison, amid a batch."""

    def __init__(self, out: str, *offsets: int) -> None:
        super().__init__(out)
        self._offsets = offsets
        self.stumbled: set[tuple[int | None, int | None]] = set()

    @override
    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Count, or stumble."""
        super().apply(message, rows, outputs)
        place = (message.partition(), message.offset())
        if message.offset() in self._offsets and place not in self.stumbled:
            self.stumbled.add(place)
            raise RuntimeError


def test_resets_amid_batches(world: World) -> None:
    """Partitions fail and come back, each on its own; nothing is lost, repeated or mixed up."""

    async def scenario() -> int:
        job = Stumbling(world.out, *range(9, 60, 10))
        async with counting(world, job=job, max_batch=8, poison_limit=1_000) as driver:
            world.feed(world.counted(keys=10, each=20))
            await fed(world, driver)
            return driver.poller.statistics.resets

    resets = asyncio.run(scenario())

    assert resets > 0
    assert world.truth() == world.outputs()


class StumblingInTheThird(Counting):
    """Raises once, at the first record of the third batch, when the second is being published."""

    def __init__(self, out: str) -> None:
        super().__init__(out)
        self.publishing = threading.Event()
        self.stumbled = False
        self._batches: list[Rows] = []

    @override
    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Count, or stumble."""
        super().apply(message, rows, outputs)
        if not any(rows is each for each in self._batches):
            self._batches.append(rows)
        if len(self._batches) == 3 and not self.stumbled:
            assert self.publishing.wait(PATIENCE)
            self.stumbled = True
            raise RuntimeError


def test_reset_while_the_batch_before_is_being_published(world: World) -> None:
    """State and position are only read when the partition's own transaction is decided."""
    world.feed(world.counted(keys=1, each=20))
    job = StumblingInTheThird(world.out)
    transactions = 0

    def hold(step: str) -> None:
        """Hold the second transaction until the third batch failed and would be back."""
        nonlocal transactions
        transactions += step == "began"
        if step == "began" and transactions == 2:
            job.publishing.set()
            until(lambda: bool(driver.poller.loading), "the third batch's partition is set back")
            came_back = time.monotonic() + 2.0
            while driver.poller.loading and time.monotonic() < came_back:
                time.sleep(0.01)

    publication = Transactional(world.kafka, f"{world.prefix}-t", at=hold)
    driver = counting(world, publication, job, max_batch=5)

    async def scenario() -> None:
        async with driver:
            await fed(world, driver)

    asyncio.run(scenario())

    assert job.stumbled
    assert world.truth() == world.outputs()


def test_a_quiet_batch_has_all_that_came_meanwhile(world: World) -> None:
    """It is made when the one before is published, not cut at its first record to wait then."""
    world.feed([(b"a", b"0")])
    batches: list[int] = []

    def hold(step: str) -> None:
        """Hold the first transaction: what comes meanwhile has its time to be cut too early."""
        if step != "began" or batches:
            return
        world.feed([(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])
        given = time.monotonic() + 1.0
        while driver.poller.statistics.batches == 1 and time.monotonic() < given:
            time.sleep(0.01)
        batches.append(driver.poller.statistics.batches)

    publication = Transactional(world.kafka, f"{world.prefix}-t", at=hold)
    driver = counting(world, publication, one_by_one=True)

    async def scenario() -> None:
        async with driver:
            await fed(world, driver)

    asyncio.run(scenario())

    assert ([1], 2) == (batches, driver.poller.statistics.batches)
    assert world.truth() == world.outputs()


def test_poison_stops_in_the_end(world: World) -> None:
    """A record that always fails: some tries, then the process must end; nothing of it is seen."""
    world.feed([(b"a", b"1"), (b"a", b"poison"), (b"a", b"2")])

    async def scenario() -> tuple[BaseException | None, str | None, int]:
        async with counting(world) as driver:
            await driver.until(lambda: driver.failure is not None, "it gives up")
            return driver.failure, driver.poller.not_ready, driver.poller.statistics.resets

    failure, not_ready, resets = asyncio.run(scenario())

    assert isinstance(failure, EngineFailed)
    assert "failed 3 times in a row from offset 0 without progress: offset 1: Poison" in str(
        failure
    )
    assert not_ready is not None
    assert 3 == resets
    assert {} == world.outputs()


def test_timers_fire_before_the_next_record(world: World) -> None:
    """A record whose time is past a timer comes after the timer's output, in its own partition."""
    world.feed([(b"a", b"timer:%d" % (PAST + 5_000))], timestamp=PAST)
    world.feed([(b"a", b"x")], timestamp=PAST + 4_999)
    world.feed([(b"a", b"y")], timestamp=PAST + 5_000)

    async def scenario() -> None:
        async with counting(world) as driver:
            await fed(world, driver)

    asyncio.run(scenario())

    due = PAST + 5_000
    assert [b"1:timer:%d" % due, b"2:x", b"fired:%d" % due, b"3:y"] == world.outputs()[b"a"]


def test_timers_survive_a_restart_and_fire_once_in_an_idle_partition(world: World) -> None:
    """A timer set before a restart fires when the idle partition's time is there; once."""
    due = int(time.time() * 1_000) - IDLE_LAG_MS + 3_000
    world.feed([(b"a", b"timer:%d" % due)])
    fired = b"fired:%d" % due

    async def scenario() -> tuple[list[bytes], int]:
        async with counting(world) as driver:
            await fed(world, driver)
        before = world.outputs()[b"a"]
        async with counting(world) as driver:
            await driver.until(lambda: fired in world.outputs().get(b"a", []), "the timer fires")
        async with counting(world) as driver:
            world.feed([(b"a", b"z")])
            await fed(world, driver)
            return before, driver.poller.statistics.fired

    before, fired_again = asyncio.run(scenario())

    assert [b"1:timer:%d" % due] == before
    assert 0 == fired_again
    assert [*before, fired, b"2:z"] == world.outputs()[b"a"]
    assert b"2:0" == world.table()[b"a"]


def test_no_idle_time_while_an_open_transaction_hides_records(world: World) -> None:
    """Behind an open transaction there may be older records: stream time stays until it ends."""
    hidden = Producer(world.kafka.transactional(f"{world.prefix}-source"))
    hidden.init_transactions(30)
    due = PAST + 5_000
    partition_time = PAST + 4_000

    async def scenario() -> None:
        async with counting(world) as driver:
            world.feed([(b"a", b"timer:%d" % due)], timestamp=PAST)
            hidden.begin_transaction()
            hidden.produce(world.source, b"hidden", b"a", timestamp=partition_time)
            hidden.flush(30)
            world.fed.append((b"a", b"hidden"))
            asked: list[int] = []
            answers = driver.poller._loop._idle.answer

            def counted() -> Any:
                answer = answers()
                asked.extend([1] if answer else [])
                return answer

            driver.poller._loop._idle.answer = counted  # type: ignore[method-assign]
            await driver.until(lambda: len(asked) >= 3, "idle time was looked at")
            await asyncio.to_thread(hidden.commit_transaction, 30)
            await driver.until(lambda: len(world.outputs().get(b"a", [])) == 3, "the timer fires")

    asyncio.run(scenario())

    assert [b"1:timer:%d" % due, b"2:hidden", b"fired:%d" % due] == world.outputs()[b"a"]


def test_records_gone_before_they_were_read_stop_it(world: World) -> None:
    """Retention overtook the group: it does not go on behind the hole, it stops and asks."""
    world.feed(world.counted(keys=20, each=5))
    admin = AdminClient(world.kafka.client())
    deleted = admin.delete_records([TopicPartition(world.source, 1, 3)])
    for answer in deleted.values():
        answer.result(30)

    async def scenario() -> BaseException | None:
        async with counting(world) as driver:
            await driver.until(lambda: driver.failure is not None, "it gives up")
            return driver.failure

    failure = asyncio.run(scenario())

    assert isinstance(failure, EngineFailed)
    assert f"{world.source}[1] no longer holds the position" in str(failure)
    assert "--reset-offsets" in str(failure)


class Crash(BaseException):
    """Ends a publication from within, like a crash between two steps."""


def test_at_least_once_loses_nothing(world: World) -> None:
    """Failing between flush and commit repeats outputs, but each record's output is there."""
    failures = iter([2, 3])
    seen = 0

    def at(step: str) -> None:
        nonlocal seen
        seen += step == "flushed"
        if step == "flushed" and seen in (2, 3):
            next(failures)
            raise Crash

    async def scenario() -> None:
        async with counting(world, AtLeastOnce(world.kafka, at=at)) as driver:
            world.feed(world.counted(keys=10, each=30))
            await fed(world, driver)

    asyncio.run(scenario())

    values = {
        key: [line.split(b":", 1)[1] for line in lines] for key, lines in world.outputs().items()
    }
    for key, lines in world.truth().items():
        wanted = [line.split(b":", 1)[1] for line in lines]
        first_seen = list(dict.fromkeys(values[key]))

        assert wanted == first_seen  # nothing lost; first occurrences in order
    assert sum(map(len, values.values())) > len(world.fed)  # and it did repeat


class Collecting(PassiveHandler):
    """A handler without a table that commits on its own: what delivery is to the engine."""

    def __init__(self) -> None:
        self.poller: Poller
        self.loaded: dict[int, Position] = {}
        self.seen: dict[int, tuple[int, tuple[int, str]]] = {}
        self.values: list[bytes | None] = []
        self.dropped: set[int] = set()

    def attach(self, poller: Poller) -> None:
        """Keep the poller."""
        self.poller = poller

    def load(
        self,
        positions: Mapping[int, Position],
        alive: Callable[[], AbstractSet[int]],  # noqa: ARG002
    ) -> Mapping[int, Any]:
        """Remember the positions."""
        self.loaded.update(positions)
        return positions

    def install(self, owned: Sequence[Share], loaded: Mapping[int, Any]) -> None:
        """Nothing."""

    def drop(self, partitions: Collection[int]) -> None:
        """Note it."""
        self.dropped.update(partitions)

    async def feed(self, batch: Batch) -> None:
        """Remember how far each partition is; commit nothing yet."""
        for part in batch.parts:
            self.values += [message.value() for message in part.messages]
            offset = (part.messages[-1].offset() or 0) + 1
            self.seen[part.partition] = (part.epoch, (offset, f"seen {offset}"))
        batch.done()

    async def barrier(self, partitions: Collection[int]) -> None:
        """Commit what was seen of these."""
        going = {p: at for p, at in self.seen.items() if p in partitions}
        await asyncio.wrap_future(self.poller.commit(going))


def test_commits_in_the_barrier_and_loads_their_metadata(world: World) -> None:
    """A handler's commit at the last moment counts; the next owner gets offset and metadata."""
    world.feed(world.counted(keys=20, each=5))

    async def run(handler: Collecting, records: int) -> None:
        lane = Lane(name="collect", topic=world.source, group=world.prefix, handler=handler)
        async with Driver(world, lane) as driver:
            await driver.until(lambda: len(handler.values) >= records, "all is seen")
            await driver.until(lambda: not driver.poller.not_ready, "it is ready")
            assert set(range(PARTITIONS)) == driver.poller.owned

    first, second = Collecting(), Collecting()
    asyncio.run(run(first, len(world.fed)))
    asyncio.run(run(second, 0))

    assert {p: at[1] for p, at in first.seen.items()} == second.loaded
    assert [] == second.values
    assert set(range(PARTITIONS)) == first.dropped
    assert len(world.fed) == world.committed()


def test_commits_of_an_ended_epoch_are_left_out(world: World) -> None:
    """After a reset the old epoch can commit nothing: the records come again."""
    world.feed(world.counted(keys=20, each=1))

    async def scenario() -> tuple[frozenset[int], bool, int]:
        handler = Collecting()
        lane = Lane(name="collect", topic=world.source, group=world.prefix, handler=handler)
        async with Driver(world, lane) as driver:
            await driver.until(lambda: len(handler.values) >= len(world.fed), "all is seen")
            old = dict(handler.seen)
            shares = [(partition, epoch) for partition, (epoch, _) in old.items()]
            driver.poller.reset(shares, "the test says so")  # type: ignore[arg-type]
            owned = any(driver.poller.owns(*share) for share in shares)
            committed = await asyncio.wrap_future(driver.poller.commit(old))
            await driver.until(lambda: len(handler.values) >= 2 * len(world.fed), "it comes again")
            return committed, owned, world.committed()

    committed, owned, offset = asyncio.run(scenario())

    assert (frozenset(), False, 0) == (committed, owned, offset)


def test_slots_hold_back_records(world: World) -> None:
    """Batches that are not done hold back the rest; the consumer is paused, the membership kept."""
    world.feed(world.counted(keys=20, each=5))

    class Holding(Collecting):
        holding = True

        @override
        async def feed(self, batch: Batch) -> None:
            self.values += [m.value() for part in batch.parts for m in part.messages]
            held.append(batch)
            if not self.holding:
                batch.done()

    held: list[Batch] = []

    async def scenario() -> tuple[int, int, bool, int]:
        handler = Holding()
        options = PollOptions(max_batch=10, slots=2)
        lane = Lane(
            name="hold", topic=world.source, group=world.prefix, handler=handler, options=options
        )
        async with Driver(world, lane) as driver:
            await driver.until(lambda: driver.poller.statistics.pauses > 0, "it pauses")
            batches, records = len(held), len(handler.values)
            member = not driver.poller.not_ready
            handler.holding = False
            for batch in held:
                batch.done()
            await driver.until(lambda: len(handler.values) >= len(world.fed), "the rest comes")
            return batches, records, member, len(handler.values)

    batches, records, member, total = asyncio.run(scenario())

    assert (2, True, len(world.fed)) == (batches, member, total)
    assert records <= 20
