"""Pieces of work that come to an end by themselves, and since when each is under way.

What the watchdog asks (`watchdog`): is there a piece that should have ended long ago? A piece is
put down only while nothing holds it back; a wait for a broker, a registry or a vendor is none.
"""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Underway", "earliest"]

Answer = TypeVar("Answer")


class Underway:
    """A set of pieces; for any thread.

    It has no lock, since a batch that is thrown away may end its piece anywhere, also inside
    another call: each method does one thing to a dictionary, which Python does as a whole.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self._since: dict[int, float] = {}

    def begin(self) -> int:
        """Put down a piece; return its number for `end`."""
        piece = next(self._numbers)
        self._since[piece] = self._clock()
        return piece

    def end(self, piece: int) -> None:
        """Cross a piece off; twice is harmless."""
        self._since.pop(piece, None)

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Have a piece for as long as the block lasts."""
        piece = self.begin()
        try:
            yield
        finally:
            self.end(piece)

    @contextmanager
    def beating(self, call: Callable[[], Answer]) -> Iterator[Callable[[], Answer]]:
        """Have a piece that is as good as new at each call of what this gives instead of `call`.

        For work that may last, if only it goes on: loading asks at each turn whether it still
        matters.
        """
        piece = self.begin()

        def beat() -> Answer:
            self._since[piece] = self._clock()
            return call()

        try:
            yield beat
        finally:
            self.end(piece)

    @property
    def since(self) -> float | None:
        """Since when the oldest piece is under way, seconds of the clock; None: there is none."""
        return earliest(*tuple(self._since.values()))


def earliest(*times: float | None) -> float | None:
    """The least of the times that are there."""
    return min((each for each in times if each is not None), default=None)
