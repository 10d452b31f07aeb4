"""Settings → the console's index, and what fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from streams.avro_structs import struct_reader
from streams.cli.composition import kafka_of, names_of, sources_of
from streams.console.filling import Filler
from streams.console.index import Index
from streams.console.kept import Outcome
from streams.console.reading import Delivered, Head, IndexTopic, Limits, Readers
from streams.control.tables import table_of
from streams.errors import BadRecord
from streams.replay.people import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from pathlib import Path

    import msgspec

    from streams.engine.kafka import KafkaSettings
    from streams.registry import Schemas
    from streams.settings import Settings

Struct = TypeVar("Struct", bound="msgspec.Struct")


def index_path_of(settings: Settings) -> Path:
    """Where the index is."""
    name = f"{settings.prefix}-console.sqlite"
    return settings.console.index or settings.derive.state_directory / name


def index_of(settings: Settings) -> Index:
    """The index, for reading; raises `ConfigurationError`."""
    return Index(
        index_path_of(settings),
        settings.hash_key.get_secret_value(),
        phone_region=settings.ordergroove.phone_region,
    )


def filler_of(
    settings: Settings,
    index: Index,
    schemas: Schemas,
    *,
    at: Callable[[str], None] = lambda _: None,
) -> Filler:
    """What fills an index; `at` is called at each step of a transaction."""
    kafka, told = kafka_of(settings, "streams-console"), settings.console
    return Filler(
        kafka,
        index,
        lambda: topics_followed(settings, kafka),
        readers_for_index(schemas),
        Limits(_milliseconds(told.retention), _milliseconds(told.history)),
        at=at,
    )


def topics_followed(settings: Settings, kafka: KafkaSettings) -> list[IndexTopic]:
    """The topics that the index holds, by the settings and by the tables that derive keeps.

    Raises:
        ConfigurationError: what is recorded of a table is not of this version.
        KafkaException: the broker does not answer.
    """
    names = names_of(settings)
    found = [IndexTopic(names.erased, "erased"), IndexTopic(names.outcomes, "outcomes")]
    for source in sources_of(settings):
        changelog = table_of(kafka, names, source).changelog
        found.append(IndexTopic(names.events(source), "source", source))
        found.append(IndexTopic(changelog, "table", source))
    for connection in settings.connections:
        found.append(IndexTopic(names.deliveries(connection), "deliveries", connection))
        found.append(IndexTopic(names.low(connection), "deliveries", connection))
    return found


def readers_for_index(schemas: Schemas) -> Readers:
    """How the index looks at values: only at what it must know."""
    return Readers(
        heads={source: _reader(schemas, f"sources/{source}", Head) for source in FAMILIES},
        outcome=_reader(schemas, "outcome", Outcome),
        delivered=_reader(schemas, "events/enriched", Delivered),
    )


def _reader(schemas: Schemas, name: str, struct: type[Struct]) -> Callable[[bytes | None], Struct]:
    """A reader of a schema into a struct with some of its fields.

    It raises `BadRecord`, and `KafkaException` while a registry that is needed is away.
    """
    codec = schemas.codec(name)
    structs: Mapping[str, Any] = {codec.schema["name"].rpartition(".")[2]: struct}
    straight, learn = struct_reader(codec, structs), schemas.decode_in_thread(name)

    def read(value: bytes | None) -> Struct:
        try:
            found: Struct = straight(value)
        except BadRecord as bad:
            if bad.reason != "unknown_schema":
                raise
            learn(value or b"")  # asks the registry for it, once
            found = straight(value)
        return found

    return read


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1_000)
