"""What the tables hold of somebody who was erased: the mark that is left, or still a row.

Beside the table that derive keeps stand former ones, and those that a rebuild has computed, until
somebody discards them. Nothing writes a mark into them: what they hold of somebody stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.control.tables import Generations
from streams.engine.admin import topic_names
from streams.engine.stretch import look_through, whole
from streams.families import FAMILIES
from streams.model.ids import customer_hash, is_nobody
from streams.replay.certificate import Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.names import Names


class Marks:
    """Looks a table's changelog through for rows of these customers; give it every record."""

    def __init__(
        self, source: str, hash_key: bytes, customers: Collection[str], erased_at: int
    ) -> None:
        """Take what to look for.

        Args:
            source: whose table it is.
            hash_key: of the customers' hashes.
            customers: keyed hashes.
            erased_at: the time of the erase, epoch milliseconds: a mark of before is none.
        """
        self._decode = FAMILIES[source].decode
        self._hash_key = hash_key
        self._customers = frozenset(customers)
        self._erased_at = erased_at
        self._found: dict[tuple[str, int], bool] = {}

    def note(self, message: Message) -> None:
        """Take a record of the changelog, in order."""
        key, value = message.key() or b"", message.value()
        name = customer_hash(self._hash_key, key)
        if is_nobody(key) or name not in self._customers:
            return
        # a row in a second partition is another row: one whose records are keyed otherwise
        place = name, message.partition() or 0
        if value is None:
            self._found.pop(place, None)
        else:
            self._found[place] = self._is_mark(value)

    @property
    def marked(self) -> set[str]:
        """Of whom there is a mark (or who came back since), and no row of before."""
        return {name for name, _ in self._found} - self.standing

    @property
    def standing(self) -> set[str]:
        """Of whom a row of before the erase is there."""
        return {name for (name, _), is_mark in self._found.items() if not is_mark}

    def _is_mark(self, value: bytes) -> bool:
        try:
            at: int | None = self._decode(value).erased_at
        except msgspec.DecodeError:  # of another version: nobody erased it
            return False
        return at is not None and at >= self._erased_at


class Tables:
    """A source's table, and those beside it; its methods raise `KafkaException`.

    Attributes:
        live: topic of the one that derive keeps.
        beside: topics of those that stand beside it, each with the command that discards it.
    """

    def __init__(self, kafka: KafkaSettings, names: Names, source: str) -> None:
        """Ask which there are; raises `ConfigurationError` for records of other versions."""
        generations = Generations(kafka, names, source)
        self.live = generations.live().changelog
        known = {0: names.changelog(source, 0)}
        known |= {number: each.changelog for number, each in generations.rebuilt().items()}
        there = set(topic_names(kafka)) - {self.live}
        self.beside = {
            topic: f"streams rebuild --source {source} --discard {number}"
            for number, topic in known.items()
            if topic in there
        }
        self._kafka = kafka
        self._source = source

    def rows(self, hash_key: bytes, customers: Collection[str], erased_at: int) -> Iterator[Row]:
        """What each holds of these customers (`Marks`); of those beside, only rows of before."""
        marks = Marks(self._source, hash_key, customers, erased_at)
        look_through(self._kafka, whole(self._kafka, self.live), marks.note)
        for each in sorted(customers):
            yield Row(each, self.live, each in marks.marked)
        for topic, discard in self.beside.items():
            former = Marks(self._source, hash_key, customers, erased_at)
            look_through(self._kafka, whole(self._kafka, topic), former.note)
            for each in sorted(former.standing):
                yield Row(each, topic, erased=False, discard=discard)
