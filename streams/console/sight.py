"""What the flow looks like at one moment, and how fast it moves between two of them. Pure."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.console.index import IndexStanding, Minute
    from streams.control.standing import Lag

Tone = Literal["good", "rests", "trouble"]
"""Whether something does as it should, does nothing by decision, or needs somebody."""

_KEPT: Final = 300
"""Looks that are remembered: ten minutes of one each two seconds."""
_OVER: Final = 5
"""A rate is over so many looks at most: what comes in batches would jump."""


class RoleSight(NamedTuple):
    """A role that reads a topic.

    Attributes:
        role: derive, hydrate, rekey.
        source: whose records.
        topic: that it reads.
        lag: of its group.
        dead_letters: of the source that stand; None: not counted yet, or not its business.
        workers: that are in its group.
    """

    role: str
    source: str
    topic: str
    lag: Lag
    dead_letters: int | None
    workers: int


class ConnectionSight(NamedTuple):
    """A connection.

    Attributes:
        name: of the connection.
        destination: the vendor.
        topic: of its deliveries.
        low: of its replays.
        mode: in words, with its measure.
        tone: how it does.
        state: in words.
        lag: of its group in its topic.
        dead_letters: that stand; None: not counted yet.
    """

    name: str
    destination: str
    topic: str
    low: str
    mode: str
    tone: Tone
    state: str
    lag: Lag
    dead_letters: int | None


class Sight(NamedTuple):
    """All of it.

    Attributes:
        at: epoch seconds.
        roles: in flow order.
        connections: as the settings have them.
        ends: topic → the sum of its end offsets.
        minutes: outcomes a minute, lately.
        indexed: how far the console's own index is.
    """

    at: float
    roles: list[RoleSight]
    connections: list[ConnectionSight]
    ends: Mapping[str, int]
    minutes: list[Minute]
    indexed: IndexStanding


class Moving:
    """The sights of the last minutes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque(maxlen=_KEPT)

    def saw(self, sight: Sight) -> None:
        """Remember a sight."""
        self._seen.append((sight.at, sight.ends))

    def rate(self, topic: str) -> float | None:
        """Offsets a second that a topic grew by lately; None: nobody has looked twice yet."""
        lately = list(self._seen)[-_OVER:]
        if len(lately) < 2:
            return None
        (since, before), (at, now) = lately[0], lately[-1]
        grown = now.get(topic, 0) - before.get(topic, 0)
        return max(0, grown) / max(at - since, 0.001)

    def rates(self, topic: str) -> list[tuple[float, float]]:
        """(epoch seconds, offsets a second) between each two looks."""
        seen = list(self._seen)
        return [
            (at, max(0, now.get(topic, 0) - before.get(topic, 0)) / max(at - since, 0.001))
            for (since, before), (at, now) in pairwise(seen)
        ]
