"""Times and counts as pages say them. Pure."""

from __future__ import annotations

from typing import Final

from streams.model import wording

NOTHING: Final = "-"
"""Where there is nothing to say."""


def moment(at: int | None) -> str:
    """A time of epoch milliseconds: `2026-10-01 12:00:03Z`."""
    return wording.moment(at) if at else NOTHING


def several(count: int, one: str, more: str | None = None) -> str:
    """`1 letter`, `1,200 letters`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
