"""Where the consumer is in each running partition, and parts made from what it returned."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from confluent_kafka import KafkaError

from streams.engine.batch import FIRST, Part
from streams.histogram import FLOW_SECONDS, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confluent_kafka import Message

__all__ = ["Cursors"]

_STRETCH: Final = 500
"""Records whose age is known by the first of them: to look at each would cost something."""


class _Stretch(NamedTuple):
    """Records handed over: the offset behind the last, and the first one's time (ms)."""

    end: int
    began: int


@dataclass(slots=True)
class _Cursor:
    previous: int
    position: int
    committed: int
    underway: deque[_Stretch] = field(default_factory=deque)


class Cursors:
    """Cursors by partition; only the poll thread begins and moves them.

    Attributes:
        committed_at: wall clock of the last commit noted, 0 before the first.
        waited: seconds from a record's own time until its effects were committed; of the first of
            some hundred.
    """

    def __init__(self) -> None:
        self.committed_at = 0.0
        self.waited = Histogram(FLOW_SECONDS)
        self._cursors: dict[int, _Cursor] = {}

    def start(self, partition: int, offset: int) -> None:
        """Begin an epoch at this committed offset."""
        self._cursors[partition] = _Cursor(FIRST, offset, offset)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self._cursors.pop(partition, None)

    def position(self, partition: int) -> int:
        """Return the next offset to be consumed."""
        return self._cursors[partition].position

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Note committed offsets (any thread)."""
        self.committed_at = time.time()
        for partition, offset in offsets.items():
            cursor = self._cursors.get(partition)
            if cursor is not None:
                cursor.committed = offset
                while cursor.underway and cursor.underway[0].end <= offset:
                    began = cursor.underway.popleft().began
                    self.waited.observe(max(0.0, self.committed_at - began / 1_000))

    def oldest(self) -> dict[int, int]:
        """The time of the oldest record handed over whose effects are not committed (any thread).

        Epoch milliseconds by partition; there may be older ones of the same few hundred.
        """
        found = {}
        for partition, cursor in list(self._cursors.items()):
            try:
                found[partition] = cursor.underway[0].began
            except IndexError:  # nothing is under way
                continue
        return found

    def lag(self, partition: int, high: int) -> int:
        """Return the records up to the high watermark whose effects are not committed."""
        cursor = self._cursors[partition]
        all_done = cursor.committed > cursor.previous
        # behind the last record there may be markers of transactions: nothing to wait for
        reached = max(cursor.committed, cursor.position) if all_done else cursor.committed
        return max(0, high - reached)

    def parts(
        self,
        messages: Iterable[Message],
        epochs: Mapping[int, int],
        event: Callable[[Message], None],
    ) -> list[Part]:
        """Sort records by partition and move the cursors behind them.

        Args:
            messages: records, ends of partitions, and other events.
            epochs: of the partitions that run; records of others are strays, left out (those
                partitions will be set to their position before they run).
            event: told what is neither a record nor the end of a partition.
        """
        sorted_out: dict[int, list[Message]] = {partition: [] for partition in epochs}
        for message in messages:
            if message.error() is not None:
                if not self._is_end(message, epochs):
                    event(message)
                continue
            records = sorted_out.get(message.partition())  # type: ignore[arg-type]
            if records is not None:
                records.append(message)
        parts = []
        for partition, records in sorted_out.items():
            if records:
                cursor = self._cursors[partition]
                parts.append(Part(partition, epochs[partition], cursor.previous, records))
                for first in range(0, len(records), _STRETCH):
                    last = records[min(first + _STRETCH, len(records)) - 1]
                    began = records[first].timestamp()[1]
                    cursor.underway.append(_Stretch((last.offset() or 0) + 1, began))
                cursor.previous = records[-1].offset() or 0
                cursor.position = max(cursor.position, cursor.previous + 1)
        return parts

    def tick(self, partition: int, epoch: int, stream_time: int) -> Part:
        """Return an idle tick that follows the partition's last record."""
        return Part(partition, epoch, self._cursors[partition].previous, (), stream_time)

    def _is_end(self, message: Message, epochs: Mapping[int, int]) -> bool:
        """Note the end of a partition; it may be behind markers of transactions, no records."""
        error, partition = message.error(), message.partition()
        if error is None or error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            return False
        if partition is not None and partition in epochs:
            cursor = self._cursors[partition]
            cursor.position = max(cursor.position, message.offset() or 0)
        return True
