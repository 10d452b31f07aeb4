"""What engine tests stand on: topics of their own, workers as child processes, and the truth.

The truth is what one thread would do with the records of each key in order.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from streams.engine.admin import TopicSpec, create_topics
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.kafka import KafkaSettings
from streams.engine.partitioning import partition_of
from streams.engine.patience import patiently
from streams.engine.poller import Poller
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from signal import Signals
    from types import TracebackType

    from streams.engine.batch import Batch
    from streams.engine.lane import Lane

PARTITIONS = 4
PATIENCE = 60.0
ROOT = Path(__file__).parents[2]

Record = tuple[bytes, bytes]


class World:
    """The topics and the group of one test, on a real broker."""

    def __init__(self, bootstrap: str, prefix: str, *, replication: int = 1) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.replication = replication
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.source, self.out, self.log, self.control = (
            f"{prefix}.{name}" for name in ("in", "out", "log", "control")
        )
        self.fed: list[Record] = []

    def create(self, *, start: bool = True) -> Self:
        """Create the topics; `start`: also the group's first offsets."""
        compact = {"cleanup.policy": "compact"}
        wanted = [(self.source, {}), (self.out, {}), (self.log, compact), (self.control, compact)]
        create_topics(
            self.kafka,
            [
                TopicSpec(
                    name=name, partitions=PARTITIONS, replication=self.replication, config=config
                )
                for name, config in wanted
            ],
        )
        if start:
            ensure_first_offsets(
                self.kafka, self.prefix, self.source, start="beginning", control=self.control
            )
        return self

    def feed(self, records: Iterable[Record], *, timestamp: int = 0) -> None:
        """Append records to the source, each to the partition of its key."""
        producer = Producer(self.kafka.producer())
        for key, value in records:
            producer.produce(self.source, value, key, timestamp=timestamp)
            producer.poll(0)
            self.fed.append((key, value))
        assert producer.flush(PATIENCE) == 0

    def counted(self, keys: int, each: int) -> list[Record]:
        """Return records to feed: so many keys with so many records each, interleaved."""
        return [(b"key-%d" % k, b"%d" % n) for n in range(each) for k in range(keys)]

    def partition(self, key: bytes) -> int:
        """Return the partition of a key."""
        return partition_of(key, PARTITIONS)

    def truth(self) -> dict[bytes, list[bytes]]:
        """Return what the outputs of each key must be, in order."""
        outputs: dict[bytes, list[bytes]] = defaultdict(list)
        for key, value in self.fed:
            outputs[key].append(b"%d:%s" % (len(outputs[key]) + 1, value))
        return dict(outputs)

    def outputs(self) -> dict[bytes, list[bytes]]:
        """Return the committed outputs of each key, in order."""
        outputs: dict[bytes, list[bytes]] = defaultdict(list)
        for message in self.read(self.out):
            outputs[message.key() or b""].append(message.value() or b"")
        return dict(outputs)

    def table(self) -> dict[bytes, bytes]:
        """Return the rows that the changelog stands for."""
        return {m.key() or b"": m.value() or b"" for m in self.read(self.log)}

    def read(self, topic: str) -> Iterator[Message]:
        """Yield all committed records of a topic, up to what is decided now."""
        marks = Watermarks(self.kafka, topic).stable(range(PARTITIONS))
        reader = Consumer(self.kafka.reader(isolation="read_committed"))
        unfinished = {partition for partition, mark in marks.items() if mark}
        reader.assign([TopicPartition(topic, partition, 0) for partition in unfinished])
        try:
            while unfinished:
                message = reader.poll(PATIENCE)
                assert message is not None, f"{topic} cannot be read to its end"
                if message.error() is None:
                    yield message
                elif (message.offset() or 0) >= marks[message.partition() or 0]:
                    unfinished.discard(message.partition() or 0)
        finally:
            reader.close()

    def committed(self) -> int:
        """Return how many source records the group has committed."""
        return sum(self.offsets().values())

    def offsets(self) -> dict[int, int]:
        """Return the group's committed offset in each partition."""
        observer = self._observer
        places = [TopicPartition(self.source, partition) for partition in range(PARTITIONS)]
        found = patiently(lambda: observer.committed(places, 5), 30)
        return {place.partition: max(0, place.offset) for place in found}

    @cached_property
    def _observer(self) -> Consumer:
        uncommitted = {"isolation.level": "read_uncommitted"}  # not held up by a transaction
        return Consumer(self.kafka.observer(self.prefix) | uncommitted)

    def until_all_committed(self) -> None:
        """Wait until the group has committed everything that was fed."""
        until(lambda: self.committed() >= len(self.fed), f"{len(self.fed)} records are committed")


def assert_exact(world: World) -> None:
    """Compare everything that is visible with the truth."""
    truth = world.truth()

    assert truth == world.outputs()
    assert {key: b"%d:0" % len(values) for key, values in truth.items()} == world.table()


def until(fact: Callable[[], bool], what: str) -> None:
    """Wait until something becomes true; it must within a minute."""
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)


class Worker:
    """A worker of the counting job as a child process.

    Attributes:
        module: what the process runs.
    """

    module = "tests.support.engine_job"

    def __init__(self, world: World, instance: str, *options: str, log: Path) -> None:
        self._log = log / f"{world.prefix}-{instance}.log"
        with self._log.open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", self.module),
                    *(world.bootstrap, world.prefix, instance, *options),
                ],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def __enter__(self) -> Self:
        """Return the running worker."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process however it is."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text()

    @property
    def changes(self) -> list[str]:
        """What it wrote of partitions that came and went, a line each time."""
        words = ("gained partitions", "gave up partitions", "lost partitions")
        return [line for line in self.log.splitlines() if any(word in line for word in words)]

    @property
    def owned(self) -> set[int]:
        """The partitions that it has now, as its log tells."""
        own: set[int] = set()
        for line in self.changes:
            numbers = line.rpartition("[")[2].rstrip("]").split(",")
            moved = {int(number) for number in numbers if number}
            own = own | moved if "gained" in line else own - moved
        return own

    def web(self) -> str:
        """Return the address of its web server; waits for it."""
        assert self._process.stdout is not None
        host, port = json.loads(self._process.stdout.readline())["web"]
        return f"http://{host}:{port}"

    def send(self, number: Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end; return the exit code, a signal's number negative."""
        return self._process.wait(PATIENCE)

    def stopped(self) -> None:
        """Wait until it is stopped by SIGSTOP."""
        status = Path(f"/proc/{self._process.pid}/stat")
        until(lambda: status.read_text().rsplit(")", 1)[1].split()[0] == "T", "it is stopped")


class Driver:
    """One lane on the test's own event loop, without Faust: the poller's `Shell`.

    Attributes:
        gained: the partitions that came, in order, those that came again too.
        lost: the partitions that went.
    """

    def __init__(self, world: World, lane: Lane) -> None:
        self.poller = Poller(lane, world.kafka)
        self.failure: BaseException | None = None
        self.gained: list[int] = []
        self.lost: list[int] = []
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Join the group and feed the handler."""
        self.poller.start(asyncio.get_running_loop(), self)
        self._feeding = asyncio.create_task(self._feed())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the group in the orderly way."""
        await self.poller.stop()
        self._feeding.cancel()
        with suppress(asyncio.CancelledError):
            await self._feeding

    def received(self, _topic: str, batch: Batch) -> None:
        """Queue a batch."""
        self._batches.put_nowait(batch)

    async def changed(self, _topic: str, gained: Collection[int], lost: Collection[int]) -> None:
        """Note the partition numbers, each time."""
        self.gained += gained
        self.lost += lost

    def failed(self, error: BaseException) -> None:
        """Keep the first failure."""
        self.failure = self.failure or error

    async def until(self, fact: Callable[[], Any], what: str) -> None:
        """Wait until something becomes true; it must within a minute, and without a failure."""
        deadline = time.monotonic() + PATIENCE
        while not await asyncio.to_thread(fact):
            if self.failure is not None:  # which may be the very fact, come meanwhile
                assert await asyncio.to_thread(fact), f"{what}: {self.failure}"
                return
            assert time.monotonic() < deadline, f"in vain: {what}"
            await asyncio.sleep(0.02)

    async def _feed(self) -> None:
        while True:
            await self.poller.lane.handler.feed(await self._batches.get())
