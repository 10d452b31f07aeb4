"""What is written to disk together, and under which keys.

Keys: partition (4 bytes), kind (1 byte), the row's key. So all of a partition is one range, and so
are its rows and its timers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rocksdict import WriteBatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.engine.state.checkpoint import Checkpoint

__all__ = ["CHECKPOINT", "FORMAT", "FORMAT_KEY", "ROW", "TIMER", "StateBatch", "prefix_of"]

FORMAT = b"1"
"""Of all that is written: another one is not understood. Raise it with every change."""
FORMAT_KEY = b"\xff\xff\xff\xffformat"
"""No partition has such a number."""
CHECKPOINT, ROW, TIMER = b"c", b"r", b"t"
"""Kinds; each is one byte, and not the last one."""


def prefix_of(partition: int, kind: bytes = b"") -> bytes:
    """What the keys of a partition begin with, or those of one kind."""
    return partition.to_bytes(4, "big") + kind


class StateBatch:
    """Changes that are written together or not at all, in their order; what is cleared goes first.

    RocksDB's own batch is of use for one try only, so it is made for each.
    """

    def __init__(self) -> None:
        self._cleared: list[int] = []
        self._values: list[tuple[bytes, bytes | None]] = []

    def rows(self, partition: int, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Replace rows, or delete those that are None."""
        prefix = prefix_of(partition, ROW)
        self._values += [(prefix + key, row) for key, row in rows]

    def timer(self, partition: int, key: bytes, due: int) -> None:
        """Replace a row's timer (epoch milliseconds), or delete it with 0."""
        at = due.to_bytes(8, "big") if due else None
        self._values.append((prefix_of(partition, TIMER) + key, at))

    def checkpoint(self, partition: int, checkpoint: Checkpoint) -> None:
        """Say how far the partition is with this batch."""
        value = msgspec.msgpack.encode(checkpoint)
        self._values.append((prefix_of(partition, CHECKPOINT), value))

    def clear(self, partition: int) -> None:
        """Delete everything of a partition."""
        self._cleared.append(partition)

    def build(self) -> WriteBatch:
        """Return it as RocksDB takes it."""
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for partition in self._cleared:
            batch.delete_range(prefix_of(partition), prefix_of(partition + 1))
        for key, value in self._values:
            if value is None:
                delete(key)
            else:
                put(key, value)
        return batch
