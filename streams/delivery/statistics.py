"""What a connection counts about itself, for metrics; plain numbers, written by one event loop."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BOUNDS: Final = (0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram's buckets, in seconds; one more bucket has none."""


class Histogram:
    """Counts of samples by bucket, cumulative only when read (as Prometheus wants them).

    Attributes:
        counts: samples in each bucket of `BOUNDS`, and above the last.
        total: sum of all samples.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count a sample."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> list[tuple[str, int]]:
        """(upper bound as text, samples at most so large), the last bound being +Inf."""
        running = 0
        pairs = []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self.counts, strict=True):
            running += count
            pairs.append((bound, running))
        return pairs


@dataclass(slots=True)
class Room:
    """Deliveries that a lane holds.

    Attributes:
        waiting: read and not behind the committed offset yet, now …
        waiting_bytes: … and the bytes of those among them that are not finished.
        parked: gone on from the connection's table.
    """

    waiting: int = 0
    waiting_bytes: int = 0
    parked: int = 0


@dataclass(slots=True)
class Statistics(Room):
    """One connection's counts since the process started.

    Attributes:
        outcomes: by (event type, part, outcome), when they are written, `retrying` included.
        dead_letters: by reason.
        attempts: requests by what their answer meant: accepted, retry, throttled, rejected,
            unauthorized, repair.
        failures: requests without an answer, by reason (`http.FailureReason`).
        latency: seconds of requests, answered or not.
        in_flight: requests under way now.
        low: what the low lane holds.
        low_in_flight: requests of the low lane under way now.
        limiter_waits: how often sending stopped for a limit or a pause …
        limiter_seconds: … and for how long it was going to, together.
        paused: why the connection sends nothing, or None.
        down: why the circuit to the vendor is open, or None …
        openings: … and how often it opened.
    """

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=Histogram)
    in_flight: int = 0
    low: Room = field(default_factory=Room)
    low_in_flight: int = 0
    limiter_waits: int = 0
    limiter_seconds: float = 0.0
    paused: str | None = None
    down: str | None = None
    openings: int = 0
