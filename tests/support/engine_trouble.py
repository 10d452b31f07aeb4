"""A worker of the counting job that gets stuck when it meets a record, and how tests start it.

Run as a module it is a whole worker process with a watchdog:
`python -m tests.support.engine_trouble BOOTSTRAP PREFIX INSTANCE [--stick WHERE] …`.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING

from typing_extensions import override

from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.lane import Lane, PollOptions
from streams.engine.shell import build_app
from streams.engine.transactional import Transactional
from streams.engine.worker import run_worker
from streams.health import serve_health
from streams.metrics import engine_metrics, registry_of
from tests.support.engine_job import Counting, breakpoint_at
from tests.support.engine_world import Worker
from tests.support.health_pages import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from streams.engine.job import Outputs
    from streams.engine.rows import Rows

STUCK = b"stuck"
"""The value at which a troubled worker gets stuck; others count it like any."""

STALL_SECONDS = 5
"""Short, though a publication may take longer when the broker goes away without a sign."""

TRANSACTION_SECONDS = 5


class Troubled(Counting):
    """Counts, and gets stuck: in C code that lets others run, or in Python that never returns."""

    def __init__(self, out: str, where: str | None) -> None:
        super().__init__(out)
        self.where = where
        self.met = threading.Event()

    @override
    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Count, or get stuck."""
        super().apply(message, rows, outputs)
        if message.value() == STUCK:
            self.met.set()
            if self.where == "sleep":
                time.sleep(3_600)
            while self.where == "spin":
                pass

    def publishing(self, step: str) -> None:
        """The seam of the publication: get stuck with a transaction open."""
        if step == "flushed" and self.where == "publication" and self.met.is_set():
            never_come()


class Deadlocked(JobHandler):
    """Holds the poll thread for ever when it asks for timers, once the record was met."""

    job: Troubled

    @override
    def next_due(self, partition: int) -> int:
        """Return the timer, or never."""
        if self.job.where == "poll" and self.job.met.is_set():
            never_come()
        return super().next_due(partition)


def never_come() -> None:
    """Wait for what nobody will do."""
    threading.Event().wait()


def main() -> int:
    """Run a worker on the topics `PREFIX.in`, `.out` and `.log`."""
    arguments = argparse.ArgumentParser()
    for name in ("bootstrap", "prefix", "instance"):
        arguments.add_argument(name)
    arguments.add_argument("--stick")
    arguments.add_argument("--break", dest="breakpoint")
    arguments.add_argument("--stall-timeout", type=float, default=STALL_SECONDS)
    arguments.add_argument("--max-batch", type=int, default=50)
    given = arguments.parse_args()
    logging.basicConfig(level="INFO", format="%(asctime)s %(threadName)s %(name)s: %(message)s")
    kafka = KafkaSettings(
        bootstrap=given.bootstrap,
        heartbeat_interval_ms=300,
        transaction_timeout_ms=1_000 * TRANSACTION_SECONDS,
    )
    job, broken = Troubled(f"{given.prefix}.out", given.stick), breakpoint_at(given.breakpoint)

    def at(step: str) -> None:
        job.publishing(step)
        broken(step)

    publication = Transactional(kafka, f"{given.prefix}-{given.instance}", at=at)
    handler = Deadlocked(kafka, job, f"{given.prefix}.log", publication)
    handler.job = job
    lane = Lane(
        name="count",
        topic=f"{given.prefix}.in",
        group=given.prefix,
        handler=handler,
        options=PollOptions(max_batch=given.max_batch, idle_ms=50),
    )
    app = build_app(
        given.prefix,
        kafka,
        [lane],
        web_port=0,
        web_host="127.0.0.1",
        stall_timeout=given.stall_timeout,
    )
    serve_health(app, app.pollers, registry_of(lambda: engine_metrics(lambda: app.pollers)))

    async def tell_address() -> None:
        sys.stdout.write(json.dumps({"web": app.web_address}) + "\n")
        sys.stdout.flush()

    app.task(tell_address)
    return run_worker(app)


class TroubledWorker(Worker):
    """The worker of this module as a child process; its pages are asked for by name."""

    module = "tests.support.engine_trouble"

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None


def says(address: str, status: int, text: str) -> Callable[[], bool]:
    """Return whether a page has this status and holds this text, to be waited for."""

    def look() -> bool:
        found = page(address)
        return found[0] == status and text in found[1]

    return look


if __name__ == "__main__":
    sys.exit(main())
