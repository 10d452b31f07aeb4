"""A job over one partition at a time, outside its group: from where it was up to a fixed position.

So a table is computed beside the one that workers keep: the same job and the same order of records
and timers, into a changelog of its own; what the job would send elsewhere is thrown away. Rows and
position are one transaction, so a run that was killed goes on where its last one left off.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from streams.engine.batch import Part, Position
from streams.engine.compute import Poisoned, Work, compute
from streams.engine.group_offsets import committed_positions
from streams.engine.patience import patiently
from streams.engine.publication import OWNER_HEADER, do_nothing, flush, send_changes
from streams.engine.restore import restore
from streams.engine.rows import Shard
from streams.engine.statistics import LaneStatistics
from streams.engine.watermarks import Watermarks
from streams.errors import EngineFailed, StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from confluent_kafka import Message

    from streams.engine.job import Job
    from streams.engine.kafka import KafkaSettings

__all__ = ["OfflineRun", "Overtaken", "Ways"]

_SECONDS: Final = 30.0
_SILENCE_SECONDS: Final = 60.0
_WAIT_SECONDS: Final = 0.1
_MOST: Final = 2_000
_EVERY: Final = 20_000
"""Records between two transactions: what a killed run does again at most."""
_SEEDED: Final = 5_000
_TUNING: Final[dict[str, Any]] = {
    "queued.min.messages": 20_000,
    "queued.max.messages.kbytes": 16 << 10,
    "fetch.message.max.bytes": 2 << 20,
    "fetch.queue.backoff.ms": 1,
}
"""It may stand beside workers on a small machine: little is fetched ahead."""
_FENCED: Final = {
    KafkaError._FENCED,  # noqa: SLF001 - its public name
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
}


class Overtaken(StreamsError):
    """Another run under the same transactional id has begun."""


class Ways(NamedTuple):
    """What a run reads and writes.

    Attributes:
        topic: of the records.
        changelog: of its table, with the topic's number of partitions.
        group: keeps its positions; nobody ever joins it.
        transactional_id: of all runs that must not go on at the same time.
    """

    topic: str
    changelog: str
    group: str
    transactional_id: str


class OfflineRun:
    """Runs a job; a context manager. Methods raise `KafkaException` and `Overtaken`."""

    def __init__(
        self,
        kafka: KafkaSettings,
        job: Job,
        ways: Ways,
        *,
        prepare: Callable[[Sequence[Message]], None] = lambda _: None,
        at: Callable[[str], None] = do_nothing,
    ) -> None:
        """Take over: what an earlier run left open is ended, and it writes nothing any more.

        Args:
            kafka: the connection.
            job: what is done with records and timers; its outputs are thrown away.
            ways: names.
            prepare: called with records before the job sees them.
            at: called at each step of a transaction; for tests.
        """
        self._kafka = kafka
        self._job = job
        self._ways = ways
        self._prepare = prepare
        self._at = at
        self._producer = Producer(kafka.transactional(ways.transactional_id))
        patiently(lambda: self._producer.init_transactions(_SECONDS), _SECONDS)
        with closing(Consumer(kafka.observer(ways.group))) as outsider:
            self._metadata = outsider.consumer_group_metadata()
        self._watermarks = Watermarks(kafka, ways.changelog)
        self._turns = asyncio.Runner()

    def close(self) -> None:
        """End; nothing is open between two calls."""
        self._turns.close()

    def position(self, partition: int) -> Position | None:
        """Where this partition's table is; None: it was never begun."""
        group, topic = self._ways.group, self._ways.topic
        return patiently(
            lambda: committed_positions(self._kafka, group, topic, [partition]), _SECONDS
        )[partition]

    def restored(self, partition: int, position: Position) -> tuple[Shard, dict[bytes, bytes]]:
        """The table as it is in the changelog, to go on from; and its rows, which go with it."""
        # a transaction of ours may be committed, and its end not yet be written everywhere
        if self._watermarks.decided(partition, _SECONDS) is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - public name
        here = frozenset({partition})
        tables = restore(self._kafka, self._ways.changelog, here, lambda: here, LaneStatistics())
        rows = tables[partition]
        return Shard(rows, self._job.due, position), rows

    def seed(
        self, partition: int, rows: Iterable[tuple[bytes, bytes]], position: Position
    ) -> Iterator[int]:
        """Begin a partition with these rows, of this position; yields how many, as they go.

        What an earlier run left there without a position is deleted first. The position comes with
        the last of them: cut short, it is done again from the beginning.
        """
        _, left = self.restored(partition, position)
        for some in _pieces(((key, None) for key in left), whole=False):
            self._publish(partition, some, None)
        for some in _pieces(rows):
            last = len(some) < _SEEDED
            self._publish(partition, some, position if last else None)
            yield len(some)

    def run(self, partition: int, shard: Shard, until: Position) -> Iterator[int]:
        """Apply what lies before a position to the shard; yields how many offsets that was.

        At the end timers have fired as far as stream time was there, which is its metadata.

        Raises:
            EngineFailed: the job raised, or records before the position are gone.
        """
        changes: dict[bytes, bytes | None] = {}
        unpublished = 0
        for messages, offset in self._records(partition, shard.offset, until.offset):
            before = shard.offset
            if messages:
                self._prepare(messages)
                changes |= self._computed(shard, Part(partition, 0, shard.previous, messages))
                unpublished += len(messages)
            shard.offset = max(shard.offset, offset)
            if unpublished >= _EVERY and shard.offset < until.offset:
                self._publish(partition, changes, _position(shard))
                changes, unpublished = {}, 0
            yield shard.offset - before
        stream_time = int(until.metadata) if until.metadata.isdecimal() else 0
        changes |= self._computed(shard, Part(partition, 0, shard.previous, (), stream_time))
        self._publish(partition, changes, _position(shard))

    def _computed(self, shard: Shard, part: Part) -> dict[bytes, bytes | None]:
        try:
            work = self._turns.run(compute(self._job, shard, part))
        except Poisoned as error:
            topic = self._ways.topic
            raise EngineFailed(f"{topic}[{part.partition}]: the job raised at {error}") from error
        return {} if work is None else work.changes

    def _records(self, partition: int, start: int, end: int) -> Iterator[tuple[list[Message], int]]:
        """Yield the committed records of [start, end) and the offset behind what was looked at."""
        if start >= end:
            return
        topic, position = self._ways.topic, start
        deadline = time.monotonic() + _SILENCE_SECONDS
        with closing(Consumer(self._kafka.reader(isolation="read_committed") | _TUNING)) as reader:
            reader.assign([TopicPartition(topic, partition, start)])
            while position < end:
                messages = reader.consume(_MOST, _WAIT_SECONDS)
                reached = max([min(_behind(each), end) for each in messages], default=position)
                taken = [
                    each for each in messages if each.error() is None and (each.offset() or 0) < end
                ]
                position = max(position, reached)
                if taken or position >= end:
                    deadline = time.monotonic() + _SILENCE_SECONDS
                    yield taken, position
                elif time.monotonic() > deadline:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001

    def _publish(
        self, partition: int, changes: dict[bytes, bytes | None], position: Position | None
    ) -> None:
        """Append rows, and move the position on, in one transaction."""
        owner: list[tuple[str, str | bytes | None]] = [
            (OWNER_HEADER, self._ways.transactional_id.encode())
        ]
        work = Work(partition, 0, position or Position(0), [], changes, 0, 0, Counter())
        producer = self._producer
        try:
            producer.begin_transaction()
            self._at("began")
            send_changes(producer, self._ways.changelog, work, owner)
            self._at("produced")
            flush(producer, _SECONDS)
            self._at("flushed")
            if position is not None:
                place = TopicPartition(self._ways.topic, partition, *position)
                producer.send_offsets_to_transaction([place], self._metadata, _SECONDS)
            self._at("offsets")
            producer.commit_transaction(_SECONDS)
            self._at("committed")
        except KafkaException as error:
            if error.args[0].code() in _FENCED:
                raise Overtaken("another run has begun meanwhile, and goes on") from None
            raise


def _pieces(
    rows: Iterable[tuple[bytes, bytes | None]], *, whole: bool = True
) -> Iterator[dict[bytes, bytes | None]]:
    """Rows in pieces of the same size; `whole`: the last one is smaller, and may be empty."""
    some: dict[bytes, bytes | None] = {}
    for key, row in rows:
        some[key] = row
        if len(some) == _SEEDED:
            yield some
            some = {}
    if some or whole:
        yield some


def _behind(message: Message) -> int:
    """The offset behind a record, or of the end that is no record; raises `KafkaException`."""
    error, offset = message.error(), message.offset() or 0
    if error is None:
        return offset + 1
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
        return offset
    raise KafkaException(error)


def _position(shard: Shard) -> Position:
    return Position(shard.offset, str(shard.stream_time))
