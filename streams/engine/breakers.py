"""The breakers of a lane with a table: a partition in which too many records fail alike stops.

Judged is a partition's share of a batch as a whole, before it is published: if it opens the
breaker, nothing of it is committed and the partition is set back. While the breaker is open, the
next share that is read, of whatever size, is the trial. Dead letters of batches that passed before
stay. A breaker is forgotten with its partition: the next owner begins with a closed one.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from streams.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from streams.breaker import Rule
    from streams.engine.compute import Work

__all__ = ["Breakers"]

log = logging.getLogger(__name__)


class Breakers:
    """One lane's breakers, by partition. For one thread."""

    def __init__(self, rule: Rule, clock: Callable[[], float] = time.monotonic) -> None:
        self.rule = rule
        self._clock = clock
        self._breakers: dict[int, Breaker] = {}

    def sort(self, works: Sequence[Work]) -> tuple[list[Work], list[Work]]:
        """Judge work that was computed: what may be published, and what must be thrown away."""
        judged = [(work, self._admits(work)) for work in works]
        return [work for work, admitted in judged if admitted], [
            work for work, admitted in judged if not admitted
        ]

    def keep(self, partitions: Collection[int]) -> None:
        """Forget those of all other partitions."""
        self._breakers = {p: each for p, each in self._breakers.items() if p in partitions}

    def cause(self, partition: int) -> str:
        """Why the partition is stopped; empty when it is not."""
        cause = self._breakers[partition].cause
        return "" if cause is None else f"stopped, {cause.text}"

    @property
    def reason(self) -> str | None:
        """Why the lane is not ready; None when no partition is stopped."""
        stopped = [
            f"partition {partition} {why}"
            for partition in sorted(self._breakers)
            if (why := self.cause(partition))
        ]
        return "; ".join(stopped) or None

    @property
    def states(self) -> Mapping[str, int]:
        """1 for each partition that is stopped, 0 for those that are not."""
        return {str(p): int(each.cause is not None) for p, each in self._breakers.items()}

    def _admits(self, work: Work) -> bool:
        breaker = self._breakers.get(work.partition)
        if breaker is None:
            breaker = self._breakers[work.partition] = Breaker(self.rule)
        was_open = breaker.cause is not None
        if was_open and not work.records:
            return True  # timers alone: the records that failed are still to come
        judge = breaker.retried if was_open else breaker.count
        closed = judge(work.records, work.failures, self._clock())
        if closed is was_open:
            tell, state = (log.info, "goes on") if closed else (log.error, "is stopped")
            text = breaker.cause.text if breaker.cause is not None else "the trial passed"
            tell("partition %d %s: %s", work.partition, state, text)
        return closed
