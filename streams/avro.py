"""Avro in the Confluent wire format: bytes ↔ records, with schemas from `avro_schemas/`.

Codecs are compiled once and kept. `logicalType` is dropped when a schema is compiled: times travel
as the epoch milliseconds they are, instead of becoming `datetime` objects on the hot path.
"""

from __future__ import annotations

import io
import json
from copy import deepcopy
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError
from fastavro.schema import to_parsing_canonical_form

from streams.avro_branches import Branches
from streams.errors import BadRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC = 0
HEADER = 5
"""Bytes before the payload: the magic byte and four of the schema's id."""

Record = dict[str, Any]


class Registry(Protocol):
    """Where codecs find schemas: files (`FileRegistry`), or a server (`streams.registry`)."""

    @property
    def ours(self) -> Mapping[str, Any]:
        """Our own schemas, compiled, by name."""

    @property
    def ids(self) -> Mapping[str, int]:
        """The ids that our own schemas are written under, by name; one that is read may lack."""

    def schema(self, number: int) -> Any:
        """The compiled schema of an id: one of `ours` itself wherever it reads the same bytes.

        Raises:
            BadRecord: the id is not known (unknown_schema).
        """


class Release(NamedTuple):
    """The schemas of an earlier version, without their docs, and the ids that they had."""

    version: str
    ids: Mapping[str, int]
    schemas: Mapping[str, Any]


@cache
def releases() -> tuple[Release, ...]:
    """Every release that is kept in `avro_schemas/released`, the newest last."""
    folder = resources.files("avro_schemas") / "released"
    found = []
    for file in folder.iterdir():
        version, _, kind = file.name.rpartition(".")
        if kind == "json":
            found.append(Release(version, **json.loads(file.read_text())))
    return tuple(sorted(found, key=lambda it: [int(part) for part in it.version.split(".")]))


class FileRegistry:
    """The schemas of `avro_schemas/`, with the ids fixed in its `ids.json`.

    What an earlier version wrote, under an id that is no more, is read by the schema it had then.
    """

    def __init__(self) -> None:
        root = resources.files("avro_schemas")
        ids: dict[str, int] = json.loads((root / "ids.json").read_text())
        self.ids: Mapping[str, int] = ids
        self.texts: Mapping[str, str] = {name: (root / f"{name}.avsc").read_text() for name in ids}
        self.ours: Mapping[str, Any] = {
            name: compiled(json.loads(text)) for name, text in self.texts.items()
        }
        self.schemas: Mapping[int, Any] = {number: self.ours[name] for name, number in ids.items()}

    @cached_property
    def _released(self) -> Mapping[int, Any]:
        return {
            number: compiled(release.schemas[name])
            for release in releases()
            for name, number in release.ids.items()
        }

    def schema(self, number: int) -> Any:
        """The schema of an id; raises `BadRecord`."""
        schema = self.schemas.get(number) or self._released.get(number)
        if schema is None:
            raise BadRecord("unknown_schema", None, f"the registry has no schema {number}")
        return schema


class Codec:
    """Reads and writes one of our schemas; reads whatever writer schema the registry knows."""

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self._name = name
        self._id = registry.ids.get(name)
        self._schema = registry.ours[name]
        self._named = Branches(self._schema).named
        if self._id is not None:  # what is not registered can only be read
            self._prefix = bytes([MAGIC]) + self._id.to_bytes(4, "big")

    @property
    def schema(self) -> Any:
        """The schema, compiled."""
        return self._schema

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """The record's bytes, in Confluent framing."""
        return self.framed(self.payload(record))

    def framed(self, payload: bytes) -> bytes:
        """The bytes of a record in Confluent framing."""
        return self._prefix + payload

    def payload(self, record: Mapping[str, Any]) -> bytes:
        """The record's bytes, without framing."""
        out = io.BytesIO()
        schemaless_writer(out, self._schema, self._named(record))
        return out.getvalue()

    def is_ours(self, value: bytes | None) -> bool:
        """Whether bytes lie as our own schema lays them; raises `BadRecord` as `decode` does."""
        if value is not None and self._id is not None and value.startswith(self._prefix):
            return True
        return self._writer(value) is self._schema

    def as_written(self, value: bytes | None) -> tuple[Any, Record]:
        """The writer's schema, compiled, and the record in its shape; raises as `decode` does."""
        writer = self._writer(value)
        source = io.BytesIO(value or b"")
        source.seek(HEADER)
        try:
            record = schemaless_reader(source, writer, None)
        except Exception:  # noqa: BLE001 - fastavro raises whatever the broken bytes lead it to
            raise BadRecord("malformed", None, "the bytes do not fit their schema") from None
        if source.read(1) or not isinstance(record, dict):
            raise BadRecord("malformed", None, "bytes are left over after the record")
        return writer, record

    def decode(self, value: bytes | None, *, branches: bool = False) -> Record:
        """The record of some bytes.

        Args:
            value: a Kafka record's value.
            branches: a record in a union comes as (the branch's name, record), or with its name as
                `-type`; `encode` takes both. Else some values would not say which branch they are.

        Raises:
            BadRecord: `malformed` or `unknown_schema`.
        """
        writer = self._writer(value)
        source = io.BytesIO(value or b"")
        source.seek(HEADER)
        try:
            if writer is self._schema:
                record = schemaless_reader(source, writer, None, return_record_name=branches)
            else:
                reader = self._marked if branches else self._schema
                record = schemaless_reader(source, writer, reader)
        except SchemaResolutionError:
            detail = f"the record's schema cannot be read as {self._name}"
            raise BadRecord("malformed", None, detail) from None
        except Exception:  # noqa: BLE001 - fastavro raises whatever the broken bytes lead it to
            raise BadRecord("malformed", None, "the bytes do not fit their schema") from None
        if source.read(1) or not isinstance(record, dict):
            raise BadRecord("malformed", None, "bytes are left over after the record")
        return record

    @cached_property
    def _marked(self) -> Any:
        """The schema with one field more in every record, `-type`: its name, by default.

        What other writers wrote lacks the field, so the default is filled in, and names the branch.
        (fastavro's own `return_record_name` fails on such records, where a type is declared in
        place in one schema and referred to by name in the other.)
        """
        schema = deepcopy(self._schema)
        for name, each in schema["__named_schemas"].items():
            if each["type"] == "record":
                each["fields"].append({"name": "-type", "type": "string", "default": name})
        return schema

    def _writer(self, value: bytes | None) -> Any:
        """The schema that bytes are written in."""
        if value is None or len(value) < HEADER or value[0] != MAGIC:
            raise BadRecord("malformed", None, "not in the Confluent wire format")
        number = int.from_bytes(value[1:HEADER], "big")
        return self._schema if number == self._id else self._registry.schema(number)


@cache
def registry() -> FileRegistry:
    """The file-based registry, read once."""
    return FileRegistry()


def codec(name: str) -> Codec:
    """The codec of one of our schemas, by its name, such as "sources/ordergroove"."""
    return Codec(registry(), name)


def compiled(schema: Any, named: dict[str, Any] | None = None) -> Any:
    """A schema as codecs use it.

    Args:
        schema: parsed JSON.
        named: schemas that it refers to, by name; those that it declares are added.

    Raises:
        Exception: of whatever kind fastavro chooses: it is no schema.
    """
    return parse_schema(_plain(schema), {} if named is None else named)


def layout(schema: Any) -> str:
    """Two compiled schemas with the same layout read the same bytes as the same records."""
    return to_parsing_canonical_form(schema)


def _plain(schema: Any) -> Any:
    """The schema without logical types and docs."""
    if isinstance(schema, dict):
        return {k: _plain(v) for k, v in schema.items() if k not in ("logicalType", "doc")}
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    return schema
