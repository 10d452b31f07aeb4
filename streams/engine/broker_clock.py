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
        self._at_least: float | None = None

    def heard(self, messages: Sequence[Message]) -> None:
        """Take note of what has just come; the last of them tells enough."""
        last = next((each for each in reversed(messages) if each.error() is None), None)
        kind, stamp = last.timestamp() if last is not None else (None, 0)
        if kind == TIMESTAMP_LOG_APPEND_TIME:
            ahead = stamp / 1_000 - self._steady()
            if self._ahead is None or ahead > self._ahead:
                self._ahead = ahead

    @property
    def knows(self) -> bool:
        """Whether a record has told the time."""
        return self._ahead is not None

    def at_least(self, stamp: int) -> None:
        """Take note that a record has this stamp (epoch ms): it is later than that at the broker.

        It may be much later; so it counts only until a record comes.
        """
        if stamp >= 0:
            ahead = stamp / 1_000 - self._steady()
            self._at_least = ahead if self._at_least is None else max(ahead, self._at_least)

    def now(self) -> float:
        """Epoch seconds, not later than it is at the broker; before any stamp, by our own clock."""
        ahead = self._at_least if self._ahead is None else self._ahead
        return self._wall() if ahead is None else self._steady() + ahead
