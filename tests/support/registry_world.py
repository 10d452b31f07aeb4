"""A derive role with a registry on a real broker: real command line, child processes, real HTTP.

The test feeds records under whatever ids it likes, and switches the registry off and on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Consumer, Producer, TopicPartition

from streams.avro import Codec
from streams.demo.broker import free_ports
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.engine.patience import patiently
from streams.model.ids import customer_key
from streams.names import Names
from streams.sources.ordergroove import record_of
from tests.support.engine_world import until
from tests.support.health_pages import page
from tests.support.registry import Served, framed
from tests.support.registry_server import RegistryServer
from tests.support.webhooks import order, webhook

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PARTITIONS = 3
PATIENCE = 60.0
SOURCE = "sources/ordergroove"


def body(customer: str, number: int = 1) -> bytes:
    """A webhook of a customer's order."""
    told = order(f"{customer}-o{number}", customer=customer, place="2026-10-05")
    return webhook("order.reminder", told, id=f"{customer}-{number}")


class Worker:
    """A process of the command line, its log and its health."""

    def __init__(self, world: RegistryWorld, *arguments: str, log: Path) -> None:
        (port,) = free_ports(1)
        self._url, self._log = f"http://127.0.0.1:{port}", log / f"{port}.log"
        command = [sys.executable, "-m", "streams", "worker", *arguments, "--port", str(port)]
        with self._log.open("wb") as errors:
            self.process = subprocess.Popen(command, env=world.environment, stderr=errors)

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text()

    def reason(self) -> str:
        """Why it is not ready; empty when it is."""
        status, text = page(self._url + "/readyz", PATIENCE)
        if status == 0:
            return "does not answer"
        return "; ".join(json.loads(text)["reasons"].values())

    def waits(self, cause: str) -> float:
        """How many of its lanes wait for the registry, by its metrics."""
        _, text = page(self._url + "/metrics", PATIENCE)
        name = f'streams_registry_waiting{{cause="{cause}"}} '
        found = [line.removeprefix(name) for line in text.splitlines() if line.startswith(name)]
        return float(found[0])

    def is_told(self, reason: str) -> bool:
        """Whether it says that it is not ready for this reason."""
        return reason in self.reason()

    def until_ready(self) -> None:
        """Wait until it says that it is ready."""
        until(lambda: self.reason() == "", "it is ready")


class RegistryWorld:
    """One test's topics, registry and workers; a context manager."""

    def __init__(self, bootstrap: str, prefix: str, log: Path, patience: str = "60s") -> None:
        self.kafka, self.names = KafkaSettings(bootstrap=bootstrap), Names(prefix)
        self.server = RegistryServer(login=("derive", "pw_81c2f0aa"))
        self.fed: list[str] = []
        self.environment = dict(os.environ) | {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            "STREAMS_CONNECTIONS__KLAVIYO__MODE": "shadow",
            "STREAMS_CONNECTIONS__KLAVIYO__START": "beginning",
            "STREAMS_DERIVE__FLOWS_FROM": "beginning",
            "STREAMS_REGISTRY__USERNAME": "derive",
            "STREAMS_REGISTRY__PASSWORD": "pw_81c2f0aa",
            "STREAMS_REGISTRY__PATIENCE": patience,
        }
        self._path = log
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        self.server.switch_on()
        self.environment["STREAMS_REGISTRY__URL"] = self.server.url
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics(["klaviyo"])
        ]
        create_topics(self.kafka, specs)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.process.wait()
        self.server.switch_off()

    def run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end."""
        command = [sys.executable, "-m", "streams", *arguments]
        return subprocess.run(
            command, env=self.environment, input=given, capture_output=True, check=False
        )

    def register(self) -> None:
        """Register our own schemas, by the command."""
        done = self.run("schemas", "register")
        assert done.returncode == 0, done.stderr

    def start(self, *role: str) -> Worker:
        """Start a worker, of the derive role if no other is named."""
        self._workers.append(Worker(self, *role or ("derive",), log=self._path))
        return self._workers[-1]

    def feed(self, number: int, text: str, *customers: str) -> None:
        """Append a record of each customer, written by some schema under some id."""
        for customer in customers:
            record = record_of(body(customer))
            key = customer_key(record["merchant"], customer)
            self.append(self.names.events("ordergroove"), key, framed(number, text, record))
            self.fed.append(customer)

    def append(self, topic: str, key: bytes, value: bytes) -> None:
        """Append a record to a topic."""
        producer = Producer(self.kafka.producer())
        producer.produce(topic, value, key)
        assert producer.flush(PATIENCE) == 0

    def told(self) -> list[str]:
        """The customers of the committed deliveries, repetitions included."""
        topic = self.names.deliveries("klaviyo")
        return sorted(each["customer_id"] for each in self.read(topic, "events/enriched"))

    def letters(self) -> list[tuple[str, str]]:
        """Reason and detail of every committed dead letter of the source."""
        topic = self.names.dead_letters("ordergroove")
        return [(each["reason"], each["detail"]) for each in self.read(topic, "dead_letter")]

    def committed(self, connection: str | None = None) -> int:
        """How many records of the source, or of a connection's topic, are committed."""
        names = self.names
        topic, group = names.events("ordergroove"), names.derive_group
        if connection is not None:
            topic, group = names.deliveries(connection), names.deliver_group(connection)
        observer = Consumer(self.kafka.observer(group))
        try:
            places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
            found = patiently(lambda: observer.committed(places, 10), 20)
            return sum(max(0, each.offset) for each in found)
        finally:
            observer.close()

    def until_committed(self, count: int) -> None:
        """Wait until so many source records are committed."""
        until(lambda: self.committed() >= count, f"{count} records are committed")

    def values(self, topic: str) -> list[bytes]:
        """The committed records of a topic."""
        reader = Consumer(self.kafka.reader(isolation="read_committed"))
        values, waiting = [], set(range(PARTITIONS))
        reader.assign([TopicPartition(topic, partition, 0) for partition in waiting])
        try:
            while waiting:
                for message in reader.consume(1_000, 0.1):
                    if message.error() is None:
                        values.append(message.value() or b"")
                    else:  # the end of the partition
                        waiting.discard(message.partition() or 0)
        finally:
            reader.close()
        return values

    def read(self, topic: str, schema: str) -> list[dict[str, Any]]:
        """The committed records of a topic, by one of our schemas."""
        records = []
        for value in self.values(topic):
            number = int.from_bytes(value[1:5], "big")
            served = Served({number: self.server.text(number)})  # it may be off
            records.append(Codec(served, schema).decode(value))
        return records
