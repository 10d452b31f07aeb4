"""Exactly once on a cluster that loses nodes: nothing lost or repeated, and no worker ends by it.

Each test compares the outputs that a `read_committed` reader sees with the truth, per key and in
order, and the changelog with the state.
"""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from streams.engine.batch import Position
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.group_offsets import committed_positions
from tests.support.engine_world import PARTITIONS, Worker, World, assert_exact, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streams.demo.cluster import Cluster


LONG = pytest.mark.long


@pytest.fixture
def world(cluster: Cluster, prefix: str) -> World:
    """Return topics of the test's own with three copies, and a group that begins at the start."""
    return World(cluster.bootstrap, prefix, replication=3).create()


def source(cluster: Cluster, world: World) -> int:
    """Return the node that leads the partition of the first key on the source."""
    return cluster.leader(world.source, world.partition(b"key-0"))


def changelog(cluster: Cluster, world: World) -> int:
    """Return the node that leads that partition of the changelog."""
    return cluster.leader(world.log, world.partition(b"key-0"))


def transactions(cluster: Cluster, world: World) -> int:
    """Return the node that decides the transactions of the worker `w`."""
    return cluster.coordinator_of_transaction(f"{world.prefix}-w")


def group(cluster: Cluster, world: World) -> int:
    """Return the node that coordinates the group and keeps its offsets."""
    return cluster.coordinator_of_group(world.prefix)


@pytest.mark.parametrize(
    ("victim", "step", "protocol"),
    [
        pytest.param(source, "began", "classic", marks=LONG),
        pytest.param(source, "offsets", "consumer", marks=LONG),
        pytest.param(changelog, "began", "consumer", marks=LONG),
        (changelog, "offsets", "classic"),
        pytest.param(transactions, "began", "classic", marks=LONG),
        (transactions, "offsets", "classic"),
        pytest.param(group, "began", "classic", marks=LONG),
        pytest.param(group, "offsets", "classic", marks=LONG),
        pytest.param(group, "began", "consumer", marks=LONG),
        (group, "offsets", "consumer"),
    ],
)
def test_a_node_is_killed_amid_a_transaction(
    cluster: Cluster,
    world: World,
    tmp_path: Path,
    victim: Callable[[Cluster, World], int],
    step: str,
    protocol: str,
) -> None:
    """The worker goes on with the other nodes, and when the node is back."""
    world.feed(world.counted(keys=20, each=10))
    options = ("--protocol", protocol, "--max-batch", "50", "--break", f"{step}:2:SIGSTOP")
    with Worker(world, "w", *options, log=tmp_path) as worker:
        worker.stopped()
        node = cluster.brokers[victim(cluster, world)]
        node.kill()
        worker.send(signal.SIGCONT)
        world.until_all_committed()
        node.start()
        world.feed(world.counted(keys=20, each=10))
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        code = worker.ended()

    assert 0 == code, worker.log
    assert_exact(world)


@LONG
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_all_nodes_restart_under_load(
    cluster: Cluster, world: World, tmp_path: Path, protocol: str
) -> None:
    """One node after the other dies and comes back while two workers are busy."""
    options = ("--protocol", protocol, "--max-batch", "20")
    with (
        Worker(world, "a", *options, log=tmp_path) as first,
        Worker(world, "b", *options, log=tmp_path) as second,
    ):
        for node in cluster.brokers:
            before = world.committed()
            world.feed(world.counted(keys=40, each=50))
            until(partial(_more_than, world, before), "work goes on")
            node.kill()
            world.feed(world.counted(keys=40, each=10))
            node.start()
        world.until_all_committed()
        for worker in (first, second):
            worker.send(signal.SIGTERM)
        codes = [first.ended(), second.ended()]

    assert [0, 0] == codes, first.log + second.log
    assert_exact(world)


@LONG
def test_zombie_meets_another_coordinator(cluster: Cluster, world: World, tmp_path: Path) -> None:
    """Who froze under one coordinator of the group is fenced by the next one: no trace."""
    world.feed(world.counted(keys=20, each=20))
    options = ("--max-batch", "50", "--break", "began:2:SIGSTOP")
    with Worker(world, "zombie", *options, log=tmp_path) as zombie:
        zombie.stopped()
        node = cluster.brokers[group(cluster, world)]
        node.kill()
        with Worker(world, "heir", log=tmp_path) as heir:
            world.until_all_committed()
            zombie.send(signal.SIGCONT)
            until(lambda: "set back" in zombie.log or "lost part" in zombie.log, "it woke up")
            node.start()
            world.feed(world.counted(keys=20, each=20))
            world.until_all_committed()
            for worker in (zombie, heir):
                worker.send(signal.SIGTERM)
            codes = [zombie.ended(), heir.ended()]

    assert [0, 0] == codes
    assert_exact(world)


@LONG
@pytest.mark.parametrize("victim", [source, group])
def test_a_first_start_while_a_node_dies(
    cluster: Cluster, world: World, victim: Callable[[Cluster, World], int]
) -> None:
    """The first offsets are set, whoever is elected meanwhile."""
    started = ensure_first_offsets(
        world.kafka, world.prefix, world.source, start="end", control=world.control
    )
    other = f"{world.prefix}-other"
    cluster.brokers[victim(cluster, world)].kill()
    ensure_first_offsets(world.kafka, other, world.source, start="end", control=world.control)
    again = ensure_first_offsets(
        world.kafka, world.prefix, world.source, start="end", control=world.control
    )
    found = committed_positions(world.kafka, other, world.source, range(PARTITIONS))

    assert started == again
    assert dict.fromkeys(range(PARTITIONS), Position(0, "")) == found


@LONG
@pytest.mark.parametrize("topic", ["out", "log"])
def test_too_few_copies_are_waited_for(
    cluster: Cluster, world: World, tmp_path: Path, topic: str
) -> None:
    """A topic that refuses records while a copy is missing holds the worker up, no more."""
    needs_all(world, getattr(world, topic))
    world.feed(world.counted(keys=20, each=10))
    with Worker(world, "w", "--max-batch", "50", log=tmp_path) as worker:
        world.until_all_committed()
        node = cluster.brokers[source(cluster, world)]
        node.kill()
        cluster.leader(world.source, world.partition(b"key-0"))
        world.feed(world.counted(keys=20, each=10))
        until(lambda: "set back" in worker.log or "published again" in worker.log, "it is refused")
        node.start()
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        code = worker.ended()

    assert 0 == code, worker.log
    assert_exact(world)


@LONG
def test_no_majority_is_waited_for(cluster: Cluster, world: World, tmp_path: Path) -> None:
    """With one node of three nothing can be written or decided; with two the worker goes on."""
    world.feed(world.counted(keys=20, each=10))
    options = ("--max-batch", "50", "--break", "offsets:2:SIGSTOP")
    with Worker(world, "w", *options, log=tmp_path) as worker:
        worker.stopped()
        first, second = cluster.brokers[:2]
        first.kill()
        second.kill()
        worker.send(signal.SIGCONT)
        until(lambda: "set back" in worker.log or "lost part" in worker.log, "its work fails")
        first.launch()
        second.launch()
        first.await_ready()
        second.await_ready()
        world.until_all_committed()
        world.feed(world.counted(keys=20, each=10))
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        code = worker.ended()

    assert 0 == code, worker.log
    assert_exact(world)


def _more_than(world: World, records: int) -> bool:
    return world.committed() > records


def needs_all(world: World, topic: str) -> None:
    """Have a topic take records only while all three copies are in sync."""
    entry = ConfigEntry("min.insync.replicas", "3", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient(world.kafka.client())
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()
