"""Rows on disk: state larger than memory, and a restart that reads only the changelog's tail."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from confluent_kafka import KafkaException

from streams.engine.restore import replay
from streams.engine.rows import Shard
from streams.engine.state.changelog import describe_changelog
from streams.engine.state.checkpoint import REASONS, Checkpoint, doubt
from streams.engine.state.local_table import LocalTable
from streams.engine.state.write_batch import StateBatch
from streams.engine.statistics import RestoreProgress
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.engine.batch import Position
    from streams.engine.compute import Work
    from streams.engine.state.changelog import Changelog
    from streams.engine.state.local_state import LocalState
    from streams.engine.state.store import TableSource

__all__ = ["RocksStore"]

_AHEAD_KIB = 16 << 10
_ASK_SECONDS = 1.0

log = logging.getLogger(__name__)


class RocksStore:
    """The tables of one lane on disk, and what is not committed yet in memory."""

    def __init__(self, state: LocalState) -> None:
        """Prepare.

        Args:
            state: open, and closed by this.
        """
        self._state = state
        self._dropped = state.dropped
        self._turns: dict[int, int] = {}
        self._writing = threading.Lock()
        self._tables: dict[int, tuple[int, LocalTable]] = {}
        self._asked_at = 0.0

    def attach(self, source: TableSource) -> None:
        """Take what to restore from."""
        self._source = source
        self._watermarks = Watermarks(source.kafka, source.changelog)

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Shard]:
        """Bring what is on disk up to date, or build it anew where it is not believed."""
        kafka, topic, _, statistics = self._source
        wanted = positions.keys() & alive()
        changelog = describe_changelog(kafka, topic, wanted)
        tables = {p: self._begin(p, changelog, positions[p]) for p in wanted}
        spans = {
            p: RestoreProgress(changelog.starts[p], table.checkpoint.position, changelog.ends[p])
            for p, table in tables.items()
        }

        def take(partition: int, messages: Sequence[Message], position: int) -> None:
            tables[partition].take(messages, position)

        replay(kafka, topic, spans, alive, statistics, take, ahead_kib=_AHEAD_KIB)
        whole = {p: t for p, t in tables.items() if spans[p].position >= spans[p].target}
        for partition, table in whole.items():
            table.complete(spans[partition].target, changelog.seen_at)
        return {p: Shard.of(table, table.timers, positions[p]) for p, table in whole.items()}

    def computed(self, shard: Shard, work: Work) -> None:
        """Lay the changes over what is on disk, until they are there too."""
        self._state.check()
        table = shard.rows
        if isinstance(table, LocalTable):
            table.seal(work.changes)
            self._tables[work.partition] = (work.epoch, table)

    def published(self, works: Sequence[Work], began: float) -> None:
        """Write committed works with their positions, all in one batch."""
        ends = self._ends([work for work in works if work.end is None and work.changes])
        batch, kept = StateBatch(), []
        with self._state.failing():
            for work in works:
                epoch, table = self._tables.get(work.partition, (None, None))
                if table is None or epoch != work.epoch:
                    continue  # dropped meanwhile: whoever loads it reads the changelog
                end = ends.get(work.partition, work.end)
                table.keep(batch, replace(work, end=end), began)
                kept.append((table, work))
            self._state.write(batch)
        for table, work in kept:
            table.written(work.changes)

    def drop(self, partitions: Collection[int]) -> None:
        """Let go of what is not committed; what is on disk stays, for when they come back."""
        for partition in partitions:
            self._tables.pop(partition, None)

    def close(self) -> None:
        """Let go of the files."""
        self._state.close()

    def _begin(self, partition: int, changelog: Changelog, position: Position) -> LocalTable:
        """Return the table as it is on disk if it is believed, else an empty one."""
        write = self._turn(partition)
        found = self._state.checkpoint(partition)
        reason = doubt(found, changelog, partition, position.offset) if found else self._dropped
        if reason is not None:
            records = changelog.ends[partition] - changelog.starts[partition]
            told = partition, REASONS[reason], records
            log.warning("partition %d: local state is dropped: %s; %d records to read", *told)
            self._source.statistics.add_rebuild(reason)
        if found is None or reason is not None:
            found = Checkpoint(
                changelog.cluster,
                changelog.topic_id,
                position.offset,
                changelog.starts[partition],
                changelog.seen_at,
            )
            batch = StateBatch()
            batch.clear(partition)
            batch.checkpoint(partition, found)
            write(batch)
        # from here on it is written only with rows, of which the newest are as new as the group's
        found = msgspec.structs.replace(found, offset=position.offset)
        return LocalTable(self._state, partition, found, self._source.due, write)

    def _turn(self, partition: int) -> Callable[[StateBatch], None]:
        """Begin to load a partition; return what writes, as long as no later load has begun.

        A load that nobody waits for any more may still be at it: what it has read is older.
        """
        with self._writing:
            turn = self._turns[partition] = self._turns.get(partition, 0) + 1

        def write(batch: StateBatch) -> None:
            with self._writing:
                if self._turns[partition] == turn:
                    self._state.write(batch)

        return write

    def _ends(self, works: Sequence[Work]) -> Mapping[int, int]:
        """Ask for the changelog's ends where nobody told them; not at each batch.

        Everything up to them is in these works or on disk already: nobody else writes there.
        """
        now = time.monotonic()
        if not works or now - self._asked_at < _ASK_SECONDS:
            return {}
        self._asked_at = now
        try:
            return self._watermarks.high([work.partition for work in works])
        except KafkaException as error:
            log.info("the changelog's ends are asked for later: %s", error)
            return {}
