"""The broker goes away: at the start, amid transactions, for long, or by hanging (engine README).

Each time the worker stays, says that the broker is away, goes on by itself, and the outputs are
exact. Its watchdog is as impatient as the settings allow.
"""

from __future__ import annotations

import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from streams.demo.broker import Broker
from streams.engine.away import await_broker
from tests.support.engine_trouble import TroubledWorker, says
from tests.support.engine_world import World, assert_exact, until
from tests.support.health_pages import page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AWAY = "the broker is away"
LEAST_STALL = ("--stall-timeout", "90")


LONG = pytest.mark.long


@pytest.fixture(scope="module")
def _own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as local:
        yield local


@pytest.fixture
def own(_own: Broker) -> Iterator[Broker]:
    """Yield a broker that this test may do anything to; it runs."""
    yield _own
    if _own.pid is None:
        _own.start()


@pytest.fixture
def world(own: Broker, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(own.bootstrap, prefix).create()


def end(worker: TroubledWorker) -> int:
    """Ask the worker to stop; its exit code."""
    worker.send(signal.SIGTERM)
    return worker.ended()


def test_no_broker_at_the_start(own: Broker, world: World, tmp_path: Path) -> None:
    """The worker starts without it: alive, not ready, says why, and begins when it comes."""
    world.feed(world.counted(keys=20, each=10))
    own.kill()
    with TroubledWorker(world, "w", *LEAST_STALL, log=tmp_path) as worker:
        address = worker.web()
        until(says(f"{address}/readyz", 503, AWAY), "it says that the broker is away")
        alive, metrics = page(f"{address}/livez"), page(f"{address}/metrics")[1]
        own.start()
        until(says(f"{address}/readyz", 200, "true"), "it is ready")
        world.until_all_committed()
        code = end(worker)

    assert 200 == alive[0]
    assert 'streams_broker_away{lane="count"} 1.0' in metrics
    assert 0 == code
    assert_exact(world)


@LONG
def test_a_start_waits_for_the_broker(own: Broker) -> None:
    """What is checked before a worker starts needs the broker: it is waited for."""
    own.kill()
    waiting = threading.Thread(target=await_broker, args=(World(own.bootstrap, "w").kafka,))
    waiting.start()
    waiting.join(1.0)
    waits = waiting.is_alive()
    own.start()
    waiting.join(60)

    assert waits
    assert not waiting.is_alive()


@pytest.mark.parametrize(
    "step", [pytest.param("began", marks=LONG), pytest.param("flushed", marks=LONG), "offsets"]
)
def test_the_broker_is_killed_amid_a_transaction(
    own: Broker, world: World, tmp_path: Path, step: str
) -> None:
    """With it go both coordinators and every leader; back again, all goes on by itself."""
    world.feed(world.counted(keys=20, each=10))
    options = ("--break", f"{step}:2:SIGSTOP", *LEAST_STALL)
    with TroubledWorker(world, "w", *options, log=tmp_path) as worker:
        address = worker.web()
        worker.stopped()
        own.kill()
        worker.send(signal.SIGCONT)
        until(says(f"{address}/readyz", 503, AWAY), "it says that the broker is away")
        alive = page(f"{address}/livez")
        own.start()
        world.feed(world.counted(keys=20, each=10))
        world.until_all_committed()
        until(says(f"{address}/readyz", 200, "true"), "it is ready")
        code = end(worker)

    assert 200 == alive[0]
    assert 0 == code
    assert_exact(world)


def test_the_broker_hangs(own: Broker, world: World, tmp_path: Path) -> None:
    """It answers nothing for longer than a transaction may last: publications are given up."""
    world.feed(world.counted(keys=20, each=10))
    # it keeps its connections, so that only a publication which runs out of time tells
    options = ("--break", "produced:2:SIGSTOP", *LEAST_STALL)
    with TroubledWorker(world, "w", *options, log=tmp_path) as worker:
        address = worker.web()
        worker.stopped()
        pid = own.pid or 0
        os.kill(pid, signal.SIGSTOP)
        try:
            worker.send(signal.SIGCONT)
            until(lambda: "are set back" in worker.log, "the publication is given up")
            until(says(f"{address}/readyz", 503, AWAY), "it says that the broker is away")
            alive = page(f"{address}/livez")
        finally:
            os.kill(pid, signal.SIGCONT)
        world.feed(world.counted(keys=20, each=10))
        world.until_all_committed()
        until(says(f"{address}/readyz", 200, "true"), "it is ready")
        code = end(worker)

    assert 200 == alive[0]
    assert 0 == code
    assert_exact(world)


@LONG
def test_the_broker_restarts_under_load(own: Broker, world: World, tmp_path: Path) -> None:
    """Killed and stopped in order, again and again, while records come: every output once."""
    amid = []
    with TroubledWorker(world, "w", "--max-batch", "20", *LEAST_STALL, log=tmp_path) as worker:
        address = worker.web()
        for leave in (own.kill, own.stop, own.kill):
            before = world.committed()
            world.feed(world.counted(keys=50, each=60))
            until(partial(_more, world, before), "it is at work")
            amid.append(world.committed() < len(world.fed))
            leave()
            own.start()
        world.feed(world.counted(keys=10, each=1))
        world.until_all_committed()
        until(says(f"{address}/readyz", 200, "true"), "it is ready")
        code = end(worker)

    assert any(amid)
    assert 0 == code
    assert_exact(world)


def _more(world: World, than: int) -> bool:
    return world.committed() > than
