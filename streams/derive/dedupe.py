"""Has this event been here? Two guards: its id, and what it says (contracts/ordergroove.md §5.1).

The source repeats a webhook for up to three days, and two routes may feed one fact under two ids.
Digests are kept by the day of stream time on which they came, so that forgetting is dropping a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.ids import digest

from .terms import DAY

if TYPE_CHECKING:
    from streams.model.events import Event
    from streams.model.subscriber import Subscriber

WIDTH = 8


def repeated(row: Subscriber, event: Event, now: int, days: int) -> bool:
    """Whether the event, under this id or another, was seen in the last `days`."""
    oldest, id_ = now // DAY - days, digest(event.event_id)
    for day, digests in row.seen.items():
        if day < oldest:
            continue
        if _holds(digests, id_) or _holds(digests, event.guard):
            return True
    return False


def remember(row: Subscriber, event: Event, now: int, days: int) -> None:
    """Note the event in the (forked) row, and forget what is older than `days`."""
    today = now // DAY
    for past in [day for day in row.seen if day < today - days]:
        del row.seen[past]
    row.seen[today] = row.seen.get(today, b"") + digest(event.event_id) + event.guard


def _holds(digests: bytes, wanted: bytes) -> bool:
    found = digests.find(wanted)
    while found >= 0 and found % WIDTH:
        found = digests.find(wanted, found + 1)
    return found >= 0
