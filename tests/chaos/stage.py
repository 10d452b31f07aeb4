"""The stage of one round: its topics, its workers, and who looks after them.

A worker that ends unasked is noted and started again, as any supervisor would do.
"""

from __future__ import annotations

import subprocess
import time
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.demo.cluster import Cluster
from streams.demo.observation import Topics
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.names import Names
from tests.chaos.truth import SETTINGS as DERIVE_SETTINGS
from tests.chaos.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from streams.demo.broker import Broker
    from streams.demo.node import Node
    from tests.chaos.plan import Plan

PARTITIONS: Final = 6
CONNECTIONS: Final = ("klaviyo", "klaviyo-eu")
PATIENCE: Final = 120.0
_LOOK_SECONDS: Final = 0.02
_STOP_SECONDS: Final = 15.0

_SETTINGS = """\
prefix = "{prefix}"
[kafka]
bootstrap = "{bootstrap}"
[connections.klaviyo]
[connections.klaviyo-eu]
destination = "klaviyo"
"""


class InVain(Exception):
    """What was waited for did not come."""


class Hit(NamedTuple):
    """A fault that met a worker in the middle of something.

    Attributes:
        at: monotonic seconds.
        phase: what the worker says that it was in the middle of.
    """

    at: float
    phase: str


class Stage:
    """One round's topics and workers.

    Attributes:
        plan: of the round.
        chance: for moments and victims.
        workers: those that should be alive.
        hits: what the fault met.
        notes: what else is worth a word: workers that ended unasked, …
        faults: what must not have happened besides differences, such as a stop that failed.
    """

    def __init__(
        self, kafka: Broker | Cluster, directory: Path, plan: Plan, state: str = "memory"
    ) -> None:
        self.plan = plan
        self.chance = Random(plan.seed)
        self.workers: list[Worker] = []
        self.hits: list[Hit] = []
        self.notes: list[str] = []
        self.faults: list[str] = []
        self.cluster = kafka if isinstance(kafka, Cluster) else None
        self.nodes: Sequence[Node] = kafka.brokers if isinstance(kafka, Cluster) else [kafka]
        self.bootstrap = kafka.bootstrap
        self.directory = directory
        prefix = f"chaos-{plan.number}-{time.monotonic_ns()}"
        self.names = Names(prefix)
        self.source = self.names.events("ordergroove")
        self.topics = Topics(self.bootstrap)
        self._state = state
        self._started: list[Worker] = []
        settings = _SETTINGS.format(prefix=prefix, bootstrap=self.bootstrap)
        (directory / "streams.toml").write_text(settings + DERIVE_SETTINGS)

    def raise_brokers(self) -> None:
        """Start whatever a round that failed has left down."""
        for node in self.nodes:
            if node.pid is None:
                node.start()

    def create_topics(self) -> None:
        """Create what `streams topics create` would."""
        copies = 1 if self.cluster is None else min(3, len(self.nodes))
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=copies, config=each.config)
            for each in self.names.topics(CONNECTIONS)
        ]
        kafka = KafkaSettings(bootstrap=self.bootstrap)
        self.until(lambda: create_topics(kafka, specs) is not None, "the topics are there")

    def delete_topics(self) -> None:
        """Leave nothing behind on the broker."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for answer in admin.delete_topics(
            [t.name for t in self.names.topics(CONNECTIONS)]
        ).values():
            try:
                answer.result()
            except KafkaException as error:
                self.notes.append(f"a topic was not deleted: {error}")

    def start_worker(self, name: str, *, wish: str | None = None) -> Worker:
        """Start a worker, and look after it from now on."""
        worker = self.make_worker(name, wish=wish)
        self.workers.append(worker)
        return worker

    def make_worker(self, name: str, *, wish: str | None = None) -> Worker:
        """Start a worker that is nobody's concern but the caller's."""
        number = len(self._started) + 1
        worker = Worker(
            name,
            number,
            self.directory,
            self.plan,
            self.names.derive_group,
            wish=wish,
            clock=self.plan.clocks[number % len(self.plan.clocks)],
            state=self._state,
        )
        self._started.append(worker)
        return worker

    def hit(self, phase: str) -> None:
        """The fault comes now, and meets a worker there."""
        self.hits.append(Hit(time.monotonic(), phase))

    def replace(self, worker: Worker, *, wish: str | None = None) -> None:
        """Look after a successor from now on: the worker is gone."""
        self.workers.remove(worker)
        self.start_worker(worker.name, wish=wish)

    def dismiss(self, worker: Worker) -> None:
        """Ask a worker to stop, and demand that it does so well."""
        if worker in self.workers:
            self.workers.remove(worker)
        worker.ask_to_stop()
        try:
            code = worker.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            code = None
        if code != 0:
            ending = "did not end" if code is None else f"ended with {code}"
            self.faults.append(f"{worker.name} {ending} on SIGTERM: {worker.last_words}")

    def tend(self) -> None:
        """Start again whoever ended unasked."""
        for worker in [each for each in self.workers if each.ended is not None]:
            self.notes.append(f"{worker.name} ended with {worker.ended}, started again")
            self.replace(worker)

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait, looking after the workers; raises `InVain`.

        A broker that does not answer just now is one of the things waited for.
        """
        deadline = time.monotonic() + seconds
        while not _holds(condition):
            if time.monotonic() > deadline:
                words = "\n".join(f"{each.name}: {each.last_words}" for each in self.workers)
                raise InVain(f"waited in vain until {what}\n{words}")
            self.tend()
            time.sleep(_LOOK_SECONDS)

    def until_at_work(self, commits: int = 3) -> None:
        """Wait until each worker has committed some."""
        self.until(
            lambda: all(each.count("committed") >= commits for each in self.workers),
            "every worker has committed",
        )

    def stop(self) -> None:
        """End all workers in order."""
        for worker in list(self.workers):
            self.dismiss(worker)

    def abandon(self) -> None:
        """End all workers at once; for a round that came to nothing."""
        for worker in self._started:
            worker.kill()


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except KafkaException:
        return False
