"""Settings → the mapping of a merchant's own records, and what `explain` reads by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from streams.avro import compiled as compiled_schema
from streams.cli.composition import webhook_options_of
from streams.errors import BadRecord, ConfigurationError
from streams.settings.mapping import Entry as EntrySettings
from streams.settings.mapping import Fields
from streams.settings.mapping import Mapping as MappingSettings
from streams.sources import ordergroove
from streams.sources.ordergroove.mapping import (
    SETTING,
    Entry,
    Mapping,
    Table,
    compiled,
    owner_reader,
    printed_reader,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import BaseModel

    from streams.avro import Codec
    from streams.readings import Source
    from streams.settings import Settings


def mapping_of(told: MappingSettings) -> Mapping:
    """The mapping as the source has it."""
    below = told.snapshot
    return Mapping(
        key=told.key,
        each=told.each,
        envelope={
            name: _entry(each) for name, each in _values(told) if isinstance(each, EntrySettings)
        },
        objects={name: _table(each) for name, each in _values(told) if isinstance(each, Fields)},
        snapshot={}
        if below is None
        else {name: _table(each) for name, each in _values(below) if isinstance(each, Fields)},
    )


def check_rekeyed(told: MappingSettings) -> None:
    """Raise `ConfigurationError` for a mapping of records that `rekey` cannot key for it."""
    default = MappingSettings.model_fields["key"].default
    if told.key != default or compiled(mapping_of(told)).needs_key:
        raise ConfigurationError(
            f"{SETTING}.key",
            f"rekey writes keys of {default}, and what another key told is gone then",
            "Leave `key` out, and take merchant and customer_id from paths",
        )


def check_customers_own_keys(settings: Settings, command: str) -> None:
    """Raise `ConfigurationError` where records' keys are not `merchant:customer`.

    For commands that write beside such records, or tell by the key whose they are: a customer's
    records and row lie in the partition of a key that they do not know.
    """
    told, default = settings.ordergroove.mapping, MappingSettings.model_fields["key"].default
    if told is not None and told.key != default:
        raise ConfigurationError(
            f"{SETTING}.key",
            f"`{command}` finds a customer's records by the key {default}, and these have"
            f" {told.key}",
            "Leave `key` out, and let `rekey` write the records to a new prefix"
            " (deploy/guides/rekey.md)",
        )


def owner_of(settings: Settings, codec: Codec) -> Callable[[bytes | None], bytes]:
    """What rekey reads of a record: its customer's key, by the mapping if there is one."""
    told = settings.ordergroove.mapping
    if told is None:
        return ordergroove.owner_reader(codec)
    return owner_reader(codec, mapping_of(told), webhook_options_of(settings))


def mapped_source(own: Source, settings: Settings) -> Source:
    """What `explain` reads instead of webhooks: lines of records that the mapping maps.

    Raises:
        ConfigurationError: the mapping fits neither our fields nor the schema of `writer`.
    """
    told = settings.ordergroove.mapping
    if told is None:
        return own
    read = printed_reader(mapping_of(told), writer_of(told), webhook_options_of(settings))

    def headline(line: bytes) -> dict[str, Any]:
        try:
            records = read(line)
        except BadRecord:
            records = []
        types = ", ".join(each["type"] for each in records)
        return {"event_id": records[0]["event_id"] if records else None, "type": types or None}

    return own._replace(records_of=lambda line, _: read(line), headline=headline)


def writer_of(told: MappingSettings) -> Any:
    """The writer's schema that is named, compiled; None: none is. Raises `ConfigurationError`."""
    return None if told.writer is None else schema_of(told.writer, f"{SETTING}.writer")


def schema_of(file: Path, setting: str) -> Any:
    """The compiled schema of a file; raises `ConfigurationError`."""
    try:
        schema = compiled_schema(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(setting, f"not readable ({error.strerror})", "Mend it") from None
    except Exception as error:  # noqa: BLE001 - whatever a text leads its parsers to
        problem = f"not an Avro schema ({type(error).__name__})"
        raise ConfigurationError(setting, problem, "Name a file of one (.avsc)") from None
    if not isinstance(schema, dict) or schema["type"] != "record":
        raise ConfigurationError(setting, "not the schema of a record", "Name that of the topic")
    return schema


def _values(model: BaseModel) -> list[tuple[str, Any]]:
    return [(name, getattr(model, name)) for name in type(model).model_fields]


def _table(told: Fields) -> Table:
    return Table(
        fields={name: _entry(each) for name, each in (told.model_extra or {}).items()},
        inner={name: _table(each) for name, each in _values(told) if isinstance(each, Fields)},
        each=getattr(told, "each", None),
    )


def _entry(told: EntrySettings) -> Entry:
    return msgspec.convert(told.model_dump(), Entry)
