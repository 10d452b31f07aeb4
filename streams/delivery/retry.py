"""When to try again: pure arithmetic on attempts, seconds and a random number given by the caller.

Exponential backoff with full jitter (each wait is uniform between zero and a doubling bound), so
that a crowd that failed together does not come back together.
"""

from __future__ import annotations

import msgspec


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait between attempts, and when to give up. All in seconds.

    Attributes:
        base: the first wait's upper bound; it doubles with each attempt.
        cap: no bound grows beyond it.
        longest_after: a vendor's Retry-After counts for so much at most.
        budget: time under attempt (requests and waits between them) that a part may take. Time in
            which nothing could be tried (paused, throttled, limited) is not counted by the caller.
    """

    base: float = 0.5
    cap: float = 60.0
    longest_after: float = 3_600.0
    budget: float = 86_400.0

    def backoff(self, attempt: int, random: float) -> float:
        """Seconds to wait after the `attempt`-th failure (1 is the first); `random` in [0, 1)."""
        doublings = min(attempt - 1, 30)  # beyond any cap; a float has its limits too
        return random * min(self.cap, self.base * 2.0**doublings)

    def wait(self, attempt: int, random: float, after: float | None) -> float:
        """Seconds to wait when the vendor may have said how long.

        A positive `after` (Retry-After) is never undercut, only clamped, and spread a little; none,
        zero and negative ones say nothing, and the backoff decides.
        """
        if after is None or after <= 0:
            return self.backoff(attempt, random)
        return min(after, self.longest_after) + random * self.base

    def spent(self, seconds: float) -> bool:
        """Whether a part that was under attempt for so long is given up."""
        return seconds >= self.budget
