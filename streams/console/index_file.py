"""The index's file: made for its owner only, opened for reading or writing, emptied.

What is deleted is overwritten (`secure_delete`), and `settle` takes what was written before it out
of the write-ahead log, so that somebody who was erased is gone from the files' bytes too.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from streams.console.schema import CREATE, PAGE_BYTES, TABLES, VERSION
from streams.errors import ConfigurationError, StreamsError
from streams.model.ids import customer_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRIVATE: Final = 0o600
_BUSY_SECONDS: Final = 30.0
_CACHE_KIB: Final = 64 << 10
"""Of the writer. Readers have what the system keeps."""
_LOG_BYTES: Final = 64 << 20
"""What the write-ahead log's file may keep of its size."""


class IndexAway(StreamsError):
    """The index cannot be read or written now."""


def prepare(path: Path, hash_key: bytes) -> None:
    """Make the file where there is none; empty one that another version or key has written.

    Raises:
        ConfigurationError: it is something else, or nobody may write there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, _PRIVATE))
        path.chmod(_PRIVATE)
        with closing(_opened(path)) as file:
            file.execute(f"PRAGMA page_size={PAGE_BYTES}")
            file.execute("PRAGMA journal_mode=WAL")
            file.executescript(CREATE)
            _shrink(file)
            _check(file, customer_hash(hash_key, b"").encode() + b" %d" % VERSION)
    except (OSError, sqlite3.Error) as error:
        problem = f"it cannot be used ({error})"
        fix = "Name a file that may be written; one that is no index may not be there"
        raise ConfigurationError("console.index", problem, fix) from None


def _check(file: sqlite3.Connection, made_by: bytes) -> None:
    found = file.execute("SELECT value FROM meta WHERE name = 'made_by'").fetchone()
    if found is None or found[0] != made_by:
        empty(file)
        file.execute("INSERT OR REPLACE INTO meta VALUES ('made_by', ?)", (made_by,))


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for reading; raises `IndexAway`, also for what goes wrong with it."""
    try:
        url = f"file:{quote(str(path))}?mode=ro"
        with closing(sqlite3.connect(url, uri=True, timeout=_BUSY_SECONDS)) as file:
            file.execute("BEGIN")  # one state of the file, however many questions
            yield file
    except sqlite3.Error as error:
        raise IndexAway(f"the index cannot be read: {error}") from error


def writing(path: Path) -> sqlite3.Connection:
    """The writer's connection; transactions are begun and ended by hand."""
    file = _opened(path)
    file.execute("PRAGMA synchronous=NORMAL")
    file.execute("PRAGMA secure_delete=ON")
    file.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    file.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
    file.execute("PRAGMA wal_autocheckpoint=4000")
    return file


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def empty(file: sqlite3.Connection) -> None:
    """Begin anew: as if the file had been deleted."""
    file.execute("PRAGMA secure_delete=OFF")  # all pages go
    file.execute("BEGIN IMMEDIATE")
    made_by = file.execute("SELECT value FROM meta WHERE name = 'made_by'").fetchone()
    for table in TABLES:
        file.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in filter(str.strip, CREATE.split(";")):
        file.execute(statement)
    if made_by is not None:
        file.execute("INSERT INTO meta VALUES ('made_by', ?)", made_by)
    file.execute("INSERT INTO meta VALUES ('emptied', 1)")
    file.execute("COMMIT")
    _shrink(file)


def _shrink(file: sqlite3.Connection) -> None:
    """Have pages that were emptied leave the file, if that is still to be done."""
    if file.execute("SELECT 1 FROM meta WHERE name = 'emptied'").fetchone() is not None:
        file.execute("VACUUM")
        file.execute("DELETE FROM meta WHERE name = 'emptied'")
        settle(file)
    file.execute("PRAGMA secure_delete=ON")


def settle(file: sqlite3.Connection) -> bool:
    """Write the log into the file and empty it; whether that was possible: readers hold it up."""
    return bool(file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)


def size_of(path: Path) -> int:
    """Bytes of the files."""
    total = 0
    for each in (path, path.with_name(f"{path.name}-wal")):
        with suppress(FileNotFoundError):
            total += each.stat().st_size
    return total
