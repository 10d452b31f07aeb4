"""Writing the index: a batch of records and where the topics were read to, in one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.console.index_file import IndexAway, empty, settle, writing
from streams.console.index_rows import (
    drop_unknown,
    forget_tables,
    move_on,
    replace_chunks,
    transaction,
)
from streams.console.kept import packed, unpacked
from streams.console.naming import OWN
from streams.console.reading import IndexTopic, Sorted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from streams.console.index import Index
    from streams.console.index_rows import Part, Progress
    from streams.console.reading import Limits, Read, Readers

_KNOWN: Final = 200_000
"""Customers whose numbers are remembered."""


class Identified(NamedTuple):
    """A topic as it is now: `identity` changes when it is deleted and made anew."""

    topic: IndexTopic
    identity: str
    partitions: int


class Writer:
    """Writes one index; one thread's at a time. Methods raise `IndexAway` and `Overtaken`.

    Attributes:
        file: the connection.
        limits: how long records are kept.
    """

    def __init__(
        self,
        index: Index,
        readers: Readers,
        limits: Limits,
        *,
        at: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open it.

        Args:
            index: whose file it is.
            readers: of values.
            limits: how long records are kept.
            at: called at each step of a transaction (`began`, `written`, `committed`); for tests.
            clock: seconds since 1970.
        """
        self._naming = index.naming
        self._readers = readers
        self.limits = limits
        self._at = at
        self._clock = clock
        self.file = writing(index.path)
        self._topics: dict[int, IndexTopic] = {}
        self._numbers: dict[bytes, int] = {}
        self._erased: dict[bytes, int] = {}
        self._settled = True

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self._clock() * 1_000)

    def begin(self, topics: Sequence[Identified]) -> tuple[dict[str, int], dict[Part, int]]:
        """Take the topics as they are now; the index's numbers of them, and where to go on.

        Where one of them is not the topic that was read, the index is emptied: what it holds may
        stand nowhere any more. A table that another one has taken the place of is read anew.
        """
        with self._transaction() as file:
            known = dict(file.execute("SELECT name, identity FROM topic"))
        if any(known.get(each.topic.name, each.identity) != each.identity for each in topics):
            self.empty()
        with self._transaction() as file:
            file.execute("UPDATE topic SET followed = 0")
            for (name, kind, of), identity, partitions in topics:
                file.execute(
                    "INSERT INTO topic (name, kind, of, identity, partitions, followed)"
                    " VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (name) DO UPDATE SET"
                    " kind = excluded.kind, of = excluded.of, partitions = excluded.partitions,"
                    " followed = 1",
                    (name, kind, of, identity, partitions),
                )
            forget_tables(file)
            rows = file.execute("SELECT id, name, kind, of FROM topic WHERE followed").fetchall()
            positions = file.execute("SELECT topic, partition, next FROM position").fetchall()
            self._erased = dict(file.execute("SELECT token, at FROM erased"))
        self._topics = {number: IndexTopic(name, kind, of) for number, name, kind, of in rows}
        return (
            {each.name: number for number, each in self._topics.items()},
            {(topic, partition): at for topic, partition, at in positions},
        )

    def empty(self) -> None:
        """Begin anew."""
        self._numbers.clear()
        self._erased.clear()
        try:
            empty(self.file)
        except sqlite3.Error as error:
            raise IndexAway(f"the index cannot be emptied: {error}") from error

    def write(self, records: Sequence[Read], progress: Mapping[Part, Progress]) -> None:
        """Keep these records, those of a partition in order; and how far the partitions are."""
        found = Sorted(self._naming, self._readers, self._erased.get)
        for topic, some in _by_topic(records).items():
            found.add(self._topics[topic], some)
        with self._transaction() as file:
            move_on(file, progress)
            self._forget(file, found)
            self._keep(file, found)
            self._at("written")
        self._at("committed")
        self._erased |= found.erased
        self._settled = self._settled and not found.erased
        self.settle()

    def forget_numbers(self) -> None:
        """Look customers' numbers up again: some of them may be there no more."""
        self._numbers.clear()

    def settle(self) -> bool:
        """Take what was deleted out of the log; whether nothing deleted is left there."""
        if not self._settled:
            try:
                self._settled = settle(self.file)
            except sqlite3.OperationalError:  # somebody reads: later
                return False
        return self._settled

    def _keep(self, file: sqlite3.Connection, found: Sorted) -> None:
        now, chunks = self.now, list[tuple[int, int, int, bytes]]()
        for (key, kind, day), records in found.chunks.items():
            if day < self.limits.since(kind, now):
                continue
            at = found.erased_at(key)
            kept = records if at is None else [r for r in records if not found.hides(r, at)]
            if kept:
                chunks.append((self._number(file, key), kind, day, packed(kept)))
        chunks.sort(key=lambda chunk: chunk[:3])  # neighbours in the index come together
        file.executemany(
            "INSERT INTO chunk (customer, class, day, body) VALUES (?, ?, ?, ?)", chunks
        )
        file.executemany(
            "INSERT OR IGNORE INTO mark VALUES (?, ?, ?, ?, ?)",
            [(m.topic, m.partition, m.offset, key, packed([m])) for key, m in found.marks],
        )
        file.executemany(
            "INSERT INTO minute VALUES (?, ?, ?, ?) ON CONFLICT (at, connection, outcome)"
            " DO UPDATE SET count = count + excluded.count",
            [
                (*minute, count)
                for minute, count in found.minutes.items()
                if minute[0] >= now - self.limits.recent
            ],
        )
        file.executemany(
            "INSERT INTO tried VALUES (?, ?, ?) ON CONFLICT (connection, outcome)"
            " DO UPDATE SET at = max(at, excluded.at)",
            [(*kind, at) for kind, at in found.tried.items()],
        )
        for (key, source), (hashes, at_row) in found.aliases.items():
            erased_at = found.erased_at(key)
            old = erased_at is not None and at_row < erased_at
            self._name(file, key, source, frozenset() if old else hashes, at_row)
        file.execute(
            "INSERT INTO meta VALUES ('newest_at', ?) ON CONFLICT (name)"
            " DO UPDATE SET value = max(value, excluded.value)",
            (found.newest_at,),
        )

    def _forget(self, file: sqlite3.Connection, found: Sorted) -> None:
        """Delete what there is of the erased from before; what is younger stays."""
        for token, at in found.erased.items():
            file.execute(
                "INSERT INTO erased VALUES (?, ?) ON CONFLICT (token)"
                " DO UPDATE SET at = max(at, excluded.at)",
                (token, at),
            )
            row = file.execute("SELECT id FROM customer WHERE token = ?", (token,)).fetchone()
            if row is None:
                continue
            rows = file.execute(
                "SELECT id, class, day, body FROM chunk WHERE customer = ?", row
            ).fetchall()
            for chunk, kind, day, body in rows:
                records = unpacked(body)
                kept = [each for each in records if not found.hides(each, at)]
                if len(kept) < len(records):
                    replace_chunks(file, [chunk], (*row, kind, day), kept)
            # a row of later is theirs who came back, or the mark that is left comes behind it
            file.execute(
                "DELETE FROM alias WHERE customer = ? AND source <> ? AND at < ?", (*row, OWN, at)
            )
            self._numbers.pop(token, None)
            drop_unknown(file, [row[0]])

    def _number(self, file: sqlite3.Connection, key: bytes) -> int:
        """The index's number of a customer, who is noted where they are not known."""
        token = self._naming.token(key)
        number = self._numbers.get(token)
        if number is not None:
            return number
        row = file.execute("SELECT id FROM customer WHERE token = ?", (token,)).fetchone()
        if row is None:
            made = file.execute("INSERT INTO customer (token, key) VALUES (?, ?)", (token, key))
            number = made.lastrowid or 0
            own = self._naming.customer(key)
            file.execute("INSERT INTO alias VALUES (?, ?, ?, 0)", (own, number, OWN))
        else:
            number = int(row[0])
        if len(self._numbers) >= _KNOWN:
            self._numbers.clear()
        self._numbers[token] = number
        return number

    def _name(
        self, file: sqlite3.Connection, key: bytes, source: str, hashes: frozenset[bytes], at: int
    ) -> None:
        """Let a customer be found by these of a row of a source's table, and by no others."""
        token = self._naming.token(key)
        row = file.execute("SELECT id FROM customer WHERE token = ?", (token,)).fetchone()
        if row is not None:
            file.execute("DELETE FROM alias WHERE customer = ? AND source = ?", (*row, source))
        if hashes:
            number = self._number(file, key)
            file.executemany(
                "INSERT INTO alias VALUES (?, ?, ?, ?)",
                [(each, number, source, at) for each in hashes],
            )
        elif row is not None:
            self._numbers.pop(token, None)
            drop_unknown(file, row)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with transaction(self.file, self._at) as file:
            try:
                yield file
            except BaseException:
                self.forget_numbers()
                raise


def _by_topic(records: Sequence[Read]) -> dict[int, list[Read]]:
    found: defaultdict[int, list[Read]] = defaultdict(list)
    for each in records:
        found[each.topic].append(each)
    return found
