"""The records that end a merchant's first sync: one in every partition of the source topic.

So derive meets the end of the sync where it is, between records, and a replay or rebuild of the
topic concludes the same.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from streams.engine.partitioning import partition_of
from streams.model.ids import sync_mark

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["marks"]


def marks(merchant: str, partitions: int) -> Iterator[tuple[int, int, bytes]]:
    """(partition, number, key) of each record: the smallest number whose key belongs there."""
    wanted = set(range(partitions))
    for number in count():
        key = sync_mark(merchant, number)
        partition = partition_of(key, partitions)
        if partition in wanted:
            wanted.discard(partition)
            yield partition, number, key
        if not wanted:
            return
