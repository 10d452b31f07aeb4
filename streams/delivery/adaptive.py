"""How much of an account's rate is left for us, found out by what the vendor refuses (AIMD).

Another program may use the same account: of that we only learn by 429. Each crowd of refusals takes
a part of our rate; after that it grows back to all of it, slowly only where it was refused last.
So it stays most of the time just below what the stranger leaves, and is whole again some time after
they have left.
"""

from __future__ import annotations

from typing import Final

_LESS: Final = 0.85
"""What a crowd of refusals leaves of the rate: a stranger who takes half is found out by five."""

_BY_CHANCE: Final = 0.95
"""What the first one leaves of all of it: it may be chance on the way, and no stranger."""

_LEAST: Final = 0.01
"""The rate never comes to a halt: the vendor's own wait sees to that."""

_GROWTH_WINDOWS: Final = 10
_GROWTH_SECONDS: Final = 100.0
"""From nothing to all in so many seconds, or in so many of the vendor's windows where these are
long: in one window the rate must not grow by more than a refusal takes from it."""


_KNEE: Final = 0.05
_AT_KNEE: Final = 0.125
"""So near the rate that was refused last, on either side, it grows so much more slowly. Not where
that was all of it: then it was chance more likely than a stranger."""


class Level:
    """The share of its limits that one endpoint's requests may use now, in (0, 1]."""

    __slots__ = ("_growth", "_level", "_lowered", "_refused", "_since")

    def __init__(self, longest: float = 1.0) -> None:
        """Begin with all of it; `longest` is the endpoint's longest window, in seconds."""
        self._growth = 1.0 / max(_GROWTH_SECONDS, _GROWTH_WINDOWS * longest)
        self._level = 1.0
        self._refused = 1.0
        self._since = 0.0
        self._lowered = float("-inf")

    def at(self, now: float) -> float:
        """The share at this time, monotonic seconds."""
        level, left = self._level, now - self._since
        if level >= 1.0 or left <= 0:
            return level
        knee = self._refused if self._refused < 1.0 else 0.0
        stretches = (
            (knee * (1.0 - _KNEE), self._growth),
            (knee * (1.0 + _KNEE), self._growth * _AT_KNEE),
            (1.0, self._growth),
        )
        for end, speed in stretches:
            if level < end:
                takes = (min(end, 1.0) - level) / speed
                if left < takes:
                    return level + left * speed
                level, left = min(end, 1.0), left - takes
        return level

    def lower(self, now: float, began: float, resumes: float) -> bool:
        """Take a refusal, and return whether the rate was lowered for it.

        It is not if the request was under way when the rate was lowered last: one crowd counts
        once.

        Args:
            now: monotonic seconds.
            began: when the refused request was started.
            resumes: when the endpoint's pause ends; the rate grows from then on.
        """
        if began < self._lowered:
            return False
        self._refused = self.at(now)
        less = _LESS if self._refused < 1.0 else _BY_CHANCE
        self._level = max(_LEAST, self._refused * less)
        self._lowered, self._since = now, resumes
        return True
