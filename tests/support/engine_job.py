"""A small job that drives the engine in tests: counts per key, with timers, poison and breakpoints.

Run as a module it is a whole worker process:
`python -m tests.support.engine_job BOOTSTRAP PREFIX INSTANCE [--break STEP:NTH:SIGNAL] …`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge

from streams.engine.at_least_once import AtLeastOnce
from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.lane import Lane, PollOptions
from streams.engine.shell import build_app
from streams.engine.state.opening import open_local_state
from streams.engine.state.rocksdb import RocksStore
from streams.engine.transactional import Transactional
from streams.engine.worker import run_worker
from streams.health import serve_health

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from streams.engine.job import Outputs
    from streams.engine.publication import Publication
    from streams.engine.rows import Rows

TIMER = b"timer:"
POISON = b"poison"


class Poison(Exception):
    """What the job raises for a poisonous record."""


class Counting:
    """Counts a key's records. A value `timer:MILLISECONDS` sets a timer, `poison` raises.

    Output per record: `COUNT:VALUE`; per timer: `fired:DUE`. Row: `COUNT:DUE`.
    """

    def __init__(self, out: str) -> None:
        self._out = out

    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Count one record."""
        key, value = message.key() or b"", message.value() or b""
        if value == POISON:
            raise Poison
        count, due = _parse(rows.get(key))
        if value.startswith(TIMER):
            due = int(value.removeprefix(TIMER))
        rows.put(key, b"%d:%d" % (count + 1, due), due)
        outputs.append((self._out, key, b"%d:%s" % (count + 1, value), None))

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:  # noqa: ARG002
        """Say that the timer fired, and clear it."""
        count, _ = _parse(rows.get(key))
        rows.put(key, b"%d:0" % count)
        outputs.append((self._out, key, b"fired:%d" % due, None))

    def due(self, row: bytes) -> int:
        """Return the row's timer."""
        return _parse(row)[1]


def _parse(row: bytes | None) -> tuple[int, int]:
    count, _, due = (row or b"0:0").partition(b":")
    return int(count), int(due)


def breakpoint_at(description: str | None) -> Callable[[str], None]:
    """Return a seam that sends a signal to the process itself: `STEP:NTH:SIGNAL`."""
    if description is None:
        return lambda _step: None
    step, nth, name = description.split(":")
    seen = 0

    def at(reached: str) -> None:
        nonlocal seen
        seen += reached == step
        if reached == step and seen == int(nth):
            os.kill(os.getpid(), signal.Signals[name])

    return at


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("bootstrap")
    arguments.add_argument("prefix")
    arguments.add_argument("instance")
    arguments.add_argument("--break", dest="breakpoint")
    arguments.add_argument("--guarantee", default="exactly_once")
    arguments.add_argument("--protocol", choices=["classic", "consumer"], default="classic")
    arguments.add_argument("--static", action="store_true")
    arguments.add_argument("--session-timeout", type=int, default=6_000, help="ms; classic only")
    arguments.add_argument("--max-batch", type=int, default=4_000)
    arguments.add_argument("--store", choices=["memory", "rocksdb"], default="memory")
    arguments.add_argument("--directory", type=Path)
    arguments.add_argument("--largest-file", type=int, help="bytes; more is like a full disk")
    return arguments.parse_args()


def main() -> int:
    """Run a worker on the topics `PREFIX.in`, `.out` and `.log`."""
    given = _arguments()
    logging.basicConfig(level="INFO", format="%(asctime)s %(threadName)s %(name)s: %(message)s")
    kafka = KafkaSettings(
        bootstrap=given.bootstrap,
        protocol=given.protocol,
        session_timeout_ms=given.session_timeout,
        heartbeat_interval_ms=300,  # members hear sooner of a rebalance
        instance_id=given.instance if given.static else None,
    )
    at = breakpoint_at(given.breakpoint)
    publication: Publication = AtLeastOnce(kafka, at=at)
    if given.guarantee == "exactly_once":
        ends = given.store == "rocksdb"
        publication = Transactional(kafka, f"{given.prefix}-{given.instance}", at=at, ends=ends)
    job = Counting(f"{given.prefix}.out")
    store = RocksStore(open_local_state(given.directory, 8)) if given.store == "rocksdb" else None
    if given.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file, given.largest_file))
    lane = Lane(
        name="count",
        topic=f"{given.prefix}.in",
        group=given.prefix,
        handler=JobHandler(kafka, job, f"{given.prefix}.log", publication, store=store),
        options=PollOptions(max_batch=given.max_batch, poison_limit=3),
    )
    app = build_app(given.prefix, kafka, [lane], web_port=0, web_host="127.0.0.1")
    registry = CollectorRegistry()
    Gauge("streams_engine_test", "Shows that the registry is served.", registry=registry).set(1)
    serve_health(app, app.pollers, registry)

    async def tell_address() -> None:
        sys.stdout.write(json.dumps({"web": app.web_address}) + "\n")
        sys.stdout.flush()

    app.task(tell_address)
    return run_worker(app)


if __name__ == "__main__":
    sys.exit(main())
