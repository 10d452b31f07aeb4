"""Single changes of the index's rows, each within a transaction that somebody else began."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from streams.console.index_file import IndexAway
from streams.console.kept import packed
from streams.console.naming import OWN
from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from streams.console.kept import Kept

Part = tuple[int, int]
"""The index's number of a topic, and a partition."""


class Overtaken(StreamsError):
    """Another process writes this index too, and is further."""


class Progress(NamedTuple):
    """A partition: it was read from an offset up to another, of those that it has now."""

    start: int
    next: int
    ending: int


@contextmanager
def transaction(
    file: sqlite3.Connection, at: Callable[[str], None] = lambda _: None
) -> Iterator[sqlite3.Connection]:
    """All of what is done in it, or nothing; raises `IndexAway` for what goes wrong with it."""
    try:
        file.execute("BEGIN IMMEDIATE")
        try:
            at("began")
            yield file
        except BaseException:
            file.execute("ROLLBACK")
            raise
        file.execute("COMMIT")
    except sqlite3.Error as error:
        raise IndexAway(f"the index cannot be written: {error}") from error


def drop_unknown(file: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Delete those of these customers of whom nothing is kept, and who stand in no table.

    Returns how many; whoever remembers their numbers must forget them.
    """
    dropped = 0
    for number in numbers:
        kept = file.execute(
            "SELECT EXISTS (SELECT 1 FROM chunk WHERE customer = ?1)"
            " OR EXISTS (SELECT 1 FROM alias WHERE customer = ?1 AND source <> ?2)",
            (number, OWN),
        ).fetchone()
        if not kept[0]:
            file.execute("DELETE FROM alias WHERE customer = ?", (number,))
            file.execute("DELETE FROM customer WHERE id = ?", (number,))
            dropped += 1
    return dropped


def replace_chunks(
    file: sqlite3.Connection,
    chunks: Sequence[int],
    place: tuple[int, int, int],
    records: Sequence[Kept],
) -> None:
    """Put one chunk of these records in the place of others."""
    file.executemany("DELETE FROM chunk WHERE id = ?", [(each,) for each in chunks])
    if records:
        file.execute(
            "INSERT INTO chunk (customer, class, day, body) VALUES (?, ?, ?, ?)",
            (*place, packed(records)),
        )


def move_on(file: sqlite3.Connection, progress: Mapping[Part, Progress]) -> None:
    """Note where partitions were read to; raises `Overtaken` unless they were where we began."""
    for (topic, partition), (start, behind, ending) in progress.items():
        row = file.execute(
            "SELECT next FROM position WHERE topic = ? AND partition = ?", (topic, partition)
        ).fetchone()
        if row is not None and row[0] != start:
            raise Overtaken("another process writes the console's index too")
        file.execute(
            "INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)",
            (topic, partition, behind, max(behind, ending)),
        )


def forget_tables(file: sqlite3.Connection) -> None:
    """Delete what was learnt of tables that are followed no more."""
    gone = file.execute("SELECT id, of FROM topic WHERE kind = 'table' AND NOT followed").fetchall()
    for number, source in gone:
        file.execute("DELETE FROM alias WHERE source = ?", (source,))
        file.execute("DELETE FROM position WHERE topic = ?", (number,))
        file.execute("DELETE FROM topic WHERE id = ?", (number,))
        file.execute(
            "DELETE FROM position WHERE topic IN"
            " (SELECT id FROM topic WHERE kind = 'table' AND of = ?)",
            (source,),
        )
