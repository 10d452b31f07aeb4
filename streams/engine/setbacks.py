"""Resets in a row without progress: how long to wait before the next try, and when to give up.

A partition is set back when its work failed. If the failure is in the records (poison), another try
fails too: after a number of them without any progress the process must stop and say where. Failures
outside the records (a broker that is away) may last as long as they like.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.errors import EngineFailed

__all__ = ["Setbacks"]

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 5.0


@dataclass(slots=True)
class _Tries:
    offset: int | None = None
    resets: int = 0
    poisoned: int = 0
    poison: bool = False
    cause: str = ""


class Setbacks:
    """Counts the resets of one lane's partitions since each last moved on."""

    def __init__(self, poison_limit: int) -> None:
        self._limit = poison_limit
        self._tries: dict[int, _Tries] = {}

    def note(self, partition: int, cause: str, *, poison: bool) -> float:
        """Count a reset; return the seconds to wait before the partition is loaded again."""
        tries = self._tries.setdefault(partition, _Tries())
        tries.cause = cause
        tries.resets += 1
        tries.poisoned += poison
        tries.poison = poison
        return float(min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** (tries.resets - 1)))

    def check(self, partition: int, offset: int) -> None:
        """Compare the position from which the partition goes on with the one of the last time.

        Raises:
            EngineFailed: too many poisoned tries from this very offset.
        """
        tries = self._tries.get(partition)
        if tries is None:
            return
        if tries.offset != offset:  # it moved on since, or this is the first setback from here
            tries.offset = offset
            tries.resets = 1
            tries.poisoned = int(tries.poison)
        if tries.poisoned >= self._limit:
            message = (
                f"partition {partition} failed {tries.poisoned} times in a row from offset {offset}"
                f" without progress: {tries.cause}"
            )
            raise EngineFailed(message)
