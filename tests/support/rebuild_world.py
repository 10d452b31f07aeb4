"""A shop's source topic, workers of derive, and the commands that look at its table."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple, Self

from click.testing import CliRunner
from confluent_kafka import Producer

from streams.avro import codec
from streams.cli import commands
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.demo.shop import Shop
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.group_members import group_members
from streams.engine.kafka import KafkaSettings
from streams.errors import BadRecord, ConfigurationError
from streams.model.ids import customer_key
from streams.model.row_bytes import decode_row, row_due
from streams.names import Names
from streams.sources.ordergroove import record_of
from tests.support.engine_world import until
from tests.support.health_pages import until_ready

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from streams.avro import Record
    from streams.model.subscriber import Subscriber

PARTITIONS = 3
"""As many as there are in the world of deliveries."""
PATIENCE = 120.0
KLAVIYO = "klaviyo"
SOURCE = codec("sources/ordergroove")


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class RebuildWorld:
    """One test's topics, workers and commands; a context manager that ends the workers."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.topics = Topics(bootstrap)
        self.names = Names(prefix)
        self.source = self.names.events("ordergroove")
        self.folder = folder
        self.environment = {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_DERIVE__FLOWS_FROM": "beginning",
            "STREAMS_DERIVE__CHECKOUT_SETTLE": "2s",
            "STREAMS_DERIVE__CANCEL_SETTLE": "2s",
            "STREAMS_BREAKER__SHARE": "1",
            "STREAMS_TOPICS__REPLICATION": "1",
            "STREAMS_HASH_KEY": "sixteen bytes and more",
            f"STREAMS_CONNECTIONS__{KLAVIYO.upper()}__MODE": "shadow",
        }
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        """Create the topics."""
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics([KLAVIYO])
        ]
        create_topics(self.kafka, specs)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the workers."""
        stop(self._children)

    def append(self, records: Iterable[Record]) -> None:
        """Append records of the source."""
        producer = Producer(self.kafka.producer())
        for record in records:
            key = customer_key(record["merchant"], record["customer_id"])
            producer.produce(self.source, SOURCE.encode(record), key)
            producer.poll(0)
        assert producer.flush(PATIENCE) == 0

    def derive(self, **more: str) -> Child:
        """Start a worker, and wait until it is ready."""
        [port] = free_ports(1)
        child = Child(
            f"derive-{len(self._children)}",
            ("worker", "derive", "--port", str(port)),
            self.folder,
            self.environment | more,
        )
        self._children.append(child)
        until_ready(child, port)
        return child

    def derived(self, generation: int = 0) -> None:
        """Have a worker do all there is, timers included, and end."""
        worker = self.derive()
        self.committed()
        self.settled(generation)
        self.end(worker)

    def committed(self) -> None:
        """Wait until every record is committed."""
        group = self.names.derive_group
        until(lambda: self.topics.behind(group, self.source) == 0, "all is committed")

    def end(self, worker: Child) -> None:
        """End a worker, and wait until its group knows."""
        stop([worker])
        until(lambda: not group_members(self.kafka, self.names.derive_group), "nobody is left")

    def run(self, *arguments: str, **more: str) -> Said:
        """Run a command to its end, in this process."""
        environment = {**self.environment, **more}
        done = CliRunner().invoke(commands, arguments, env=environment)
        if isinstance(done.exception, ConfigurationError):
            return Said(2, done.stdout, str(done.exception))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def killed(self, step: str, *arguments: str) -> int:
        """Run a command in a process of its own, which kills itself at a step; its status."""
        environment = os.environ | self.environment | {"STREAMS_REHEARSE": f"kill@{step}"}
        command = [sys.executable, "-m", "streams", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=False, timeout=PATIENCE
        ).returncode

    def rows(self, generation: int = 0) -> dict[bytes, Subscriber]:
        """The rows of a generation."""
        changelog = self.names.changelog("ordergroove", generation)
        rows = {m.key() or b"": m.value() for m in self.topics.records(changelog)}
        return {key: decode_row(value) for key, value in rows.items() if value is not None}

    def settled(self, generation: int = 0) -> None:
        """Wait until no row has a timer."""

        def is_settled() -> bool:
            return not any(row_due(row) for row in self.rows(generation).values())

        until(is_settled, "nothing waits any more")

    def delivered(self) -> list[Record]:
        """Everything that derive told, in no order."""
        decode = codec("events/enriched").decode
        return [decode(m.value()) for m in self.topics.records(self.names.deliveries(KLAVIYO))]


def a_day(events: int, seed: int = 8) -> Iterator[Record]:
    """The records of a day of the demo's shop, dirt included as far as it can be a record."""
    for body in Shop(seed, events):
        try:
            yield record_of(body)
        except BadRecord:
            continue
