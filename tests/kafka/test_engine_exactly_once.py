"""Exactly once on a real broker: whatever kills, stops or fences a worker, and whenever.

Each test compares the outputs that a `read_committed` reader sees with the truth, per key and in
order, and the changelog with the state.
"""

from __future__ import annotations

import re
import signal
import urllib.error
import urllib.request
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.engine_world import Worker, World, assert_exact, until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(broker, prefix).create()


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
def test_killed_at_each_step_of_a_transaction(world: World, tmp_path: Path, store: str) -> None:
    """SIGKILL at any step of a transaction: the successor goes on without loss or repetition."""
    codes = []
    kept = ("--store", store, "--directory", str(tmp_path / "state"))
    for step in ("began", "produced", "flushed", "offsets", "committed"):
        world.feed(world.counted(keys=20, each=10))
        # static membership: the successor need not wait until the dead one's session is over
        options = (*kept, "--static", "--max-batch", "50", "--break", f"{step}:2:SIGKILL")
        with Worker(world, "w", *options, log=tmp_path) as worker:
            codes.append(worker.ended())
    with Worker(world, "w", *kept, "--static", log=tmp_path) as worker:
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        codes.append(worker.ended())

    assert [-signal.SIGKILL] * 5 + [0] == codes
    assert_exact(world)


def test_successor_ends_the_open_transaction_of_the_dead(world: World, tmp_path: Path) -> None:
    """A stranger takes over from a worker that died with its transaction open, offsets sent."""
    world.feed(world.counted(keys=20, each=10))
    options = ("--max-batch", "50", "--break", "offsets:2:SIGKILL")
    with Worker(world, "dead", *options, log=tmp_path) as worker:
        assert -signal.SIGKILL == worker.ended()
    with Worker(world, "heir", log=tmp_path) as worker:
        world.until_all_committed()
        log = worker.log

    assert f"ending the transaction that {world.prefix}-dead left open" in log
    assert_exact(world)


def _owns_some(worker: Worker) -> bool:
    return re.search(r"gained partitions \[\d", worker.log) is not None


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_workers_come_and_go(world: World, tmp_path: Path, protocol: str) -> None:
    """Rebalances under load, and SIGTERM: partitions change hands without loss or repetition."""
    options = ("--protocol", protocol, "--max-batch", "100")
    with (
        Worker(world, "first", *options, log=tmp_path) as first,
        Worker(world, "second", *options, log=tmp_path) as second,
    ):
        for worker in (first, second):
            address = worker.web()
            until(partial(_ready, address), "the worker is ready")
            world.feed(world.counted(keys=40, each=50))
        # one that owns nothing yet is ready too, and would have nothing to give up
        for worker in (first, second):
            until(partial(_owns_some, worker), "the worker gains some")
        first.send(signal.SIGTERM)
        world.feed(world.counted(keys=40, each=50))
        code = first.ended()
        world.until_all_committed()
        until(lambda: "gave up partitions" in first.log, "the first gives up what it has")
        until(lambda: "gained partitions" in second.log, "the second goes on with it")

    assert 0 == code
    assert_exact(world)


@pytest.mark.parametrize(
    ("step", "protocol"),
    [("began", "classic"), ("offsets", "classic"), ("began", "consumer"), ("offsets", "consumer")],
    ids=["began", "offsets", "began-consumer", "offsets-consumer"],
)
def test_zombie_leaves_no_trace(world: World, tmp_path: Path, step: str, protocol: str) -> None:
    """A worker frozen inside its transaction wakes when others have its partitions: no trace.

    Frozen before its first record, it cannot be found and fenced by its successor: then only the
    generation in the group metadata keeps it out.
    """
    world.feed(world.counted(keys=20, each=20))
    member = ("--protocol", protocol, "--max-batch", "50")
    with Worker(world, "zombie", *member, "--break", f"{step}:2:SIGSTOP", log=tmp_path) as zombie:
        zombie.stopped()
        with Worker(world, "heir", *member, log=tmp_path) as heir:
            world.until_all_committed()
            zombie.send(signal.SIGCONT)
            until(lambda: "set back" in zombie.log or "lost part" in zombie.log, "it woke up")
            world.feed(world.counted(keys=20, each=20))
            world.until_all_committed()
            for worker in (zombie, heir):
                worker.send(signal.SIGTERM)
            codes = [zombie.ended(), heir.ended()]

    assert [0, 0] == codes
    assert_exact(world)


def _ready(address: str) -> bool:
    """Whether the worker says so; an error page raises."""
    try:
        with urllib.request.urlopen(f"{address}/readyz") as page:  # noqa: S310 - our own worker
            return bool(page.status == 200)
    except urllib.error.HTTPError:
        return False
