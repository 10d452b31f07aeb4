"""A stranger on the same account: our rate comes to rest below what they leave, and recovers.

The vendor is a simulator's own windows, on a clock that is moved; answers take 200 ms.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import pytest

from streams.delivery.limits import Limiter
from streams.model.rules import Limit
from streams.simulators import windows

LATENCY = 0.2


class Told(NamedTuple):
    """How many requests of a stretch were taken, and how many refused."""

    taken: int
    refused: int


class Vendor:
    """A vendor with fixed windows, and a sender that starts as much as the limiter lets it."""

    def __init__(self, burst: int, steady: int | None) -> None:
        self.now = 1_000_000.0
        limits = [Limit("events", burst, 1.0)]
        if steady is not None:
            limits.append(Limit("events", steady, 60.0))
        self.limiter = Limiter(limits, factor=1.0, safety=0.97, clock=lambda: self.now)
        self.windows = windows.FixedWindows(1.0)
        self._limit = windows.Limit(burst, steady)
        self._answers: list[tuple[float, int]] = []

    def send(self, seconds: float) -> Told:
        """Send for so long, never short of work."""
        end, taken, refused = self.now + seconds, 0, 0
        while self.now < end:
            while self._answers and self._answers[0][0] <= self.now:
                _, retry_after = heapq.heappop(self._answers)
                if retry_after:
                    refused += 1
                    self.limiter.throttled("events", retry_after, LATENCY)
                else:
                    taken += 1
            wait = self.limiter.take("events")
            if wait:
                next_answer = self._answers[0][0] if self._answers else end
                self.now = min(self.now + wait, max(next_answer, self.now + 1e-6))
                continue
            # the request arrives half-way
            verdict = self.windows.take("a", "events", self._limit, self.now + LATENCY / 2)
            assert verdict is not None
            heapq.heappush(self._answers, (self.now + LATENCY, verdict.retry_after))
        return Told(taken, refused)


@pytest.mark.parametrize(("burst", "steady"), [(150, None), (350, 3_500), (8, None)])
def test_a_stranger_who_takes_half(burst: int, steady: int | None) -> None:
    """Most of the rest is used with few refusals, and all of it again when they have left."""
    vendor = Vendor(burst, steady)
    rate = burst if steady is None else steady / 60
    alone = vendor.send(600.0)
    vendor.windows.stolen_share = 0.5
    vendor.send(600.0)
    shared = vendor.send(1_800.0)
    vendor.windows.stolen_share = 0.0
    vendor.send(900.0)
    again = vendor.send(600.0)

    assert (0, 0) == (alone.refused, again.refused)
    assert min(alone.taken, again.taken) >= 0.95 * rate * 600
    assert shared.taken >= 0.75 * rate / 2 * 1_800
    assert shared.refused <= 0.02 * shared.taken
