"""Bytes of the source topic → events, where a merchant's own schema is mapped.

Records in our own schema are read as ever: whoever maps may still write some of ours. A writer's
schema is met with its first record; a mapping that does not fit it makes its records dead letters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.avro import codec as codec_of_files
from streams.errors import BadRecord, ConfigurationError
from streams.model.ids import customer_key
from streams.sources.ordergroove.owner import owner_reader as own_reader
from streams.sources.ordergroove.record import event_reader

from .compiling import compiled
from .terms import SETTING

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.avro import Codec, Record
    from streams.model.events import Event
    from streams.sources.ordergroove.webhook import WebhookOptions

    from .compiling import Compiled
    from .terms import Mapping

OURS = "OrdergrooveRecord"
"""The name of our own record, in whatever namespace."""


class _Writers:
    """A mapping, compiled against each writer's schema that is met."""

    def __init__(self, codec: Codec, mapping: Mapping, options: WebhookOptions) -> None:
        self._codec, self._mapping, self._options = codec, mapping, options
        self._met: dict[int, tuple[Any, Compiled | BadRecord]] = {}

    def read(self, value: bytes | None) -> tuple[Compiled, Record] | None:
        """The mapping for a record, and the record as written; None: it is in our schema.

        Raises:
            BadRecord: also `unmapped_path`, naming the entry, for a schema that lacks a path.
        """
        if self._codec.is_ours(value):
            return None
        schema, record = self._codec.as_written(value)
        if is_ours(schema):
            return None
        met = self._met.get(id(schema))
        if met is None:  # the schema is kept beside, so that no other one gets its identity
            met = self._met[id(schema)] = schema, self._compiled(schema)
        mapped = met[1]
        if isinstance(mapped, BadRecord):
            raise BadRecord(mapped.reason, mapped.field, mapped.detail)
        return mapped, record

    def _compiled(self, schema: Any) -> Compiled | BadRecord:
        try:
            return compiled(self._mapping, schema, self._options)
        except ConfigurationError as error:
            field = error.setting.removeprefix(f"{SETTING}.")
            return BadRecord("unmapped_path", field, f"{error.problem}. {error.fix}")


def owner_reader(
    codec: Codec, mapping: Mapping, options: WebhookOptions
) -> Callable[[bytes | None], bytes]:
    """A function from a record's bytes to its customer's key, for `rekey`; raises `BadRecord`."""
    writers, own = _Writers(codec, mapping, options), own_reader(codec)

    def owner(value: bytes | None) -> bytes:
        found = writers.read(value)
        return own(value) if found is None else found[0].owner(found[1])

    return owner


def is_ours(schema: Any) -> bool:
    """Whether a writer's schema is one of our record, of whatever version."""
    name: str = schema["name"]
    return name.rpartition(".")[2] == OURS


def events_reader(
    codec: Codec, mapping: Mapping, options: WebhookOptions
) -> Callable[[bytes | None, bytes | None], list[Event]]:
    """A function (value, key) → events, in order; raises `BadRecord` for the record as a whole."""
    writers, own = _Writers(codec, mapping, options), event_reader(codec)
    event = events_of_records()

    def events(value: bytes | None, key: bytes | None) -> list[Event]:
        found = writers.read(value)
        if found is not None:
            mapped, record = found
            return [event(each) for each in mapped(record, key)]
        single = own(value)
        if key is not None and key != customer_key(single.merchant, single.customer_id):
            raise BadRecord("wrong_key", "key", "the record's key is not merchant:customer")
        return [single]

    return events


def events_of_records() -> Callable[[Record], Event]:
    """A function from a record in our own shape to its event.

    By the files' schemas: what is neither written to a topic nor read from one needs no registry.
    """
    files = codec_of_files("sources/ordergroove")
    read, encode = event_reader(files), files.encode
    return lambda record: read(encode(record))
