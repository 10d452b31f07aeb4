"""One partition on disk: its rows, the timers that they ask for, and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.engine.state.local_rows import LocalRows
from streams.engine.state.write_batch import StateBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from confluent_kafka import Message

    from streams.engine.compute import Work
    from streams.engine.state.checkpoint import Checkpoint
    from streams.engine.state.local_state import LocalState

__all__ = ["LocalTable"]


class LocalTable(LocalRows):
    """A partition's rows and what is written of them. One thread writes at a time.

    Attributes:
        checkpoint: of what is on disk.
    """

    __slots__ = ("_due", "_partition", "_timers", "_write", "checkpoint")

    def __init__(
        self,
        state: LocalState,
        partition: int,
        checkpoint: Checkpoint,
        due: Callable[[bytes], int],
        write: Callable[[StateBatch], None],
    ) -> None:
        """Begin with what is on disk.

        Args:
            state: where it is.
            partition: whose rows these are.
            checkpoint: of what is on disk.
            due: the timer that a row asks for.
            write: writes what is read from the changelog.
        """
        super().__init__(state.reader(partition))
        self.checkpoint = checkpoint
        self._write = write
        self._partition = partition
        self._due = due
        stored = state.items(partition, timers=True)
        self._timers = {key: int.from_bytes(at, "big") for key, at in stored}

    @property
    def timers(self) -> Iterable[tuple[int, bytes]]:
        """The timers on disk, as (due, key)."""
        return ((due, key) for key, due in self._timers.items())

    def take(self, messages: Sequence[Message], position: int) -> None:
        """Write changelog records, and that the rows are as far as this offset now."""
        batch = StateBatch()
        self._put(batch, [(message.key() or b"", message.value()) for message in messages])
        self._check_in(batch, position=position)
        self._write(batch)

    def keep(self, batch: StateBatch, work: Work, whole_at: float) -> None:
        """Add a committed work to a batch."""
        self._put(batch, work.changes.items())
        position = self.checkpoint.position if work.end is None else work.end
        self._check_in(batch, position=position, offset=work.position.offset, whole_at=whole_at)

    def complete(self, position: int, whole_at: float) -> None:
        """Write that the rows are all that the changelog stood for at a time, up to an offset."""
        batch = StateBatch()
        self._check_in(batch, position=position, whole_at=whole_at)
        self._write(batch)

    def _put(self, batch: StateBatch, rows: Collection[tuple[bytes, bytes | None]]) -> None:
        batch.rows(self._partition, rows)
        timers, due_of = self._timers, self._due
        for key, row in rows:
            due = 0 if row is None else due_of(row)
            if due != timers.get(key, 0):
                batch.timer(self._partition, key, due)
                if due:
                    timers[key] = due
                else:
                    del timers[key]

    def _check_in(self, batch: StateBatch, **changed: float) -> None:
        self.checkpoint = msgspec.structs.replace(self.checkpoint, **changed)
        batch.checkpoint(self._partition, self.checkpoint)
