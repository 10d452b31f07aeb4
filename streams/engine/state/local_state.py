"""State on disk: one RocksDB a process, for all partitions that it ever had.

What belongs together is written in one batch: rows, timers, and the checkpoint that says how far
they are. The log of writes is on, so a killed process loses nothing of it; nothing is forced to the
disk batch by batch, so a machine that loses power loses the last seconds: RocksDB then comes back
with an earlier batch as its last, whose checkpoint is as early, and the changelog has the rest. One
database and one cache for all partitions bound the memory, however many there are.

What cannot be read is never guessed at: the files are marked as damaged, the process ends, and the
next start drops them.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from rocksdict import Rdict, ReadOptions, WriteOptions

from streams.engine.failure import describe
from streams.engine.state.checkpoint import Checkpoint, Reason
from streams.engine.state.write_batch import CHECKPOINT, ROW, TIMER, StateBatch, prefix_of
from streams.errors import EngineFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["DAMAGED", "SETTING", "LocalState"]

SETTING = "derive.state_directory"
"""Where the files are, for those who have to mend it."""
DAMAGED = "damaged"
"""A file of this name says that the files beside it are."""

_STALL_SECONDS = 0.005

log = logging.getLogger(__name__)
_checkpoints = msgspec.msgpack.Decoder(Checkpoint)


class LocalState:
    """An open database. Reads and writes from any thread.

    Attributes:
        dropped: why what was here before was dropped when it was opened; None if it was not.
    """

    def __init__(self, directory: Path, database: Rdict, dropped: Reason | None) -> None:
        self.dropped = dropped
        self._directory = directory
        self._database = database
        self._writing = threading.Lock()
        self._at_once = WriteOptions()
        self._at_once.no_slowdown = True
        self._closed = False
        self._failure: EngineFailed | None = None

    def check(self) -> None:
        """Make sure that nothing has failed so far.

        Raises:
            EngineFailed: something has.
        """
        if self._failure is not None:
            raise self._failure

    def reader(self, partition: int) -> Callable[[bytes], bytes | None]:
        """Return what reads this partition's rows by key; it raises `EngineFailed`."""
        get, prefix, damaged = self._database.get, prefix_of(partition, ROW), self._damaged

        def read(key: bytes) -> bytes | None:
            try:
                return get(prefix + key)
            except Exception as error:
                raise damaged(error) from error

        return read

    def checkpoint(self, partition: int) -> Checkpoint | None:
        """Return how far a partition is, None where there is nothing of it; or `EngineFailed`."""
        self.check()
        try:
            value = self._database.get(prefix_of(partition, CHECKPOINT))
            return None if value is None else _checkpoints.decode(value)
        except Exception as error:
            raise self._damaged(error) from error

    def items(self, partition: int, *, timers: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield rows of a partition, or timers (key, 8 bytes), by key; raises `EngineFailed`."""
        prefix = prefix_of(partition, TIMER if timers else ROW)
        options = ReadOptions()
        options.set_iterate_upper_bound(prefix[:-1] + bytes([prefix[-1] + 1]))
        try:
            found = self._database.iter(options)
            found.seek(prefix)
            while found.valid():
                yield found.key()[len(prefix) :], found.value()
                found.next()
            found.status()  # it ends at what cannot be read as well
        except Exception as error:
            raise self._damaged(error) from error

    def write(self, batch: StateBatch) -> None:
        """Write a batch; wait while RocksDB is behind. Failed or closed, it writes nothing.

        Raises:
            EngineFailed: there is no room, or the files are damaged.
        """
        with self._writing:
            self.check()
            while not self._closed and not self._try(batch):
                time.sleep(_STALL_SECONDS)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Write nothing more if the block raises: what comes later would hide that it is missing.

        Raises:
            EngineFailed: the block raised.
        """
        try:
            yield
        except EngineFailed:
            raise
        except Exception as error:
            raise self._failed(f"is behind: {describe(error)}") from error

    def close(self) -> None:
        """Let go of the files, so that another process may have them."""
        self._closed = True
        with self._writing:
            try:
                self._database.close()
            except Exception as error:  # noqa: BLE001 - what it could not write, the changelog has
                log.warning("%s: closed with an error: %s", self._directory, error)

    def _try(self, batch: StateBatch) -> bool:
        """Write, but not while RocksDB is behind: it would hold up every thread of Python."""
        try:
            self._database.write(batch.build(), self._at_once)
        except Exception as error:
            if "Write stall" in str(error):
                return False
            if "Corruption" in str(error):
                raise self._damaged(error) from error
            raise self._failed(
                f"cannot be written to: {error}. Make room there, or set another place; nothing"
                " is lost, the changelog has it all"
            ) from error
        return True

    def _damaged(self, error: Exception) -> EngineFailed:
        """Note that the files cannot be read, and return what to raise."""
        if self._closed:
            return EngineFailed(f"{self._directory} is closed")
        with suppress(OSError):
            (self._directory / DAMAGED).touch()
        return self._failed(f"cannot be read: {error}. The next start builds it anew")

    def _failed(self, problem: str) -> EngineFailed:
        """Be of no use from now on, and return what to raise."""
        self._failure = EngineFailed(f"{SETTING}: {self._directory} {problem}")
        log.critical("%s", self._failure)
        return self._failure
