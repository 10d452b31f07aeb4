"""A table's store that asks, before each load, whether it is still the table to be kept.

A worker that began before another generation was switched in, and gets its partitions after that,
would go on from the old one. Whoever switches makes sure that nobody has loaded before: so the two
of them leave no gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.engine.batch import Position
    from streams.engine.compute import Work
    from streams.engine.rows import Shard
    from streams.engine.state.store import StateStore, TableSource


class KeptStore:
    """A store behind a question (`StateStore`)."""

    def __init__(self, store: StateStore, check: Callable[[], None]) -> None:
        """Take the store; `check` raises where it must not load any more."""
        self._store = store
        self._check = check
        self.attach: Callable[[TableSource], None] = store.attach
        self.computed: Callable[[Shard, Work], None] = store.computed
        self.published: Callable[[Sequence[Work], float], None] = store.published
        self.drop: Callable[[Collection[int]], None] = store.drop
        self.close: Callable[[], None] = store.close

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Shard]:
        """Ask, then return the shards; raises what both raise."""
        self._check()
        return self._store.load(positions, alive)
