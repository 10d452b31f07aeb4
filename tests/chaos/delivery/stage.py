"""The stage of one round: its topics, its vendors, two workers, and who looks after them.

A worker that ends unasked is noted and started again, as any supervisor would do.
"""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.avro import codec
from streams.delivery.reader import PartitionReader
from streams.demo.broker import free_ports
from streams.demo.children import Child
from streams.demo.observation import Topics
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.names import Names
from tests.chaos.delivery.stock import ORDERS
from tests.chaos.delivery.vendor import KEY, Vendor
from tests.chaos.delivery.worker import HOSTS, Worker
from tests.chaos.stage import InVain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.delivery.judge import Fault
    from tests.chaos.delivery.plan import Plan

PARTITIONS: Final = 6
PATIENCE: Final = 120.0
_LOOK_SECONDS: Final = 0.05
_NEVER: Final = 1 << 62

_SETTINGS = """\
prefix = "{prefix}"
[kafka]
bootstrap = "{bootstrap}"
"""
_CONNECTION = """
[connections.{name}]
mode = "live"
start = "beginning"
credentials_file = "{file}"
limits = 100
{more}
"""
_MORE = {
    "ometria": 'sync_profiles_every = "0s"',
    "yespo": "order_statuses = {{ {} }}".format(
        ", ".join(f'"{each}" = ""' for each in ORDERS),
    ),
}


class Stage:
    """One round's topics, vendors and workers.

    Attributes:
        plan: of the round.
        chance: for moments and victims.
        victim: the vendor that has the trouble.
        workers: those that should be alive.
        faults: what was done.
        met: the worker that the fault met, if it was one's.
        ends: partition of the outcomes → its end when the fault met the worker.
        notes: what else is worth a word.
        wrong: what must not have happened besides differences, such as a stop that failed.
    """

    def __init__(self, bootstrap: str, directory: Path, plan: Plan) -> None:
        """Start the vendors, make the topics, start the workers."""
        self.plan = plan
        self.chance = Random(plan.seed)
        self.directory = directory
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        prefix = f"chaos-delivery-{plan.number}-{time.monotonic_ns()}"
        self.names = Names(prefix)
        self.topics = Topics(bootstrap)
        self.workers: list[Worker] = []
        self.faults: list[Fault] = []
        self.met: Worker | None = None
        self.ends: dict[int, int] = {}
        self.notes: list[str] = []
        self.wrong: list[str] = []
        self._started: list[Worker] = []
        ports = free_ports(4)
        pairs = zip(plan.connections, ports, strict=False)
        self.vendors = {name: Vendor(name, port, directory) for name, port in pairs}
        self.victim = self.vendors[plan.victim]
        self._ports = dict(zip(HOSTS, ports[2:], strict=True))
        text = _SETTINGS.format(prefix=prefix, bootstrap=bootstrap)
        for name in plan.connections:
            self.key_file(name).write_text(f"{KEY}\n", encoding="utf-8")
            text += _CONNECTION.format(
                name=name, file=self.key_file(name), more=_MORE.get(name, "")
            )
        (directory / "streams.toml").write_text(text, encoding="utf-8")

    def key_file(self, connection: str) -> Path:
        """Where a connection's credentials are."""
        return self.directory / f"{connection}.key"

    def open(self) -> None:
        """Make the topics, and start both workers; returns when they are at work."""
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics(self.plan.connections)
        ]
        create_topics(self.kafka, specs)
        for name in HOSTS:
            self.start(name)
        for vendor in self.vendors.values():
            vendor.wait()
        self.until(self.are_ready, "the workers are ready")

    def start(self, name: str) -> Worker:
        """Start a worker, and look after it from now on."""
        number = len(self._started) + 1
        worker = Worker(name, number, self._ports[name], self.directory, self.vendors.values())
        self._started.append(worker)
        self.workers.append(worker)
        return worker

    def command(self, *arguments: str) -> None:
        """Run a command of the program; raises `ChildFailed` if it fails."""
        Child("command", arguments, self.directory, {}).wait(PATIENCE)

    def replace(self, worker: Worker) -> None:
        """Look after a successor from now on: the worker is gone."""
        self.workers.remove(worker)
        self.start(worker.name)

    def restart(self) -> None:
        """Ask all workers to end, and start them again."""
        self.stop()
        for name in HOSTS:
            self.start(name)

    def stop(self) -> None:
        """Ask all workers to end, and demand that they do so well."""
        for worker in list(self.workers):
            self.workers.remove(worker)
            code = worker.stop()
            if code != 0:
                ending = "did not end" if code is None else f"ended with {code}"
                self.wrong.append(f"{worker.name} {ending} on SIGTERM: {worker.last_words}")

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait, looking after the workers; raises `InVain`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                words = "\n".join(f"{each.name}: {each.last_words}" for each in self.workers)
                raise InVain(f"waited in vain until {what}\n{words}")
            self._tend()
            time.sleep(_LOOK_SECONDS)

    def are_ready(self) -> bool:
        """Whether all workers are members of their groups, and nothing of them is paused."""
        return len(self.workers) == len(HOSTS) and all(each.is_ready for each in self.workers)

    def is_drained(self) -> bool:
        """Whether every delivery that was fed is behind a committed offset."""
        places = [
            (self.names.deliver_group(name), self.names.deliveries(name))
            for name in self.plan.connections
        ]
        return not any(self.topics.behind(*place) for place in places)

    def note_ends(self) -> None:
        """Note how far the outcomes are: now no more of the worker that was met can come."""
        with PartitionReader(self.kafka) as reader:
            held = {n: reader.held(self.names.outcomes, n) for n in range(PARTITIONS)}
        self.ends = {number: stretch.end for number, stretch in held.items()}

    def concluded(self) -> dict[str, dict[str, float]]:
        """Connection → delivery id → when its event's first final outcome was in Kafka (epoch s).

        What the worker had concluded when the fault met it, and could not write any more, was not.
        """
        decode, [fault] = codec("outcome").decode, self.faults
        found: dict[str, dict[str, float]] = {name: {} for name in self.plan.connections}
        for message in self.topics.records(self.names.outcomes):
            record = decode(message.value())
            if record["final"] and record["part"] == "event":
                at = record["recorded_at"] / 1_000
                if (message.offset() or 0) >= self.ends.get(message.partition() or 0, _NEVER):
                    at = max(at, fault.began)
                known = found[record["connection"]]
                known[record["delivery_id"]] = min(at, known.get(record["delivery_id"], at))
        return found

    def abandon(self) -> None:
        """End everything at once."""
        for worker in self._started:
            worker.kill()
        for vendor in self.vendors.values():
            vendor.end()

    def delete_topics(self) -> None:
        """Leave nothing behind on the broker."""
        admin = AdminClient(self.kafka.client())
        names = [each.name for each in self.names.topics(self.plan.connections)]
        for answer in admin.delete_topics(names).values():
            try:
                answer.result()
            except KafkaException as error:
                self.notes.append(f"a topic was not deleted: {error}")

    def _tend(self) -> None:
        for worker in [each for each in self.workers if each.ended is not None]:
            self.notes.append(f"{worker.name} ended with {worker.ended}, started again")
            self.replace(worker)
