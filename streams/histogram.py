"""Samples by size, as Prometheus wants them told; plain numbers, so that counting costs little."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUEST_SECONDS: Final = (
    0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Upper bounds for a call over HTTP, in seconds; one more bucket has none."""

FLOW_SECONDS: Final = (
    0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 14_400.0,
    86_400.0,
)  # fmt: skip
"""Upper bounds for a record's way through: milliseconds when all is well, days after an outage."""


class Histogram:
    """Counts of samples by bucket, cumulative only when read. For one writing thread.

    Attributes:
        counts: samples in each bucket, and above the last bound.
        total: sum of all samples.
    """

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = REQUEST_SECONDS) -> None:
        """Begin without a sample; `bounds` rise."""
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, sample: float) -> None:
        """Count a sample."""
        self.counts[bisect_left(self._bounds, sample)] += 1
        self.total += sample

    def cumulative(self) -> list[tuple[str, int]]:
        """(upper bound as text, samples at most so large), the last bound being +Inf."""
        running = 0
        pairs = []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self.counts, strict=True):
            running += count
            pairs.append((bound, running))
        return pairs
