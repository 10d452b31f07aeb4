"""When to try again: pure arithmetic on attempts, seconds and a random number given by the caller.

Exponential backoff with full jitter (each wait is uniform between zero and a doubling bound), so
that a crowd that failed together does not come back together. How patient it is depends on what
failed: `Policies` finds the schedule of a reason in the vendor's rows (`model.retries`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from streams.model.retries import OTHERWISE, RETRIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.retries import RetryPolicy


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

    def of(self, reason: str) -> Schedule:  # noqa: ARG002 - part of the protocol
        """The schedule after a failure for this reason: whatever it is, this one."""
        return self

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


class Schedules(Protocol):
    """Where a failure's schedule is found by its reason; one `Schedule` serves for all of them."""

    def of(self, reason: str) -> Schedule:
        """The schedule after a failure for this reason."""


class Policies:
    """A vendor's schedules: its own rows, then those that all vendors share."""

    def __init__(self, own: Mapping[str, RetryPolicy]) -> None:
        """Take the vendor's own rows, by reason."""
        rows = {**RETRIES, **own}
        self._schedules = {reason: _schedule(row) for reason, row in rows.items()}

    def of(self, reason: str) -> Schedule:
        """The schedule after a failure for this reason."""
        return self._schedules.get(reason) or self._schedules[OTHERWISE]


def _schedule(row: RetryPolicy) -> Schedule:
    return Schedule(base=row.first, cap=row.cap, longest_after=row.longest_after, budget=row.budget)
