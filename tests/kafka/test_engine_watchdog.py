"""A worker that stands still, as a process on a real broker: what it shows, and how it ends."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from streams.engine.watermarks import Watermarks
from tests.support.engine_trouble import STUCK, TroubledWorker, says
from tests.support.engine_world import PARTITIONS, World, assert_exact, until
from tests.support.health_pages import page

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(broker, prefix).create()


def heal(world: World, log: Path) -> None:
    """Have a sound worker do what the one that stood still did not."""
    with TroubledWorker(world, "heir", log=log) as worker:
        world.until_all_committed()
        worker.send(signal.SIGTERM)

        assert 0 == worker.ended()


@pytest.mark.parametrize("where", [pytest.param("sleep", marks=pytest.mark.long), "spin"])
def test_a_job_that_does_not_return(world: World, tmp_path: Path, where: str) -> None:
    """The event loop stands, in C code or in Python: exit 71, the stack names the job."""
    with TroubledWorker(world, "w", "--stick", where, log=tmp_path) as worker:
        address = worker.web()
        until(says(f"{address}/readyz", 200, "true"), "it is ready")
        world.feed([*world.counted(keys=10, each=10), (b"key-3", STUCK)])
        code = worker.ended()
        log = worker.log
    heal(world, tmp_path)

    assert 71 == code
    assert "the process ends, it stands still: the event loop stands for " in log
    assert "engine_trouble.py" in log.split("it stands still", 1)[1]
    assert_exact(world)


@pytest.mark.parametrize(
    ("where", "what"),
    [
        pytest.param("poll", "the poll thread", id="deadlock of the poll thread"),
        pytest.param("publication", "work", id="publication that hangs"),
    ],
)
def test_a_thread_that_hangs(world: World, tmp_path: Path, where: str, what: str) -> None:
    """The event loop turns: the pages and the metric say what stands, then exit 71 with stacks."""
    with TroubledWorker(world, "w", "--stick", where, log=tmp_path) as worker:
        address = worker.web()
        until(says(f"{address}/readyz", 200, "true"), "it is ready")
        world.feed([*world.counted(keys=10, each=10), (b"key-3", STUCK)])
        until(says(f"{address}/livez", 503, f"{what} stands still"), "it is not alive")
        ready = page(f"{address}/readyz")
        metrics = page(f"{address}/metrics")[1]
        code = worker.ended()
        log = worker.log
    heal(world, tmp_path)

    assert (503, True) == (ready[0], f"{what} stands still" in ready[1])
    assert 'streams_stalled{lane="count"} 1.0' in metrics
    assert 71 == code
    assert f"the process ends, it stands still: count: {what} stands for " in log
    assert "never_come" in log.split("it stands still", 1)[1]
    assert_exact(world)


def test_a_stopped_process_did_not_stand_still(world: World, tmp_path: Path) -> None:
    """SIGSTOP amid a transaction until the broker has ended it, which takes longer than a stall.

    The publication is given up, its partitions are set back, and nothing is lost or repeated.
    """
    world.feed(world.counted(keys=20, each=10))
    marks = Watermarks(world.kafka, world.log)
    every = range(PARTITIONS)
    with TroubledWorker(world, "w", "--break", "flushed:2:SIGSTOP", log=tmp_path) as worker:
        worker.stopped()
        opened = marks.stable(every) != marks.high(every)
        until(lambda: marks.stable(every) == marks.high(every), "the broker ended the transaction")
        worker.send(signal.SIGCONT)
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        code = worker.ended()
        log = worker.log

    assert opened
    assert 0 == code
    assert "are set back" in log or "lost partitions" in log
    assert "stands" not in log
    assert_exact(world)
