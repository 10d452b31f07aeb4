"""How much is left: a list read by cursor does not say how long it is (contracts §2).

Known are two things that stand in for it: how long the list was in the last run that read all, or,
where pages come in order of the last change, how much of the window's time they have come through.
Neither is more than an estimate. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from streams.sources.ordergroove import quirks as q
from streams.sources.ordergroove.state import FORMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from streams.sync.standing import Run

__all__ = ["Forecast", "Outlook"]

Basis = Literal["counts", "time", "nothing"]

BASES: Final[Mapping[Basis, str]] = {
    "counts": "by what the last whole sync counted",
    "time": "by the span of the changes read so far",
    "nothing": "no forecast: nothing is known of how long the lists are",
}
"""What a forecast rests on, for people."""


class Outlook(NamedTuple):
    """What is expected.

    Attributes:
        read: entities so far.
        total: entities in the end; None: unknown.
        basis: why.
    """

    read: int
    total: int | None
    basis: Basis

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1."""
        return None if self.total is None else self.read / self.total if self.total else 1.0

    def left(self, seconds: float, read_before: int) -> float | None:
        """Seconds that the rest takes at the rate so far.

        Args:
            seconds: since this process began to read.
            read_before: entities that were read before that.
        """
        done = self.read - read_before
        if self.total is None or done <= 0:
            return None
        return max(0.0, (self.total - self.read) * seconds / done)


class _Seen:
    """The times of changes in the pages of one list."""

    def __init__(self) -> None:
        self.oldest: int | None = None
        self.newest: int | None = None
        self.ordered = True

    def note(self, times: Sequence[int]) -> None:
        if not times:
            return
        first, last = times[0], times[-1]
        if self.newest is not None and first < self.newest:
            self.ordered = False
        if list(times) != sorted(times):
            self.ordered = False
        self.oldest = first if self.oldest is None else min(self.oldest, first)
        self.newest = last if self.newest is None else max(self.newest, last)


class Forecast:
    """Watches pages come, and says how many entities there will be."""

    def __init__(
        self, run: Run, whole: Mapping[str, int], zone: ZoneInfo, now: int, *, reads_all: bool
    ) -> None:
        """Prepare.

        Args:
            run: how far it was when this process began.
            whole: list → entities in the last run that read all.
            zone: of the vendor's times.
            now: epoch milliseconds: the end of the window, where it has none.
            reads_all: this run does so, too.
        """
        self._since = run.since
        self._until = run.until or now
        self._whole = whole if reads_all else {}
        self._reading = q.Reading(zone, "US", 0)
        self._before = {name: run.reach(name).read for name in FORMS}
        self._read = dict(self._before)
        self._done = {name for name in FORMS if run.reach(name).done}
        self._seen = {name: _Seen() for name in FORMS}
        self.read_before = sum(self._read.values())

    def note(self, entity: str, results: Sequence[Mapping[str, Any]], *, last: bool) -> None:
        """Take a page."""
        self._read[entity] += len(results)
        if last:
            self._done.add(entity)
        if self._seen[entity].ordered:
            self._seen[entity].note(self._times(entity, results))

    def read_of(self, entity: str) -> int:
        """Entities of a list so far."""
        return self._read[entity]

    def of(self, entity: str) -> Outlook:
        """What is expected of one list."""
        read = self._read[entity]
        if entity in self._done:
            return Outlook(read, read, "counts")
        if entity in self._whole:
            return Outlook(read, max(read, self._whole[entity]), "counts")
        return self._by_time(entity, read)

    def whole(self) -> Outlook:
        """What is expected of all lists together; unknown if it is of one that has begun.

        One that has not (items wait for orders) is taken to be as long as the others on average.
        """
        each = [self.of(entity) for entity in FORMS]
        begun = [one for one in each if one.read or one.total is not None]
        read = sum(one.read for one in each)
        if not begun or any(one.total is None for one in begun):
            return Outlook(read, None, "nothing")
        by_time = len(begun) < len(each) or any(one.basis == "time" for one in each)
        total = sum(one.total or 0 for one in begun)
        total += round(total / len(begun)) * (len(each) - len(begun))
        return Outlook(read, total, "time" if by_time else "counts")

    def _by_time(self, entity: str, read: int) -> Outlook:
        """As many changes a day as in the pages of this process, up to the window's end."""
        seen, here = self._seen[entity], read - self._before[entity]
        begin = seen.oldest if here < read or self._since is None else self._since
        if not seen.ordered or seen.newest is None or begin is None or seen.newest <= begin:
            return Outlook(read, None, "nothing")
        left = here * max(0, self._until - seen.newest) / (seen.newest - begin)
        return Outlook(read, read + round(left), "time")

    def _times(self, entity: str, results: Sequence[Mapping[str, Any]]) -> list[int]:
        found = []
        for body in results:
            try:
                at = q.instant(body.get(FORMS[entity].updated), self._reading)
            except (ValueError, OverflowError):
                at = None
            if at is not None:
                found.append(at)
        return found
