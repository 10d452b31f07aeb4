"""Times as the simulated Ordergroove writes and reads them: without a zone (§2.1).

Inside the simulator a time is epoch seconds; outside it is a text in the zone of the switches.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["filter_of", "moment_of", "text_of", "wall_of"]

_FILTER = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?", re.ASCII)
_TRANSITIONS = 900
"""Zones change at whole quarters of an hour."""


def text_of(moment: int, zone: str) -> str:
    """`2026-10-01 07:00:00`."""
    return datetime.fromtimestamp(wall_of(moment, zone), UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment_of(text: str, zone: str) -> int | None:
    """What a text written so means; None where it is none. Of an hour that comes twice the first.

    Filters' `2026-10-01` and `2026-10-01T07:00:00` are read, too.
    """
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())
    except ValueError:
        return None


def filter_of(text: str, zone: str) -> int | None:
    """What the value of a `…_start` or `…_end` means; None where it has neither form (§2.1)."""
    return moment_of(text, zone) if _FILTER.fullmatch(text) else None


def wall_of(moment: int, zone: str) -> int:
    """A number that grows with the time as it is written; an hour of autumn comes twice."""
    return moment + _offset(moment // _TRANSITIONS, zone)


@lru_cache(maxsize=1 << 17)
def _offset(quarter: int, zone: str) -> int:
    offset = datetime.fromtimestamp(quarter * _TRANSITIONS, ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
