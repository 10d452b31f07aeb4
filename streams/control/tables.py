"""Which generation of a source's table derive keeps, on the control topic; and those beside it.

A table that was computed anew is a new generation, with a changelog of its own. Generation 0 is the
table that derive began with, of which nothing is recorded. Numbers only rise: profiles say theirs,
and a vendor's newest profile is that of the highest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import structs

from streams.engine.admin import check_same_partitions
from streams.engine.producer import RecordProducer
from streams.engine.stretch import newest
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.engine.kafka import KafkaSettings
    from streams.names import Names

TABLE: Final = "table:"
"""What the key begins with of the record that says which generation a source's derive keeps."""
REBUILT: Final = "rebuild:"
"""What the keys begin with of the records of generations that were computed beside it."""


class Generation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The generation that derive keeps.

    Attributes:
        generation: its number.
        changelog: its topic.
        at: when it was switched in, epoch milliseconds.
        by: whose decision it was.
        ends: partition → the changelog's end then: before it nothing may be missing.
        switching: a switch is under way: derive keeps none until it is over.
    """

    generation: int
    changelog: str
    at: int = 0
    by: str = ""
    ends: dict[int, int] = {}
    switching: bool = False


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A generation that a rebuild began.

    Attributes:
        changelog: its topic.
        by: who began it.
        at: when, epoch milliseconds.
        fingerprint: of all that its rows follow from beside the records.
        discarded: its topic was deleted; the number is not used again.
    """

    changelog: str
    by: str
    at: int
    fingerprint: str
    discarded: bool = False


Record = TypeVar("Record", Generation, Rebuilt)

_encode = msgspec.json.Encoder().encode


class Generations:
    """The generations of one source's table; methods raise `KafkaException`."""

    def __init__(self, kafka: KafkaSettings, names: Names, source: str) -> None:
        self._kafka = kafka
        self._topic = names.control
        self._source = source
        self._first = Generation(generation=0, changelog=names.changelog(source, 0))

    def live(self) -> Generation:
        """The one that derive keeps; raises `ConfigurationError` for a record of other versions."""
        key = f"{TABLE}{self._source}"
        value = self._read().get(key)
        return self._first if value is None else _decoded(key, value, Generation)

    def rebuilt(self) -> dict[int, Rebuilt]:
        """Those that rebuilds began, by number; raises `ConfigurationError`."""
        start = f"{REBUILT}{self._source}:"
        return {
            int(key.removeprefix(start)): _decoded(key, value, Rebuilt)
            for key, value in sorted(self._read().items())
            if key.startswith(start) and key.removeprefix(start).isdecimal()
        }

    def keep(self, generation: Generation) -> None:
        """Say which one derive keeps."""
        self._write(f"{TABLE}{self._source}", generation)

    def settle(self) -> None:
        """Take a switch back that was cut short: derive keeps what it kept."""
        live = self.live()
        if live.switching:
            self.keep(structs.replace(live, switching=False))

    def note(self, number: int, rebuilt: Rebuilt) -> None:
        """Say what is to be known of one that a rebuild began."""
        self._write(f"{REBUILT}{self._source}:{number}", rebuilt)

    def _read(self) -> Mapping[str, bytes]:
        try:
            found = newest(self._kafka, self._topic)
        except ConfigurationError:  # without the topic nothing was ever recorded
            return {}
        return {key.decode(errors="replace"): value for key, value in found.items()}

    def _write(self, key: str, record: Generation | Rebuilt) -> None:
        producer = RecordProducer(self._kafka)
        try:
            producer.produce(self._topic, key.encode(), _encode(record))
            producer.flush()
        finally:
            producer.close()


def table_of(kafka: KafkaSettings, names: Names, source: str) -> Generation:
    """The table that derive keeps of a source, for whoever reads it: its `changelog`.

    Raises:
        ConfigurationError: what is recorded of it is not of this version.
        KafkaException: the broker does not answer.
    """
    return Generations(kafka, names, source).live()


def whole_table_of(kafka: KafkaSettings, names: Names, source: str) -> Generation:
    """The same for derive, which goes on from it only if nothing of it is missing.

    Raises:
        ConfigurationError: also where a switch is under way, its changelog is not there, has other
            partitions than the source, or ends before what was switched in.
        KafkaException: the broker does not answer.
    """
    table = table_of(kafka, names, source)
    _check_settled(table, source)
    check_same_partitions(kafka, names.events(source), table.changelog)
    ends = Watermarks(kafka, table.changelog).stable(table.ends)
    short = [partition for partition, end in table.ends.items() if ends[partition] < end]
    if short:
        raise ConfigurationError(
            f"topic {table.changelog}",
            f"generation {table.generation} of the table is incomplete in partitions {short}:"
            " the topic ends before what was switched in",
            "Restore the topic, or compute the table anew: `streams rebuild --switch`",
        )
    return table


def check_kept(kafka: KafkaSettings, names: Names, source: str, expected: Generation) -> None:
    """Raise `ConfigurationError` unless this is still the table that derive is to keep."""
    found = table_of(kafka, names, source)
    _check_settled(found, source)
    if found.generation != expected.generation:
        raise ConfigurationError(
            f"table {source}",
            f"generation {found.generation} was switched in, and this worker began with"
            f" {expected.generation}",
            "Start it again",
        )


def _check_settled(table: Generation, source: str) -> None:
    if table.switching:
        raise ConfigurationError(
            f"table {source}",
            "another generation is being switched in",
            "Wait for that; if it was cut short, finish it by `streams rebuild --switch`",
        )


def _decoded(key: str, value: bytes, kind: type[Record]) -> Record:
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.DecodeError:
        raise ConfigurationError(
            f"control record {key}", "it is not one of this version's", "Use the one that wrote it"
        ) from None
