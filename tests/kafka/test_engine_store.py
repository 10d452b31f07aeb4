"""State on disk on a real broker: what a restart reads, and what is never believed.

Each test compares outputs, changelog and the rows on disk with the truth.
"""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace
from rocksdict import Rdict

from streams.engine.admin import TopicSpec, create_topics
from streams.engine.at_least_once import AtLeastOnce
from streams.engine.batch import Position
from streams.engine.job_handler import JobHandler
from streams.engine.lane import Lane, PollOptions
from streams.engine.state.changelog import describe_changelog
from streams.engine.state.opening import open_local_state
from streams.engine.state.options import rocks_options
from streams.engine.state.rocksdb import RocksStore
from streams.engine.state.store import TableSource
from streams.engine.state.write_batch import FORMAT_KEY, StateBatch
from streams.engine.statistics import LaneStatistics
from streams.engine.transactional import Transactional
from tests.kafka.test_engine_lane import Crash, Stumbling
from tests.support.engine_job import Counting
from tests.support.engine_world import PARTITIONS, Driver, Worker, World, assert_exact, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from streams.engine.publication import Publication
    from streams.engine.state.checkpoint import Checkpoint

CACHE_MIB = 8


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(broker, prefix).create()


def on_disk(
    world: World,
    directory: Path,
    publication: Publication | None = None,
    job: Counting | None = None,
    *,
    max_batch: int = 50,
) -> Driver:
    """Return the counting job with its rows in a directory, exactly once unless told otherwise."""
    store = RocksStore(open_local_state(directory, CACHE_MIB))
    publication = publication or Transactional(
        world.kafka, f"{world.prefix}-{directory.name}", ends=True
    )
    job = job or Counting(world.out)
    handler = JobHandler(world.kafka, job, world.log, publication, store=store)
    options = PollOptions(max_batch=max_batch, poison_limit=1_000, idle_ms=50)
    lane = Lane(
        name="count", topic=world.source, group=world.prefix, handler=handler, options=options
    )
    return Driver(world, lane)


def run(driver: Driver, world: World, records: int = 0) -> LaneStatistics:
    """Feed so many records to each of some keys, wait for all that was fed, and stop."""

    async def scenario() -> None:
        async with driver:
            world.feed(world.counted(keys=20, each=records))
            await driver.until(lambda: world.committed() >= len(world.fed), "all is committed")
            # who was there before may not have left yet, and without partitions it is ready too
            await driver.until(lambda: len(driver.poller.owned) == PARTITIONS, "all are its own")
            await driver.until(lambda: not driver.poller.not_ready, "it is ready")

    asyncio.run(scenario())
    return driver.poller.statistics


def rows_in(directory: Path) -> dict[bytes, bytes]:
    """Return the rows on disk, which nobody uses now."""
    state = open_local_state(directory, CACHE_MIB)
    rows = {key: row for p in range(PARTITIONS) for key, row in state.items(p)}
    state.close()
    return rows


def test_a_restart_reads_only_the_tail(world: World, tmp_path: Path) -> None:
    """What was committed in an orderly way is on disk; what others did meanwhile is read."""
    here, there = tmp_path / "here", tmp_path / "there"
    first = run(on_disk(world, here), world, records=10)
    again = run(on_disk(world, here), world, records=2)
    run(on_disk(world, there), world, records=1)
    back = run(on_disk(world, here), world)

    assert [0, 0, 20] == [each.restored_rows for each in (first, again, back)]
    assert {} == first.rebuilds | again.rebuilds | back.rebuilds
    assert world.table() == rows_in(here)
    assert_exact(world)


def test_killed_between_commit_and_disk(world: World, tmp_path: Path) -> None:
    """What Kafka has and the disk has not is read from the changelog, and no more than that."""
    here = tmp_path / "w"
    options = ("--static", "--max-batch", "50", "--store", "rocksdb", "--directory", str(here))
    world.feed(world.counted(keys=20, each=10))
    with Worker(world, "w", *options, "--break", "committed:3:SIGKILL", log=tmp_path) as worker:
        assert -signal.SIGKILL == worker.ended()
    before = rows_in(here)
    committed = world.table()
    with Worker(world, "w", *options, log=tmp_path) as worker:
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        assert 0 == worker.ended()

    assert before != committed
    assert before.keys() <= committed.keys()
    assert world.table() == rows_in(here)
    assert_exact(world)


def checkpoints(
    partitions: Iterable[int] = range(PARTITIONS), **changed: Any
) -> Callable[[Path], None]:
    """Return what writes something else into checkpoints."""

    def spoil(directory: Path) -> None:
        state = open_local_state(directory, CACHE_MIB)
        batch = StateBatch()
        for partition in partitions:
            found = state.checkpoint(partition)
            assert found is not None
            batch.checkpoint(partition, replace(found, **changed))
        state.write(batch)
        state.close()

    return spoil


def outdated(directory: Path) -> None:
    """Have another version's format."""
    database = Rdict(str(directory / "rocksdb"), rocks_options(CACHE_MIB))
    database.put(FORMAT_KEY, b"0")
    database.close()


def unreadable(directory: Path) -> None:
    """Have a list of files that cannot be read."""
    for file in (directory / "rocksdb").glob("MANIFEST-*"):
        file.write_bytes(b"\x00" * 100)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(checkpoints(cluster="x"), "other_topic", id="another cluster"),
        pytest.param(checkpoints(topic="x"), "other_topic", id="a topic made anew"),
        pytest.param(checkpoints(position=1 << 40), "past_the_end", id="a truncated changelog"),
        pytest.param(checkpoints(position=-1), "before_the_start", id="records gone"),
        pytest.param(checkpoints(offset=1 << 40), "ahead_of_group", id="ahead of the group"),
        pytest.param(checkpoints(whole_at=1.0), "too_old", id="too old"),
        pytest.param(outdated, "format", id="another format"),
        pytest.param(unreadable, "damaged", id="damaged"),
    ],
)
def test_what_does_not_match_is_built_anew(
    world: World, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """Rows that do not match are not believed, nor any left of them: the changelog is the table."""
    here = tmp_path / "w"
    run(on_disk(world, here), world, records=5)
    state = open_local_state(here, CACHE_MIB)
    batch = StateBatch()
    for partition in range(PARTITIONS):
        for key, _ in state.items(partition):
            batch.rows(partition, [(key, b"999:0"), (key + b" forged", b"999:0")])
    state.write(batch)
    state.close()
    spoil(here)
    rebuilt = run(on_disk(world, here), world, records=5)

    assert {reason: PARTITIONS} == rebuilt.rebuilds
    assert rebuilt.restored_rows >= 20
    assert world.table() == rows_in(here)
    assert_exact(world)


def test_a_partition_is_built_anew_alone(world: World, tmp_path: Path) -> None:
    """The others go on from what they have on disk."""
    here, partition = tmp_path / "w", world.partition(b"key-0")
    run(on_disk(world, here), world, records=5)
    checkpoints([partition], topic="x")(here)
    rebuilt = run(on_disk(world, here), world)

    assert {"other_topic": 1} == rebuilt.rebuilds
    assert _records(world, partition) == rebuilt.restored_rows
    assert world.table() == rows_in(here)


def test_a_topic_made_anew_has_another_id(world: World) -> None:
    """Of the same name on the same cluster, and yet another one."""
    before = describe_changelog(world.kafka, world.log, range(PARTITIONS))
    admin = AdminClient(world.kafka.client())
    for answer in admin.delete_topics([world.log]).values():
        answer.result(30)
    spec = TopicSpec(name=world.log, partitions=PARTITIONS, replication=1)
    until(lambda: bool(_created(world, spec)), "it is made anew")
    after = describe_changelog(world.kafka, world.log, range(PARTITIONS))

    assert before.cluster == after.cluster
    assert before.topic_id != after.topic_id


def _created(world: World, spec: TopicSpec) -> list[str]:
    """Create the topic, unless the one before is still being deleted."""
    with suppress(KafkaException):
        return create_topics(world.kafka, [spec])
    return []


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        pytest.param({}, 86_400 - 3_600, id="the broker's default"),
        pytest.param({"delete.retention.ms": "100000"}, 90, id="set"),
    ],
)
def test_how_old_a_state_may_be(world: World, config: dict[str, str], seconds: float) -> None:
    """As long as tombstones are kept, less a margin."""
    name = f"{world.prefix}.kept"
    create_topics(world.kafka, [TopicSpec(name=name, partitions=1, replication=1, config=config)])

    assert seconds == describe_changelog(world.kafka, name, [0]).tombstone_seconds


def test_partitions_move_away_and_back(world: World, tmp_path: Path) -> None:
    """What another worker did meanwhile is read from the changelog; nothing is built anew."""
    here, there = on_disk(world, tmp_path / "here"), on_disk(world, tmp_path / "there")

    async def scenario() -> None:
        async with here:
            world.feed(world.counted(keys=20, each=10))
            await here.until(lambda: world.committed() >= len(world.fed), "all is committed")
            async with there:
                await there.until(lambda: bool(there.poller.owned), "the other owns some")
                world.feed(world.counted(keys=20, each=10))
                await here.until(lambda: world.committed() >= len(world.fed), "all is committed")
                moved.update(there.poller.owned)
            await here.until(lambda: len(here.poller.owned) == PARTITIONS, "they are back")
            world.feed(world.counted(keys=20, each=10))
            await here.until(lambda: world.committed() >= len(world.fed), "all is committed")

    moved: set[int] = set()
    asyncio.run(scenario())
    statistics = here.poller.statistics
    keys = sum(world.partition(b"key-%d" % key) in moved for key in range(20))

    assert {} == statistics.rebuilds
    assert keys <= statistics.restored_rows <= 10 * keys
    assert world.table() == rows_in(tmp_path / "here")
    assert_exact(world)


def test_a_reset_forgets_what_is_not_committed(world: World, tmp_path: Path) -> None:
    """Batches that fail half-way leave nothing in the rows, on disk or above it."""
    job = Stumbling(world.out, *range(9, 60, 10))
    statistics = run(on_disk(world, tmp_path / "w", job=job, max_batch=8), world, records=10)

    assert statistics.resets > 0
    assert {} == statistics.rebuilds
    assert world.table() == rows_in(tmp_path / "w")
    assert_exact(world)


def test_timers_come_back_from_disk(world: World, tmp_path: Path) -> None:
    """A timer that waits while the worker restarts fires once, without a look at all rows."""
    due = int(time.time() * 1_000) + 1_200_000  # not before a record says that it is so late
    world.feed([(b"a", b"timer:%d" % due), (b"b", b"x")])
    run(on_disk(world, tmp_path / "w"), world)
    world.feed([(b"a", b"y"), (b"a", b"z")], timestamp=due)
    again = run(on_disk(world, tmp_path / "w"), world)

    assert (0, 1) == (again.restored_rows, again.fired)
    assert [b"fired:%d" % due, b"2:y", b"3:z"] == world.outputs()[b"a"][1:]
    assert world.table() == rows_in(tmp_path / "w")


def test_at_least_once(world: World, tmp_path: Path) -> None:
    """Failing between flush and commit: the rows on disk are those of the changelog, to the end."""
    seen = 0

    def at(step: str) -> None:
        nonlocal seen
        seen += step == "flushed"
        if step == "flushed" and seen in (2, 3):
            raise Crash

    here = tmp_path / "w"
    run(on_disk(world, here, AtLeastOnce(world.kafka, at=at)), world, records=10)
    table = world.table()
    again = run(on_disk(world, here, AtLeastOnce(world.kafka)), world)

    assert table == rows_in(here)
    assert {} == again.rebuilds
    outputs = world.outputs()
    for key, lines in world.truth().items():
        assert _values(lines) == list(dict.fromkeys(_values(outputs[key])))


def _values(lines: list[bytes]) -> list[bytes]:
    return [line.split(b":", 1)[1] for line in lines]


def loader(world: World, directory: Path) -> RocksStore:
    """Return a store that loads the world's changelog, by itself."""
    store = RocksStore(open_local_state(directory, CACHE_MIB))
    due = Counting(world.out).due
    store.attach(TableSource(world.kafka, world.log, due, LaneStatistics()))
    return store


def checkpoint(directory: Path, partition: int) -> Checkpoint | None:
    """Return a checkpoint on disk."""
    state = open_local_state(directory, CACHE_MIB)
    found = state.checkpoint(partition)
    state.close()
    return found


def test_a_rebuild_that_was_cut_short_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows and its position agree, so that the next one has only the rest to read."""
    monkeypatch.setattr("streams.engine.restore._BATCH", 10)
    run(on_disk(world, tmp_path / "other"), world, records=20)
    here = tmp_path / "w"
    partition = world.partition(b"key-0")
    positions = {partition: Position(len(world.fed))}
    began = time.time()
    store = loader(world, here)

    def for_a_while() -> set[int]:
        progress = store._source.statistics.restoring.get(partition)
        begun = progress is not None and progress.position > progress.start
        return set() if begun else {partition}

    cut = store.load(positions, for_a_while)
    store.close()
    rows, halfway = rows_in(here), checkpoint(here, partition)
    read = store._source.statistics.restored_rows
    store = loader(world, here)
    whole = store.load(positions, lambda: {partition})[partition]
    table = {k: row for k, row in world.table().items() if world.partition(k) == partition}
    found = {key: whole.rows.get(key) for key in table}
    store.close()

    assert {} == cut
    assert halfway is not None
    assert began <= halfway.whole_at <= time.time()
    assert rows != table
    assert read + store._source.statistics.restored_rows == _records(world, partition)
    assert table == found == rows_in(here)
    assert {} == store._source.statistics.rebuilds


def _records(world: World, partition: int) -> int:
    return sum(message.partition() == partition for message in world.read(world.log))


def test_a_full_disk_ends_the_process_and_loses_nothing(world: World, tmp_path: Path) -> None:
    """It names the setting and ends; with room again, the changelog has what the disk lacks."""
    here = tmp_path / "w"
    options = ("--static", "--max-batch", "50", "--store", "rocksdb", "--directory", str(here))
    world.feed(world.counted(keys=20, each=100))
    with Worker(world, "w", *options, "--largest-file", "8000", log=tmp_path) as worker:
        code, log = worker.ended(), worker.log
    before = world.committed()
    world.feed(world.counted(keys=20, each=1))  # so that the next one has something to commit
    with Worker(world, "w", *options, log=tmp_path) as worker:
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        again = worker.ended()

    assert (70, 0) == (code, again)
    assert (
        f"the process ends: EngineFailed: derive.state_directory: {here} cannot be written" in log
    )
    assert 0 < before
    assert world.table() == rows_in(here)
    assert_exact(world)
