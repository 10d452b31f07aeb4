"""A vendor's rate limits, kept on our side: the fastest pace that breaks none of them.

A request may start when, in every window of its endpoint, fewer than the allowed number have
started. The windows slide, so whatever phase the vendor's fixed windows have, no more than allowed
start in any of them. Ours are a little longer than the vendor's: requests that are a whole window
apart when they start may be closer together when they arrive. And within the shortest window they
are spread, since what starts in one moment arrives in none.

Of a window one process may have a portion only (`shares`), and of the whole endpoint less than all
while a stranger uses the same account (`adaptive`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.delivery.adaptive import Level
from streams.delivery.shares import Portion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.model.rules import Limit

_SPREAD: Final = 0.8
_SPREAD_SECONDS: Final = 1.0
"""Over this share of the shortest window its requests are spread, or of so many seconds if it is
longer; the rest is for catching up."""

_CLUMP: Final = 0.02
"""Seconds whose requests may start together: a timer for each one would cost too much."""

_SPARED_OF: Final = 5.0
"""Of a longer window no more is spared than of one of so many seconds: chance on the way does not
grow with it."""

_LOOK_AGAIN: Final = 1.0
"""Seconds after which a limit is looked at again: the portion may have grown meanwhile."""


class WindowKey(NamedTuple):
    """One window of an account: the endpoint that it counts, and its length in seconds."""

    endpoint: str
    seconds: float


class _Window:
    """The starts of the last `seconds`, as many as may be."""

    __slots__ = ("_ours", "count", "portion", "seconds", "starts")

    def __init__(self, count: int, seconds: float, safety: float) -> None:
        self.count = count
        self.seconds = seconds
        self._ours = seconds + (1.0 / safety - 1.0) * min(seconds, _SPARED_OF)
        self.portion = Portion(count)
        self.starts: deque[float] = deque(maxlen=count)

    def free_at(self, now: float, level: float) -> float:
        """The time from which one more may start, if this share of the limit is left to us."""
        allowed = self.portion.requests * level
        if not allowed:
            return now + _LOOK_AGAIN
        count = ceil(allowed)  # fewer, not as many in longer: the vendor's windows stay as they are
        if len(self.starts) < count:
            return 0.0
        return self.starts[-count] + self._ours * self.portion.stretch * count / allowed

    def started(self, now: float) -> int:
        """How many were started in the vendor's window that ends now."""
        since = now - self.seconds
        return len(self.starts) - bisect_right(self.starts, since)

    def gap(self, level: float) -> float:
        """Seconds between two starts, if the window's are spread."""
        over = _SPREAD * min(self._ours, _SPREAD_SECONDS) * self.portion.stretch
        return over / max(1.0, self.portion.requests * level)


class _Endpoint:
    """What holds back the requests to one endpoint."""

    __slots__ = ("level", "next_at", "paused_until", "windows")

    def __init__(self) -> None:
        self.windows: list[_Window] = []
        self.level = Level()
        self.next_at = 0.0
        self.paused_until = 0.0

    def add(self, window: _Window) -> None:
        """Add a window; the shortest is the first."""
        self.windows = sorted([*self.windows, window], key=lambda each: each.seconds)
        self.level = Level(self.windows[-1].seconds)

    def count(self, now: float, level: float) -> None:
        """Count a request that starts now."""
        for window in self.windows:
            window.starts.append(now)
        if self.windows:
            self.next_at = max(self.next_at, now - _CLUMP) + self.windows[0].gap(level)


class Limiter:
    """The limits of one account, by endpoint. For one event loop.

    Attributes:
        started: requests by endpoint, since the start.
        held_at: when a limit held something back last, by endpoint.
    """

    def __init__(
        self,
        limits: Iterable[Limit],
        *,
        factor: float | None,
        safety: float,
        clock: Callable[[], float],
    ) -> None:
        """Start with nothing used, and all of each window.

        Args:
            limits: what the vendor publishes; several windows for one endpoint all hold.
            factor: multiplies them; None: no limits, only pauses.
            safety: the share of a short window that is used, in (0, 1]; of long ones more is.
            clock: monotonic seconds.
        """
        self._clock = clock
        self._endpoints: dict[str, _Endpoint] = {}
        self.started: Counter[str] = Counter()
        self.held_at: dict[str, float] = {}
        if factor is None:
            return
        for limit in limits:
            window = _Window(max(1, int(limit.count * factor)), limit.seconds, safety)
            self._of(limit.endpoint).add(window)

    @property
    def windows(self) -> dict[WindowKey, int]:
        """How many requests each window of the account allows."""
        return {
            WindowKey(name, window.seconds): window.count
            for name, endpoint in self._endpoints.items()
            for window in endpoint.windows
        }

    def used(self) -> dict[WindowKey, float]:
        """The share of each of the vendor's windows that was started in the one that ends now."""
        now = self._clock()
        return {
            WindowKey(name, window.seconds): window.started(now) / window.count
            for name, endpoint in self._endpoints.items()
            for window in endpoint.windows
        }

    def grant(self, key: WindowKey, portion: Portion) -> None:
        """Use only this portion of a window; what was started before counts."""
        for window in self._endpoints[key.endpoint].windows:
            if window.seconds == key.seconds:
                window.portion = portion

    def take(self, endpoint: str) -> float:
        """Count a request that starts now and return 0, or return the seconds to wait instead.

        The wait is a lower bound: ask again after it.
        """
        now, found = self._clock(), self._of(endpoint)
        level = found.level.at(now)
        free_at = max((window.free_at(now, level) for window in found.windows), default=0.0)
        limited = max(free_at, found.next_at) - now
        wait = max(min(limited, _LOOK_AGAIN), found.paused_until - now)
        if wait > 0:
            if limited > 0:
                self.held_at[endpoint] = now
            return wait
        found.count(now, level)
        self.started[endpoint] += 1
        return 0.0

    def pause(self, endpoint: str, seconds: float) -> None:
        """Start nothing on this endpoint for so long, or until an earlier pause ends."""
        found = self._of(endpoint)
        found.paused_until = max(self._clock() + seconds, found.paused_until)

    def paused(self, endpoint: str) -> bool:
        """Whether a pause holds now."""
        return self._of(endpoint).paused_until > self._clock()

    def throttled(self, endpoint: str, seconds: float, latency: float = 0.0) -> bool:
        """Take a 429: pause for so long, and go on more slowly.

        Args:
            endpoint: that was asked.
            seconds: of the pause.
            latency: seconds since the refused request was started. What was under way when the rate
                was lowered last belongs to the same crowd, for which it is lowered once.

        Returns:
            Whether the rate was lowered.
        """
        self.pause(endpoint, seconds)
        found, now = self._of(endpoint), self._clock()
        return found.level.lower(now, now - latency, found.paused_until)

    def level(self, endpoint: str) -> float:
        """The share of its limits that the vendor's refusals leave to an endpoint, in (0, 1]."""
        return self._of(endpoint).level.at(self._clock())

    def _of(self, endpoint: str) -> _Endpoint:
        found = self._endpoints.get(endpoint)
        if found is None:
            self._endpoints[endpoint] = found = _Endpoint()
        return found
