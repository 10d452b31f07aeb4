"""How long a batch waits for a merchant's API: for one that answers slowly or not at all.

Time in which nothing may be asked does not count, since it says nothing of the API: our own limit
holds questions back, or a 429 said when to return. But there is an end to that too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.ingest.ordergroove_progress import Progress

HELD_SECONDS: Final = 300.0
"""Of such time no more than this: the longest that one 429 is obeyed."""


class Patience:
    """What is left of one batch's patience with one merchant's API. For one thread."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        """Begin with all of it; no time passes before `begin`."""
        self._seconds = seconds
        self._clock = clock
        self._at = clock()
        self._heard = 0
        self._tried = 0.0
        self._silent = 0.0
        self._held = 0.0

    @property
    def left(self) -> float:
        """Seconds after which what has no answer has none; 0 or less: they are over."""
        return 0.0 if self.is_held_up else self._seconds - max(self._tried, self._silent)

    @property
    def is_held_up(self) -> bool:
        """Whether it ended because nothing might be asked for too long."""
        return self._held >= HELD_SECONDS

    @property
    def is_silent(self) -> bool:
        """Whether it ended because the API was asked in vain for so long."""
        return self._silent >= self._seconds

    def begin(self, progress: Progress) -> None:
        """Let time pass from now on: questions are asked."""
        self._at, self._heard = self._clock(), progress.heard

    def passed(self, progress: Progress) -> None:
        """Count the time since the last look, by how the questions get on now.

        While our own limit lets only some of them go, it counts as long as none is answered.
        """
        now = self._clock()
        seconds, self._at = now - self._at, now
        if progress.heard > self._heard:
            self._heard, self._silent = progress.heard, 0.0
        elif progress.tried:
            self._silent += seconds
        if progress.held:
            self._held += seconds
        else:
            self._tried += seconds
