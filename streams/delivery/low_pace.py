"""How fast the low lane may go: a share of each limit at most, spread evenly, and of the slots.

The connection's limiter counts its requests too; this only keeps room for what is live.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.model.rules import Limit


_CATCH_UP: Final = 0.05
"""Seconds of delay that are made up for: timers wake late, and each time the rate would be less."""


class LowPace:
    """One connection's. For one event loop.

    Attributes:
        slots: requests of the low lane under way, at most.
    """

    def __init__(
        self,
        limits: Iterable[Limit],
        *,
        share: float,
        factor: float | None,
        concurrency: int,
        clock: Callable[[], float],
    ) -> None:
        """Take what it keeps to.

        Args:
            limits: what the vendor publishes.
            share: of each, for the low lane.
            factor: multiplies them; None: there are no limits.
            concurrency: the connection's slots.
            clock: monotonic seconds.
        """
        self.slots = max(1, int(concurrency * share))
        self._clock = clock
        self._between: dict[str, float] = {}
        self._next: dict[str, float] = {}
        if factor is None:
            return
        for limit in limits:
            between = limit.seconds / (limit.count * factor * share)
            self._between[limit.endpoint] = max(between, self._between.get(limit.endpoint, 0.0))

    def wait(self, endpoint: str) -> float:
        """Seconds until another request may start; 0: now."""
        return max(0.0, self._next.get(endpoint, 0.0) - self._clock())

    def note(self, endpoint: str) -> None:
        """Count one that starts now."""
        now, due = self._clock(), self._next.get(endpoint, 0.0)
        at = due if now - due <= _CATCH_UP else now
        self._next[endpoint] = at + self._between.get(endpoint, 0.0)
