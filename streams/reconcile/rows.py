"""The rows of a table, read from its changelog by somebody who owns none of it.

Partition by partition, so that one of them is in memory at a time. Afterwards the rows that changed
meanwhile can be had, which is what a second look needs.
"""

from __future__ import annotations

import heapq
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from streams.engine.admin import partition_count
from streams.engine.partitioning import partition_of
from streams.engine.stretch import Stretch, look_through
from streams.engine.watermarks import Watermarks
from streams.model.ids import is_nobody

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

Rows = dict[bytes, bytes]
"""Customer's key → the row's bytes."""


class Sample(NamedTuple):
    """So many rows, chosen by their keys and a seed alone: the same seed, the same people."""

    size: int
    seed: int

    def place(self, key: bytes) -> bytes:
        """Where a key stands among all; the first `size` are taken."""
        return blake2b(key, digest_size=8, salt=self.seed.to_bytes(8, "big")).digest()


class TableRows:
    """One table as it is committed now; raises what the engine raises.

    Raises:
        ConfigurationError: the changelog does not exist.
        KafkaException: the broker does not answer; so do the methods.
    """

    def __init__(self, kafka: KafkaSettings, changelog: str) -> None:
        self._kafka = kafka
        self._topic = changelog
        self.partitions = range(partition_count(kafka, changelog))
        self._watermarks = Watermarks(kafka, changelog)
        self._ends: dict[int, int] = {}

    def all(self) -> Iterator[Rows]:
        """Every customer's row, one partition after another."""
        for partition in self.partitions:
            rows: Rows = {}
            self._read([partition], rows)
            yield rows

    def sample(self, sample: Sample) -> Rows:
        """Some rows, whatever partition they are in."""
        kept: list[tuple[int, bytes, bytes]] = []
        for rows in self.all():
            for key, value in rows.items():
                entry = (-int.from_bytes(sample.place(key), "big"), key, value)
                if len(kept) < sample.size:
                    heapq.heappush(kept, entry)
                elif entry > kept[0]:
                    heapq.heapreplace(kept, entry)
        return {key: value for _, key, value in kept}

    def one(self, key: bytes) -> Rows:
        """The row of one customer; empty where there is none."""
        rows: Rows = {}
        self._read([partition_of(key, len(self.partitions))], rows, {key})
        return rows

    def newer(self, keys: Collection[bytes]) -> dict[bytes, bytes | None]:
        """The rows of these customers that changed since their partition was read; None: gone."""
        ends = self._watermarks.stable(self._ends)
        changed: dict[bytes, bytes | None] = {}

        def note(message: Message) -> None:
            key = message.key() or b""
            if key in keys:
                changed[key] = message.value()

        look_through(self._kafka, Stretch(self._topic, self._ends, ends), note)
        self._ends |= ends
        return changed

    def _read(
        self, partitions: list[int], rows: Rows, only: Collection[bytes] | None = None
    ) -> None:
        ends = self._watermarks.stable(partitions)
        starts = self._watermarks.first(partitions)

        def note(message: Message) -> None:
            key, value = message.key() or b"", message.value()
            if is_nobody(key) or (only is not None and key not in only):
                return
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value

        look_through(self._kafka, Stretch(self._topic, starts, ends), note)
        self._ends |= ends
