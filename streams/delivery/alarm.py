"""The one alarm of a connection: when a limit lets more start, its sender looks again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.delivery.statistics import Statistics


class Alarm:
    """Rings once, at the earliest time that was asked for last. For one event loop."""

    def __init__(self, ring: Callable[[], None], statistics: Statistics) -> None:
        """Take what is called, and where the waits are counted."""
        self._ring = ring
        self._statistics = statistics
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether it is going to ring, or has rung and was not heard yet."""
        return self._handle is not None

    def set(self, wait: float | None) -> None:
        """Ring in so many seconds; None: not at all."""
        loop, handle = asyncio.get_running_loop(), self._handle
        if handle is not None:
            if wait is not None and loop.time() < handle.when() <= loop.time() + wait:
                return
            handle.cancel()
            self._handle = None
        if wait is not None:
            self._statistics.limiter_waits += 1
            self._statistics.limiter_seconds += wait
            self._handle = loop.call_later(wait, self._ring)
