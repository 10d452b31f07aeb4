"""What a lane counts; read at scrape by the program's metrics.

Each number has one writing thread, so plain attributes do, except those of restores, which may run
side by side. All only grow, except `restoring` and `breakers`.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LaneStatistics", "RestoreProgress"]


@dataclass(slots=True)
class RestoreProgress:
    """How far a partition's restore is: rows read, of offsets up to the target.

    Attributes:
        start: the changelog's first offset.
        position: the next offset to read.
        target: the offset at which the restore is complete.
    """

    start: int
    position: int
    target: int


@dataclass(slots=True)
class LaneStatistics:
    """Counters of one lane.

    Attributes:
        batches: batches handed over.
        records: records whose effects are committed.
        fired: timers fired.
        outputs: records produced to output topics and committed.
        changes: changelog records produced and committed.
        transactions: transactions committed (or, at least once, flushes with their commit).
        aborts: transactions aborted and published again.
        resets: partitions set back to their committed position.
        pauses: times the consumer was paused because no slot came free for long.
        seconds: time by step: `compute`, `wait`, `produce`, `flush`, `offsets`, `commit`,
            `keep` (rows to disk).
        restored_rows: changelog records read by restores.
        restore_seconds: time spent in restores.
        restoring: partitions being restored now.
        rebuilds: partitions whose local state was not believed, by reason (`checkpoint`).
        breakers: 1 for each partition (or `all`) that its breaker has stopped, 0 for the others.
    """

    batches: int = 0
    records: int = 0
    fired: int = 0
    outputs: int = 0
    changes: int = 0
    transactions: int = 0
    aborts: int = 0
    resets: int = 0
    pauses: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    restored_rows: int = 0
    restore_seconds: float = 0.0
    restoring: dict[int, RestoreProgress] = field(default_factory=dict)
    rebuilds: Counter[str] = field(default_factory=Counter)
    breakers: Mapping[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add_restore(self, rows: int, seconds: float) -> None:
        """Count one restore."""
        with self._lock:
            self.restored_rows += rows
            self.restore_seconds += seconds

    def add_rebuild(self, reason: str) -> None:
        """Count a partition whose local state was dropped."""
        with self._lock:
            self.rebuilds[reason] += 1
