"""What is worked off, one for each table of the bench: records, topics, and the truth about them.

Every run gets topics of its own under a prefix, filled with the very same records in the same
partitions, at the same offsets and with the same timestamps.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from streams.demo.children import Child
from streams.demo.shop import Shop, opens_for
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.engine.partitioning import partition_of
from streams.engine.patience import patiently
from streams.names import Names
from tests.bench.filling import fill
from tests.bench.outputs import Outputs, fold, read
from tests.bench.peers.jobs import CONNECTION_TABLES, CONNECTIONS, JOBS, SETTINGS, Job, Place
from tests.bench.reference import job as reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

DAMAGED = 1_000
"""Of so many of the shop's records one is cut short, so that there are dead letters."""
CHUNK = 1_000
PATIENCE = 600.0
TOPICS_SECONDS = 90.0
KEPT = {"retention.ms": "-1", "message.timestamp.type": "CreateTime"}


class Record(NamedTuple):
    """A record of the source."""

    key: bytes
    value: bytes
    place: Place


class Truth:
    """What the job makes of records in one thread.

    Attributes:
        cpu_micros: CPU microseconds a record, of the pure job alone.
        outputs: how many records it writes.
    """

    def __init__(self, table: str, partitions: int, records: Sequence[Record]) -> None:
        self._table = table
        self._partition = cache(lambda key: partition_of(key, partitions))
        self._told: Outputs = {}
        self._bad: list[Record] = []
        self.outputs = 0
        rows: dict[bytes, bytes | None] = {}
        job = JOBS[table]("")
        seconds = 0.0
        for start in range(0, len(records), CHUNK):
            chunk, results = records[start : start + CHUNK], []
            began = time.process_time()
            for key, value, place in chunk:
                result = job.apply(key, value, rows.get(key), place)
                rows[key] = result.row
                results.append(result.outputs)
            seconds += time.process_time() - began
            for record, outputs in zip(chunk, results, strict=True):
                self._fold(record, outputs)
        self.cpu_micros = seconds / len(records) * 1e6

    def under(self, prefix: str) -> Outputs:
        """The outputs of a run: dead letters name the topic that they came from."""
        job, outputs = JOBS[self._table](prefix), dict(self._told)
        for key, value, place in self._bad:
            for topic, to, letter in job.apply(key, value, None, place).outputs:
                fold(outputs, topic.removeprefix(prefix), self._partition(to), to, letter)
        return outputs

    def _fold(self, record: Record, outputs: Iterable[tuple[str, bytes, bytes]]) -> None:
        for topic, key, value in outputs:
            self.outputs += 1
            if key == record.key:
                fold(self._told, topic, self._partition(key), key, value)
            else:
                self._bad.append(record)


class Workload:
    """One table's records, and how they get to a run's topics."""

    def __init__(self, table: str, partitions: int, records: list[Record]) -> None:
        self.table = table
        self.partitions = partitions
        self.records = records
        self._truths: dict[int, Truth] = {}

    def job(self, prefix: str) -> Job:
        """The job, which knows its topics."""
        return JOBS[self.table](prefix)

    def clip(self, events: int) -> int:
        """So many events, or all that there are."""
        return min(events, len(self.records))

    def truth(self, events: int) -> Truth:
        """The truth about the first so many records."""
        if events not in self._truths:
            self._truths[events] = Truth(self.table, self.partitions, self.records[:events])
        return self._truths[events]

    def fill(self, bootstrap: str, prefix: str, events: int) -> None:
        """Make a run's topics and write the first so many records to its source."""
        kafka = KafkaSettings(bootstrap=bootstrap)
        specs = [self._spec(*topic) for topic in self._topics(prefix)]
        patiently(lambda: create_topics(kafka, specs), TOPICS_SECONDS)
        records = (
            (key, value, place.partition, place.timestamp)
            for key, value, place in islice(self.records, events)
        )
        fill(bootstrap, self.job(prefix).source, records)

    def _topics(self, prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
        if self.table == "product":
            yield from Names(prefix).topics(CONNECTIONS)
            return
        job = self.job(prefix)
        for name in (job.source, *job.outputs):
            yield name, {}
        for name in ("changelog", "control"):
            yield f"{prefix}.{name}", {"cleanup.policy": "compact"}

    def _spec(self, name: str, config: dict[str, str]) -> TopicSpec:
        return TopicSpec(
            name=name, partitions=self.partitions, replication=1, config={**config, **KEPT}
        )


def reference_workload(partitions: int, events: int, subscribers: int) -> Workload:
    """The reference job's records."""
    now = time.time_ns() // 1_000_000
    made = ((key, value, now) for key, value in reference.records(events, subscribers))
    return Workload("reference", partitions, placed(made, partitions))


def product_workload(bootstrap: str, partitions: int, events: int, directory: Path) -> Workload:
    """The demo shop's records, as `streams produce` writes them; some are damaged then."""
    settings = f'prefix = "shop"\n[kafka]\nbootstrap = "{bootstrap}"\n'
    settings += f"[topics]\npartitions = {partitions}\nreplication = 1\n"
    (directory / "streams.toml").write_text(settings)
    Child("topics", ("topics", "create"), directory, {}).wait(60)
    bodies = directory / "bodies.jsonl"
    with bodies.open("wb") as file:
        opens = opens_for(time.time())
        file.writelines(body + b"\n" for body in Shop(7, events=events, opens=opens))
    Child("produce", ("produce", "ordergroove", str(bodies)), directory, {}).wait(PATIENCE)
    messages = sorted(
        read(bootstrap, [Names("shop").events("ordergroove")]),
        key=lambda message: (message.timestamp()[1], message.partition() or 0, message.offset()),
    )
    made = (
        (message.key() or b"", _damaged(number, message.value() or b""), message.timestamp()[1])
        for number, message in enumerate(messages)
    )
    return Workload("product", partitions, placed(made, partitions))


def worker_settings(bootstrap: str, prefix: str, partitions: int, guarantee: str) -> str:
    """The settings file of the product's own worker."""
    return (
        f'prefix = "{prefix}"\n[kafka]\nbootstrap = "{bootstrap}"\n'
        f"[topics]\npartitions = {partitions}\nreplication = 1\n"
        f'{SETTINGS}guarantee = "{guarantee}"\n{CONNECTION_TABLES}'
    )


def _damaged(number: int, value: bytes) -> bytes:
    return value[: len(value) // 2] if number % DAMAGED == DAMAGED - 1 else value


def placed(made: Iterable[tuple[bytes, bytes, int]], partitions: int) -> list[Record]:
    """Give each record the place that the Java clients' default partitioner would give it."""
    partition = cache(lambda key: partition_of(key, partitions))
    offsets: Counter[int] = Counter()
    records = []
    for key, value, timestamp in made:
        where = partition(key)
        records.append(Record(key, value, Place(where, offsets[where], timestamp)))
        offsets[where] += 1
    return records
