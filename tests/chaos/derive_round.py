"""One round of chaos for derive: two workers, a kill inside an open transaction, a clean stop.

The workers are real children of the real command line. The truth is the pipeline run in one thread
over the source topic as it stands: outputs per key in order, dead letters, and the table.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import Message, Producer

from streams.avro import codec
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.disorder import broken_records
from streams.demo.observation import Metrics, Topics
from streams.demo.shop import Shop, opens_for
from streams.engine.kafka import KafkaSettings
from streams.engine.watermarks import Watermarks
from streams.model.subscriber import decode_row, row_due
from streams.names import Names
from tests.chaos.derive_truth import SETTINGS as DERIVE_SETTINGS
from tests.chaos.derive_truth import Outputs, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PARTITIONS = 6
CONNECTIONS = ("klaviyo", "klaviyo-eu")
SECONDS = 10.0
PATIENCE = 240.0

SETTINGS = """\
prefix = "{prefix}"
[kafka]
bootstrap = "{bootstrap}"
[topics]
partitions = {partitions}
replication = 1
[connections.klaviyo]
[connections.klaviyo-eu]
destination = "klaviyo"
"""


@dataclass
class Report:
    """What a round found; `differences` empty means exact."""

    seed: int
    records: int = 0
    outputs: int = 0
    rows: int = 0
    killed_at: str = ""
    open_partitions: int = 0
    differences: list[str] = field(default_factory=list)


class Round:
    """One run over its own topics; `run` gives the report."""

    def __init__(self, bootstrap: str, directory: Path, seed: int, events: int) -> None:
        self._chance = random.Random(seed)
        self._bootstrap = bootstrap
        self._directory = directory
        self._seed = seed
        self._events = events
        self._names = Names(f"chaos{seed}-{os.getpid()}-{time.monotonic_ns()}")
        self._topics = Topics(bootstrap)
        self._source = self._names.events("ordergroove")
        self._children: list[Child] = []
        self._report = Report(seed)

    def run(self) -> Report:
        """Feed, kill, stop, wait, compare."""
        try:
            self._prepare()
            self._disturb()
            self._await_all()
        finally:
            stop(self._children)
        self._compare()
        return self._report

    def _prepare(self) -> None:
        prefix = self._names.control.removesuffix(".control")
        settings = SETTINGS.format(prefix=prefix, bootstrap=self._bootstrap, partitions=PARTITIONS)
        (self._directory / "streams.toml").write_text(settings + DERIVE_SETTINGS)
        self._child("topics", "topics", "create").wait(60)
        shop = Shop(self._seed, events=self._events, opens=opens_for(time.time()))
        bodies = self._directory / f"bodies-{self._seed}.jsonl"
        with bodies.open("wb") as file:
            file.writelines(body + b"\n" for body in shop)
        self._bodies = bodies

    def _disturb(self) -> None:
        """Freeze a worker inside a transaction, kill it there, restart it; stop the other."""
        at = ("flushed", "offsets")[self._seed % 2]  # written, and not committed
        step = f"{at}#{self._chance.randint(2, 2 + self._events // 10_000)}"
        ports = free_ports(2)
        victim = self._worker("w1", ports[0], rehearse=f"stop@{step}")
        other = self._worker("w2", ports[1])
        for port in ports:
            _await(Metrics(f"http://127.0.0.1:{port}").ready, "both workers are ready")
        self._feeder = self._child("produce", "produce", "ordergroove", str(self._bodies))
        self._break_some()
        self._report.killed_at = step
        _await(lambda: _is_stopped(victim), f"w1 stops at {step}")
        self._report.open_partitions = self._open_partitions()
        if not self._report.open_partitions:
            self._report.differences.append(f"no transaction was open at {step}")
        victim.process.send_signal(signal.SIGKILL)
        victim.process.wait()
        self._worker("w1-again", 0)
        time.sleep(self._chance.uniform(0, 3))
        other.process.send_signal(signal.SIGTERM)
        if (code := other.process.wait(30)) != 0:
            self._report.differences.append(f"w2 ended with {code} on SIGTERM")

    def _break_some(self) -> None:
        producer = Producer({"bootstrap.servers": self._bootstrap, "partitioner": "murmur2_random"})
        for record in broken_records(self._seed, 20):
            producer.produce(self._source, record.value, record.key)
        producer.flush(30)

    def _open_partitions(self) -> int:
        """Partitions of any topic that hold records of a transaction still open."""
        kafka = KafkaSettings(bootstrap=self._bootstrap)
        topics = [topic.name for topic in self._names.topics(CONNECTIONS)]
        open_ = 0
        for topic in topics:
            marks = Watermarks(kafka, topic)
            written, stable = marks.high(range(PARTITIONS)), marks.stable(range(PARTITIONS))
            open_ += sum(written[number] > stable[number] for number in written)
        return open_

    def _await_all(self) -> None:
        self._feeder.wait(PATIENCE)
        _await(
            lambda: self._topics.behind(self._names.derive_group, self._source) == 0,
            "everything is committed",
        )
        _await(lambda: not any(map(_due, self._rows().values())), "no timer is left")

    def _rows(self) -> dict[bytes, bytes]:
        """The table, as the changelog has it now."""
        records = self._topics.records(self._names.subscribers_changelog)
        return {message.key() or b"": message.value() or b"" for message in records}

    def _worker(self, name: str, port: int, rehearse: str | None = None) -> Child:
        return self._child(name, "worker", "derive", "--port", str(port), rehearse=rehearse)

    def _child(self, name: str, *arguments: str, rehearse: str | None = None) -> Child:
        environment = {} if rehearse is None else {"STREAMS_REHEARSE": rehearse}
        child = Child(name, arguments, self._directory, environment)
        self._children.append(child)
        return child

    def _compare(self) -> None:
        expected = Truth(self._names, self._source, CONNECTIONS)
        expected.read(self._topics.records(self._source))
        truth, rows = expected.outputs, expected.rows
        self._report.records = expected.records
        found: Outputs = defaultdict(list)
        letters = self._names.dead_letters("ordergroove")
        for topic in {topic for topic, _ in truth} | {letters}:
            for message in self._topics.records(topic):
                if topic != letters or _has_origin(message):
                    found[topic, message.key() or b""].append(message.value() or b"")
        kept = self._rows()
        self._report.outputs = sum(map(len, truth.values()))
        self._report.rows = len(rows)
        self._report.differences += _differences("output", truth, found)
        self._report.differences += _differences("row", rows, kept)


def _due(row: bytes) -> int:
    """The row's next timer, 0 for none."""
    return row_due(decode_row(row)) if row else 0


def _has_origin(message: Message) -> bool:
    """Whether a dead letter is a record's: those of bodies are written before derive."""
    return codec("dead_letter").decode(message.value())["topic"] is not None


def _differences(what: str, wanted: Mapping[Any, object], found: Mapping[Any, object]) -> list[str]:
    keys = [key for key in {*wanted, *found} if wanted.get(key) != found.get(key)]
    if not keys:
        return []
    return [
        f"{len(keys)} {what}s of {len(wanted)} differ: {key!r}: expected {wanted.get(key)!r}, "
        f"got {found.get(key)!r}"
        for key in keys[:3]
    ]


def _is_stopped(child: Child) -> bool:
    child.check()
    state = Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain until {what}")
        time.sleep(0.1)
