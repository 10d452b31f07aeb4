"""A vendor's rate limits, kept on our side: the fastest pace that breaks none of them.

A request may start when, in every window of its endpoint, fewer than the allowed number have
started. The windows slide, so whatever phase the vendor's fixed windows have, no more than allowed
start in any of them; the safety factor covers what the network bunches up on the way. What a
static limiter cannot know (another program on the same account) the vendor says with 429: `pause`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.model.rules import Limit


class _Window:
    """The starts of the last `seconds`, as many as may be."""

    __slots__ = ("seconds", "starts")

    def __init__(self, capacity: int, seconds: float) -> None:
        self.seconds = seconds
        self.starts: deque[float] = deque(maxlen=capacity)

    def free_at(self) -> float:
        """The time from which one more may start."""
        if len(self.starts) < (self.starts.maxlen or 0):
            return 0.0
        return self.starts[0] + self.seconds


class Limiter:
    """The limits of one account, by endpoint. For one event loop."""

    def __init__(
        self,
        limits: Iterable[Limit],
        *,
        factor: float | None,
        safety: float,
        clock: Callable[[], float],
    ) -> None:
        """Start with nothing used.

        Args:
            limits: what the vendor publishes; several windows for one endpoint all hold.
            factor: multiplies them; None: no limits, only pauses.
            safety: the share of each that is used, in (0, 1].
            clock: monotonic seconds.
        """
        self._clock = clock
        self._paused_until: dict[str, float] = {}
        self._windows: defaultdict[str, list[_Window]] = defaultdict(list)
        if factor is None:
            return
        for limit in limits:
            capacity = max(1, int(limit.count * factor * safety))
            self._windows[limit.endpoint].append(_Window(capacity, limit.seconds))

    def take(self, endpoint: str) -> float:
        """Count a request that starts now and return 0, or return the seconds to wait instead.

        The wait is a lower bound: ask again after it.
        """
        now = self._clock()
        windows = self._windows.get(endpoint, ())
        free_at = max((window.free_at() for window in windows), default=0.0)
        wait = max(free_at, self._paused_until.get(endpoint, 0.0)) - now
        if wait > 0:
            return wait
        for window in windows:
            window.starts.append(now)
        return 0.0

    def pause(self, endpoint: str, seconds: float) -> None:
        """Start nothing on this endpoint for so long, or until an earlier pause ends."""
        until = self._clock() + seconds
        self._paused_until[endpoint] = max(until, self._paused_until.get(endpoint, 0.0))

    def paused(self, endpoint: str) -> bool:
        """Whether a pause holds now."""
        return self._paused_until.get(endpoint, 0.0) > self._clock()
