"""What should be over by now: a request beyond its own timeout, a load without a sign of life.

The engine's watchdog asks for it from a thread of its own (`Handler.runnable_since`).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

Answer = TypeVar("Answer")


class Overdue:
    """Things under way, each with the time at which it should be over; for any thread.

    Each method does one thing to a dictionary, which Python does as a whole: there is no lock.
    """

    def __init__(self, clock: Callable[[], float], within: float = 0.0) -> None:
        """Begin with nothing.

        Args:
            clock: monotonic seconds.
            within: how many of them a thing may take.
        """
        self._clock = clock
        self._within = within
        self._over: dict[Hashable, float] = {}

    def begin(self, thing: Hashable) -> None:
        """A thing is under way; again: from now on."""
        self._over[thing] = self._clock() + self._within

    def end(self, thing: Hashable) -> None:
        """It is over."""
        self._over.pop(thing, None)

    @contextmanager
    def beating(self, call: Callable[[], Answer]) -> Iterator[Callable[[], Answer]]:
        """Have a thing that begins anew at each call of what this gives instead of `call`."""
        thing = object()

        def beat() -> Answer:
            self.begin(thing)
            return call()

        self.begin(thing)
        try:
            yield beat
        finally:
            self.end(thing)

    @property
    def since(self) -> float | None:
        """Since when the first of them is overdue; None: none is."""
        first = min(tuple(self._over.values()), default=None)
        return first if first is not None and first <= self._clock() else None
