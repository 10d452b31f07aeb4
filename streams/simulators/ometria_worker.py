"""The worker behind the simulated Ometria's queue: it looks into records after the reply was given.

Contract: contracts/ometria.md §2 ("OK" is queued, not validated and not stored; late errors name no
record; a backlog of 50,000), §7.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streams.simulators.ometria_events import Events
from streams.simulators.ometria_findings import NOT_VALID, ROOT, Problem
from streams.simulators.ometria_listings import Listings
from streams.simulators.ometria_records import ListingRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.simulators.ometria_findings import FlagName
    from streams.simulators.ometria_records import Judged
    from streams.simulators.ometria_switches import Switches

__all__ = ["FAULT", "QUEUED", "LateError", "NotedFlag", "Queued", "Worker", "told"]

FAULT = Problem(ROOT, "A fault on demand.", NOT_VALID)
"""What is said of a record that fails on demand."""

QUEUED = "queued"
"""The fate of a record until it is processed; a file of requests, written before, keeps it."""

_TOLD = 100
_EPSILON = 1e-6  # of a record: seconds since 1970 are not exact


@dataclass(frozen=True, slots=True)
class LateError:
    """An error with what only tests may know: its record, by request, row, type and id."""

    sequence: int
    row: int
    type: str | None
    id: str | None
    error_message: str
    error_path: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotedFlag:
    """Something that was taken unwillingly, and its record."""

    sequence: int
    row: int
    type: str | None
    id: str | None
    flag: FlagName
    path: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A record that waits.

    `place` is its request's sequence and its row in it, `at` when it came (seconds since 1970);
    its fate is written into `fates` once it is known.
    """

    judged: Judged
    place: tuple[int, int]
    at: float
    fates: list[str]
    fails: bool = False


class Worker:
    """Takes records from the queue, in order of arrival, and keeps what is valid."""

    def __init__(self) -> None:
        self.listings = Listings()
        self.events = Events()
        self.errors: list[LateError] = []
        self.flags: list[NotedFlag] = []
        self._queue: deque[Queued] = deque()
        self._worked_until = 0.0
        self._due = 0.0  # records, with fractions

    @property
    def waiting(self) -> int:
        """How many records wait."""
        return len(self._queue)

    def add(self, queued: Queued) -> None:
        """Put a record at the end of the queue."""
        self._queue.append(queued)

    def work(self, at: float, switches: Switches) -> None:
        """Process what is due by the time `at`: as many as the rate allows since the last time."""
        rate = switches.records_per_second
        elapsed = max(0.0, at - self._worked_until)
        self._worked_until = max(at, self._worked_until)
        if rate is None:
            number = len(self._queue)
        else:
            self._due += rate * elapsed
            number = min(int(self._due + _EPSILON), len(self._queue))
            self._due -= number
        for _ in range(number):
            queued = self._queue.popleft()
            queued.fates[queued.place[1]] = self._process(queued, switches)
        if not self._queue:
            self._due = 0.0  # idle time cannot be saved up

    def note(
        self, judged: Judged, place: tuple[int, int], problems: Sequence[Problem] = ()
    ) -> None:
        """List the errors and flags of a record."""
        named = (*place, judged.type, judged.id)
        self.errors += [
            LateError(*named, each.message, each.path, each.reason) for each in problems
        ]
        self.flags += [NotedFlag(*named, each.name, each.path) for each in judged.findings.flags]

    def told_errors(self) -> list[Mapping[str, str]]:
        """The newest 100, the newest first, as they are answered: nothing ties them to a record."""
        newest = self.errors[: -_TOLD - 1 : -1]
        return [told(each.error_message, each.error_path) for each in newest]

    def _process(self, queued: Queued, switches: Switches) -> str:
        """Keep a record, or list its errors; returns its fate."""
        judged, place, row = queued.judged, queued.place, queued.judged.row
        if row is None:
            self.note(judged, place, judged.findings.problems)
            return f"dropped:{judged.findings.problems[0].path}"
        if queued.fails:
            self.note(judged, place, [FAULT])
            return "dropped:fault"
        self.note(judged, place)
        at = datetime.fromtimestamp(queued.at, UTC)
        if isinstance(row, ListingRow):
            self.listings.upsert(row, place, at, switches)
            return "accepted"
        silent = self.events.upsert(row, place, at, self.listings, switches)
        if silent is None:
            return "accepted"
        return "duplicate" if silent == "duplicate" else f"silent:{silent}"


def told(message: str, path: str) -> Mapping[str, str]:
    """An error as Ometria tells it."""
    return {"error_message": message, "error_path": path}
