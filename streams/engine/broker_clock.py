"""The broker's clock, as far as a process can know it: its own is not believed where stamps tell.

A record with a `LogAppendTime` stamp was there when its stamp was made, so the broker's clock has
gone on since by at least what has passed here since the record came. That needs no clock set right,
only one that runs evenly. Of several such bounds the greatest is the nearest.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confluent_kafka import Message

__all__ = ["BrokerClock"]


class BrokerClock:
    """One thread at a time."""

    def __init__(
        self,
        steady: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._steady = steady
        self._wall = wall
        self._ahead: float | None = None

    def heard(self, messages: Sequence[Message]) -> None:
        """Take note of what has just come; the last of them tells enough."""
        last = next((each for each in reversed(messages) if each.error() is None), None)
        kind, stamp = last.timestamp() if last is not None else (None, 0)
        if kind == TIMESTAMP_LOG_APPEND_TIME:
            ahead = stamp / 1_000 - self._steady()
            if self._ahead is None or ahead > self._ahead:
                self._ahead = ahead

    def now(self) -> float:
        """Epoch seconds, not later than it is at the broker; before any stamp, by our own clock."""
        return self._wall() if self._ahead is None else self._steady() + self._ahead
