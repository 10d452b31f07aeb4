"""Since when, in the words of a vendor whose times say no zone (contracts/ordergroove.md §2.1, §3).

A filter is wall time. In autumn the clock goes through an hour twice, and nobody says which of the
two a filter means, nor whether the vendor compares times or texts. So a filter never names a time
of that hour: it names the last one before it, which is earlier however it is read. What is read
twice for it is the same record again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["OVERLAP", "Window", "earliest", "filter_text"]

OVERLAP: Final = 300_000
"""Milliseconds before the last run's start that the next one begins: clocks differ."""

_MINUTE: Final = timedelta(minutes=1)


class Window(NamedTuple):
    """The changes that a run reads: epoch milliseconds; `since` None: all that there is.

    `until` None: up to what comes while it reads.
    """

    since: int | None
    until: int | None = None


def filter_text(at: int, zone: ZoneInfo) -> str:
    """Wall time for a filter, `2026-10-31T23:59:59`: of this moment or, in a doubtful hour, before.

    Args:
        at: epoch milliseconds.
        zone: of the vendor's times.
    """
    wall = datetime.fromtimestamp(at // 1_000, UTC).astimezone(zone).replace(tzinfo=None, fold=0)
    while len(_readings(wall, zone)) > 1:
        wall -= _MINUTE
    return wall.isoformat()


def earliest(wall: datetime, zone: ZoneInfo) -> int:
    """Epoch milliseconds of a time as somebody wrote it: without a zone, the earlier reading."""
    if wall.tzinfo is not None:
        return int(wall.timestamp() * 1_000)
    return int(min(_readings(wall, zone)) * 1_000)


def _readings(wall: datetime, zone: ZoneInfo) -> set[float]:
    """What a wall time may mean, as epoch seconds: two where the clock was turned."""
    return {wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)}
