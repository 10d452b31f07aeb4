"""What must hold before a worker consumes, on a real broker; and what a successor settles first."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaException, Producer

from streams.engine.admin import (
    TopicSpec,
    check_same_partitions,
    create_topics,
    describe_topics,
    partition_count,
)
from streams.engine.batch import Position
from streams.engine.first_offsets import Start, ensure_first_offsets
from streams.engine.group_offsets import commit_offsets, committed_positions
from streams.engine.open_transactions import settle
from streams.engine.partitioning import check_keys
from streams.engine.publication import OWNER_HEADER
from streams.engine.restore import restore
from streams.engine.statistics import LaneStatistics
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError
from tests.support.engine_world import PARTITIONS, World

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL = frozenset(range(PARTITIONS))


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own; the group has not started yet."""
    return World(broker, prefix).create(start=False)


def begin(world: World, start: Start) -> int:
    """Let the group start; when it first did."""
    return ensure_first_offsets(
        world.kafka, world.prefix, world.source, start=start, control=world.control
    )


def offsets(world: World) -> Mapping[int, int | None]:
    """Return the group's offsets."""
    found = committed_positions(world.kafka, world.prefix, world.source, ALL)
    return {p: None if position is None else position.offset for p, position in found.items()}


@pytest.mark.parametrize("start", ["beginning", "end"])
def test_first_offsets_are_explicit(world: World, start: Start) -> None:
    """A first start commits an offset in every partition; later starts change nothing."""
    world.feed(world.counted(keys=20, each=2))
    marks = Watermarks(world.kafka, world.source)
    expected = marks.first(ALL) if start == "beginning" else marks.high(ALL)

    begin(world, start)
    first = offsets(world)
    world.feed(world.counted(keys=20, each=2))
    begin(world, "end")

    assert expected == first
    assert expected == offsets(world)


def test_the_first_start_is_remembered(world: World) -> None:
    """Every later start knows when the first was, which is where flows begin."""
    before = int(time.time() * 1_000)
    first = begin(world, "beginning")
    after = int(time.time() * 1_000)

    assert before <= first <= after
    assert first == begin(world, "beginning")


def test_only_missing_offsets_are_set(world: World) -> None:
    """A start that was cut short is completed: what is committed already stays."""
    world.feed(world.counted(keys=20, each=2))
    commit_offsets(world.kafka, world.prefix, world.source, {1: 1})

    begin(world, "beginning")

    assert {0: 0, 1: 1, 2: 0, 3: 0} == offsets(world)


def test_two_workers_start_at_once(world: World) -> None:
    """Two first starts at the same time agree."""
    world.feed(world.counted(keys=20, each=2))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: begin(world, "end"), range(2)))

    assert Watermarks(world.kafka, world.source).high(ALL) == offsets(world)


def test_recorded_group_without_offsets_stops_and_asks(world: World) -> None:
    """A group that is recorded but has lost its offsets is not restarted anywhere."""
    begin(world, "beginning")
    stranger = World(world.bootstrap, f"{world.prefix}-other")
    stranger.source, stranger.control = world.source, world.control
    begin(stranger, "beginning")
    # what the record says of the group, and the offsets of a group that has none
    stranger.prefix = world.prefix
    stranger.source = f"{world.source}-more"
    create_topics(
        world.kafka, [TopicSpec(name=stranger.source, partitions=PARTITIONS, replication=1)]
    )
    key = f"first-offsets:{stranger.prefix}:{stranger.source}".encode()
    producer = Producer(world.kafka.producer())
    producer.produce(world.control, b'{"start": "beginning", "at": 1}', key)
    assert producer.flush(30) == 0

    with pytest.raises(ConfigurationError, match=r"no offset for .*reset-offsets"):
        begin(stranger, "beginning")


def test_missing_topics_name_the_command(world: World) -> None:
    """A topic that does not exist is an error that says how to make it."""
    with pytest.raises(ConfigurationError, match=r"does not exist.*`streams topics create`"):
        partition_count(world.kafka, "no-such-topic")


def test_changelog_must_mirror_the_source(world: World) -> None:
    """Different numbers of partitions are refused."""
    narrow = f"{world.prefix}.narrow"
    create_topics(world.kafka, [TopicSpec(name=narrow, partitions=2, replication=1)])

    check_same_partitions(world.kafka, world.source, world.log)
    with pytest.raises(ConfigurationError, match=r"it has 2 partitions, its source .* has 4"):
        check_same_partitions(world.kafka, world.source, narrow)


def test_topics_are_created_once_and_described(world: World) -> None:
    """Creation skips what exists; the description tells partitions and properties."""
    config = {"cleanup.policy": "compact,delete", "retention.ms": "12345678"}
    spec = TopicSpec(name=f"{world.prefix}.new", partitions=3, replication=1, config=config)

    created = create_topics(world.kafka, [spec]), create_topics(world.kafka, [spec])
    found = describe_topics(world.kafka, [spec.name, "no-such-topic"])
    new = found[spec.name]

    assert ([spec.name], []) == created
    assert found["no-such-topic"] is None
    assert new is not None
    assert (3, 1) == (new.partitions, new.replication)
    assert config == {name: new.config[name] for name in config}


def test_keys_in_their_partitions_pass(world: World) -> None:
    """Records of our producers are where the Java clients would put them; no key, no judgement."""
    world.feed(world.counted(keys=50, each=2))
    producer = Producer(world.kafka.producer())
    producer.produce(world.source, b"no key")
    assert producer.flush(30) == 0

    check_keys(world.kafka, world.source)


def test_strangely_keyed_topics_are_refused(world: World) -> None:
    """Another partitioner's topic is refused, naming the role that mends it."""
    producer = Producer(world.kafka.producer() | {"partitioner": "fnv1a_random"})
    for number in range(50):
        producer.produce(world.source, b"x", b"key-%d" % number)
    assert producer.flush(30) == 0

    with pytest.raises(ConfigurationError, match=r"of 50 sampled records .*`rekey`"):
        check_keys(world.kafka, world.source)


def test_restore_fences_the_dead_owner(world: World) -> None:
    """An open transaction on the changelog is ended by its successor; its rows are not restored."""
    dead = Producer(
        world.kafka.transactional(f"{world.prefix}-dead") | {"transaction.timeout.ms": 600_000}
    )
    dead.init_transactions(30)
    for rows in ({b"a": b"1", b"b": b"1", b"c": b"1"}, {b"b": b"2", b"c": None}, {b"a": b"never"}):
        dead.begin_transaction()
        owner: list[tuple[str, str | bytes | None]] = [(OWNER_HEADER, f"{world.prefix}-dead")]
        for key, row in rows.items():
            dead.produce(world.log, row, key, 2, headers=owner)
        dead.flush(30)
        if b"never" not in rows.values():
            dead.commit_transaction(30)

    deadline = time.monotonic() + 30  # far less than the transaction's own timeout
    settle(world.kafka, world.log, ALL, lambda: ALL if time.monotonic() < deadline else frozenset())
    statistics = LaneStatistics()
    tables = restore(world.kafka, world.log, ALL, lambda: ALL, statistics)

    assert {0: {}, 1: {}, 2: {b"a": b"1", b"b": b"2"}, 3: {}} == tables
    assert 5 == statistics.restored_rows
    assert {} == statistics.restoring
    with pytest.raises(KafkaException, match=r"fenced|newer producer"):
        dead.commit_transaction(30)


def test_settling_ends_when_nobody_waits(world: World) -> None:
    """Partitions lost meanwhile are not waited for, nor is anything fenced for them."""
    slow = Producer(
        world.kafka.transactional(f"{world.prefix}-slow") | {"transaction.timeout.ms": 600_000}
    )
    slow.init_transactions(30)
    slow.begin_transaction()
    slow.produce(world.log, b"1", b"a", 2, headers=[(OWNER_HEADER, f"{world.prefix}-slow")])
    slow.flush(30)

    settle(world.kafka, world.log, ALL, frozenset)
    slow.commit_transaction(30)

    assert {b"a": b"1"} == world.table()


def test_positions_carry_their_metadata(world: World) -> None:
    """A group's position is offset and text; partitions without one are told apart."""
    commit_offsets(world.kafka, world.prefix, world.source, {0: 7})

    positions = committed_positions(world.kafka, world.prefix, world.source, [0, 1])

    assert {0: Position(7, ""), 1: None} == positions
