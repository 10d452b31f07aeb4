"""Rows in memory: the fastest, and restored as a whole at each start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.engine.restore import restore
from streams.engine.rows import Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.engine.batch import Position
    from streams.engine.compute import Work
    from streams.engine.state.store import TableSource

__all__ = ["MemoryStore"]


class MemoryStore:
    """A dictionary a partition. What fails is dropped as a whole, so there is nothing to keep."""

    def attach(self, source: TableSource) -> None:
        """Take what to restore from."""
        self._source = source

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Shard]:
        """Restore the tables from the beginning of the changelog."""
        kafka, changelog, due, statistics = self._source
        tables = restore(kafka, changelog, positions.keys(), alive, statistics)
        return {p: Shard(table, due, positions[p]) for p, table in tables.items()}

    def computed(self, shard: Shard, work: Work) -> None:
        """The shard's rows have changed already."""

    def published(self, works: Sequence[Work], began: float) -> None:
        """The changelog has it all."""

    def drop(self, partitions: Collection[int]) -> None:
        """The rows go with their shard."""

    def close(self) -> None:
        """Nothing is held."""
