"""The table of one partition, and the view of it that a job works with."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from streams.engine.batch import FIRST
from streams.engine.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.breaker import Failures
    from streams.engine.batch import Position

__all__ = ["Rows", "Shard", "Table"]


class Table(Protocol):
    """Key → row, opaque bytes, with everything applied so far: a dictionary, or what acts alike."""

    def get(self, key: bytes, /) -> bytes | None:
        """Return the row, None where there is none."""

    def __setitem__(self, key: bytes, row: bytes, /) -> None:
        """Replace the row."""

    def pop(self, key: bytes, default: None, /) -> bytes | None:
        """Delete the row if it is there; what is returned says nothing."""


class Shard:
    """What one partition's work goes on from.

    Attributes:
        rows: the table.
        timers: of the rows.
        offset: the next record to apply.
        previous: the last record applied in this epoch, or `FIRST`.
        stream_time: the largest record timestamp seen, epoch milliseconds; survives restarts in
            the commit's metadata.
    """

    __slots__ = ("offset", "previous", "rows", "stream_time", "timers")

    def __init__(
        self, rows: dict[bytes, bytes], due: Callable[[bytes], int], position: Position
    ) -> None:
        """Begin with rows in memory; each is asked for its timer (`Job.due`)."""
        timers = ((at, key) for key, row in rows.items() if (at := due(row)))
        self._begin(rows, timers, position)

    @classmethod
    def of(cls, rows: Table, timers: Iterable[tuple[int, bytes]], position: Position) -> Shard:
        """Begin with a table of any kind and its timers, as (due, key)."""
        shard = cls.__new__(cls)
        shard._begin(rows, timers, position)  # noqa: SLF001 - the other way to be made
        return shard

    def _begin(self, rows: Table, timers: Iterable[tuple[int, bytes]], position: Position) -> None:
        self.rows = rows
        self.timers = Timers(timers)
        self.offset = position.offset
        self.previous = FIRST
        self.stream_time = int(position.metadata) if position.metadata.isdecimal() else 0


class Rows:
    """A shard's rows as a job sees them during one batch; remembers what changed.

    Attributes:
        get: key → row or None.
        now: stream time in epoch milliseconds.
        changes: key → row, None for a deleted one; goes to the changelog.
        failures: records that the job gave up on, by kind.
    """

    __slots__ = ("_rows", "_timers", "changes", "failures", "get", "now")

    def __init__(self, shard: Shard) -> None:
        self._rows = shard.rows
        self._timers = shard.timers
        self.get = shard.rows.get
        self.now = shard.stream_time
        self.changes: dict[bytes, bytes | None] = {}
        self.failures: Failures = Counter()

    def gave_up(self, reason: str, name: str | None) -> None:
        """Say that the record at hand became a dead letter: too many alike stop the partition.

        Args:
            reason: a word of a closed set.
            name: the field that was wrong, if one was.
        """
        self.failures[reason, name] += 1

    def put(self, key: bytes, row: bytes | None, due: int = 0) -> None:
        """Replace a row, or delete it with None.

        Args:
            key: the row's key.
            row: its bytes; `Job.due` of them must be `due`.
            due: the row's next timer in epoch milliseconds of stream time, 0 for none.
        """
        if row is None:
            self._rows.pop(key, None)
            due = 0
        else:
            self._rows[key] = row
        self.changes[key] = row
        self._timers.set(key, due)
