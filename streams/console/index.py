"""The console's index: what the topics hold of each customer, where a page finds it at once.

A SQLite file that holds the records themselves, compressed and by customer, so that a page is a few
indexed reads however much the topics hold. E-mail addresses and phone numbers are there as keyed
hashes only, learnt from the tables' changelogs. Where each topic was read to stands in the same
transaction as what was read, so nothing is missing or double. The file may be deleted at any time:
`filling.Filler` fills it anew from the topics, and keeps it up to date.

`Index` is for reading, from any thread at once: each method is a connection of its own, and blocks
for some milliseconds (never call it on an event loop).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from streams.console.index_file import IndexAway, prepare, reading, size_of
from streams.console.kept import (
    HISTORY,
    RECENT,
    KeptCame,
    KeptDelivery,
    KeptOutcome,
    outcome_record,
    unpacked,
)
from streams.console.naming import Naming
from streams.engine.partitioning import partition_of
from streams.model.ids import synced_row
from streams.timeline.story import Came

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from streams.console.kept import Kept

__all__ = ["Delivery", "Found", "Index", "IndexAway", "IndexStanding", "Minute", "holds"]

_MOST: Final = 50
"""Customers that a search finds at most."""

Wanted = TypeVar("Wanted", KeptCame, KeptOutcome, KeptDelivery)


class Found(NamedTuple):
    """A customer that was looked for.

    Attributes:
        token: what stands for them in addresses of pages: a keyed hash in hexadecimal …
        key: … of `merchant:customer_id`, which is personal.
    """

    token: str
    key: bytes


class Delivery(NamedTuple):
    """A record of a delivery topic.

    Attributes:
        connection: whose topic it is.
        topic: its name: the connection's own, or its low lane's.
        partition: in it …
        offset: … and there.
        at: when it was recorded, epoch milliseconds.
        headers: by name, without those that are null.
        value: the enriched event as Avro (`Schemas.decode_in_thread("events/enriched")`).
    """

    connection: str
    topic: str
    partition: int
    offset: int
    at: int
    headers: list[tuple[str, bytes]]
    value: bytes | None


class Minute(msgspec.Struct, frozen=True):
    """How many outcomes of a kind a connection had in a minute that begins `at` (epoch ms)."""

    at: int
    connection: str
    outcome: str
    count: int


class IndexStanding(NamedTuple):
    """How far the index is.

    Attributes:
        to_go: records of the topics that it has not read yet; None: nobody has asked Kafka yet.
        newest_at: time of the newest record that it holds, epoch milliseconds; None: it is empty.
        bytes: of its files.
    """

    to_go: int | None
    newest_at: int | None
    bytes: int


class Index:
    """Reads the index. Methods raise `IndexAway` where the file cannot be read.

    Attributes:
        path: of the file.
        naming: makes its hashes.
    """

    def __init__(self, path: Path, hash_key: str, *, phone_region: str = "US") -> None:
        """Open it, or make it: readable by its owner only.

        Args:
            path: of the file; directories before it are made.
            hash_key: key of the hashes (setting `hash_key`). An index of another key is emptied.
            phone_region: country of numbers that are looked for without one.

        Raises:
            ConfigurationError: the file is no index, or cannot be written.
        """
        self.path = path
        self.naming = Naming(hash_key, phone_region)
        prepare(path, self.naming.hash_key)

    def find(self, text: str) -> list[Found]:
        """Customers whose key, id, e-mail address or phone number this is; 50 at most."""
        text = text.strip()
        with reading(self.path) as file:
            rows = file.execute(
                "SELECT token, key FROM customer WHERE token = ?",
                (self.naming.token(text.encode()),),
            ).fetchall()
            for alias in self.naming.asked(text):
                rows += file.execute(
                    "SELECT token, key FROM customer WHERE id IN"
                    " (SELECT customer FROM alias WHERE hash = ? LIMIT ?)",
                    (alias, _MOST),
                ).fetchall()
        return [Found(token.hex(), key) for token, key in dict.fromkeys(rows)][:_MOST]

    def key_of(self, token: str) -> bytes | None:
        """The customer's key of a token; None: nobody's, or somebody who was erased."""
        try:
            asked = bytes.fromhex(token)
        except ValueError:
            return None
        with reading(self.path) as file:
            row = file.execute("SELECT key FROM customer WHERE token = ?", (asked,)).fetchone()
        return None if row is None else row[0]

    def came(self, source: str, key: bytes) -> list[Came]:
        """A customer's records on a source's topic, and the marks of its merchant's syncs.

        In order, as `timeline.reading.records_of` has them.
        """
        with reading(self.path) as file:
            topic = file.execute(
                "SELECT id, name, partitions FROM topic WHERE kind = 'source' AND of = ?", (source,)
            ).fetchone()
            if topic is None:
                return []
            number, name, partitions = topic
            kept = [(each, key) for each in self._kept(file, key, KeptCame) if each.topic == number]
            kept += _marks(file, number, partition_of(key, partitions), synced_row(key))
        kept.sort(key=lambda pair: pair[0].offset)
        return [
            Came(
                f"{name}[{each.partition}] {each.offset}",
                each.at,
                each.recorded_at,
                each.flows_from,
                own,
                each.value,
            )
            for each, own in kept
        ]

    def outcomes(self, key: bytes) -> list[Mapping[str, Any]]:
        """A customer's outcomes in order, as `timeline.reading.outcomes_of` has them.

        `field_hashes` is empty: they mean nothing to a reader.
        """
        with reading(self.path) as file:
            kept = self._kept(file, key, KeptOutcome)
        kept.sort(key=lambda each: each.offset)
        return [outcome_record(each.told) for each in kept]

    def deliveries(self, key: bytes) -> list[Delivery]:
        """A customer's delivery records of all connections and lanes, by time."""
        with reading(self.path) as file:
            kept = self._kept(file, key, KeptDelivery)
            topics = {
                number: (of, name)
                for number, of, name in file.execute("SELECT id, of, name FROM topic")
            }
        kept.sort(key=lambda each: (each.at, each.topic, each.offset))
        return [
            Delivery(
                *topics[each.topic],
                each.partition,
                each.offset,
                each.at,
                each.headers,
                each.value,
            )
            for each in kept
        ]

    def minutes(self, since_ms: int) -> list[Minute]:
        """Outcomes a minute since then, by time: of each part, `retrying` included."""
        with reading(self.path) as file:
            rows = file.execute(
                "SELECT at, connection, outcome, count FROM minute WHERE at >= ? ORDER BY at",
                (since_ms,),
            )
            return [Minute(*row) for row in rows]

    def tried(self) -> dict[tuple[str, str], int]:
        """When (connection, outcome) was last recorded after asking a vendor, epoch milliseconds.

        However long ago that is.
        """
        with reading(self.path) as file:
            rows = file.execute("SELECT connection, outcome, at FROM tried")
            return {(connection, outcome): at for connection, outcome, at in rows}

    def standing(self) -> IndexStanding:
        """How far it is."""
        with reading(self.path) as file:
            (to_go,) = file.execute(
                "SELECT sum(max(0, ending - next)) FROM position"
                " WHERE topic IN (SELECT id FROM topic WHERE followed)"
            ).fetchone()
            newest = file.execute("SELECT value FROM meta WHERE name = 'newest_at'").fetchone()
        return IndexStanding(to_go, None if newest is None else newest[0], size_of(self.path))

    def _kept(self, file: sqlite3.Connection, key: bytes, kind: type[Wanted]) -> list[Wanted]:
        """A customer's records of one kind."""
        rows = file.execute(
            "SELECT body FROM chunk WHERE class = ? AND customer ="
            " (SELECT id FROM customer WHERE token = ?)",
            (HISTORY if kind is KeptCame else RECENT, self.naming.token(key)),
        )
        every: list[Kept] = [record for (body,) in rows for record in unpacked(body)]
        return [each for each in every if isinstance(each, kind)]


def holds(path: Path, token: str, erased_at: int) -> bool:
    """Whether an index knows a customer, and not of their erase: what is younger may stand there.

    Raises:
        IndexAway: the file cannot be read.
    """
    with reading(path) as file:
        row = file.execute(
            "SELECT EXISTS (SELECT 1 FROM customer WHERE token = ?1) AND NOT EXISTS"
            " (SELECT 1 FROM erased WHERE token = ?1 AND at >= ?2)",
            (bytes.fromhex(token), erased_at),
        ).fetchone()
    return bool(row[0])


def _marks(
    file: sqlite3.Connection, topic: int, partition: int, row: bytes
) -> list[tuple[KeptCame, bytes]]:
    """The marks of a merchant's syncs in a partition, with their keys."""
    rows = file.execute(
        "SELECT key, body FROM mark WHERE topic = ? AND partition = ?", (topic, partition)
    )
    return [
        (record, key)
        for key, body in rows
        if key.startswith(row + b":")
        for record in unpacked(body)
        if isinstance(record, KeptCame)
    ]
