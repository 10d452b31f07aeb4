"""Has this event been here? Two guards: its id, and what it says (contracts/ordergroove.md §5.1).

The source repeats a webhook for up to three days, and two routes may feed one fact under two ids.
Digests are kept by the day of stream time on which they came, so that forgetting is dropping a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from streams.model.ids import digest

from .terms import DAY

if TYPE_CHECKING:
    from streams.model.events import AnyEvent

WIDTH = 6


class Remembering(Protocol):
    """A row that remembers events, of whatever source."""

    @property
    def seen(self) -> dict[int, bytes]:
        """Day of stream time → the marks of that day."""


def marks_of(event: AnyEvent) -> bytes:
    """What stands for an event: a digest of its id, then its guard."""
    return digest(event.event_id) + event.guard


def repeated(row: Remembering, marks: bytes, now: int, days: int) -> bool:
    """Whether an event of these marks, under this id or another, was seen in the last `days`."""
    oldest, id_, guard = now // DAY - days, marks[:WIDTH], marks[WIDTH:]
    for day, digests in row.seen.items():
        if day >= oldest and (_holds(digests, id_) or _holds(digests, guard)):
            return True
    return False


def remember(row: Remembering, marks: bytes, now: int, days: int) -> None:
    """Note an event's marks in the (forked) row, and forget what is older than `days`."""
    today = now // DAY
    for past in [day for day in row.seen if day < today - days]:
        del row.seen[past]
    row.seen[today] = row.seen.get(today, b"") + marks


def _holds(digests: bytes, wanted: bytes) -> bool:
    if wanted not in digests:  # nearly always
        return False
    found = digests.find(wanted)
    while found >= 0 and found % WIDTH:
        found = digests.find(wanted, found + 1)
    return found >= 0
