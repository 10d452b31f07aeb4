"""Avro in the Confluent wire format: bytes ↔ records, with schemas from `avro_schemas/`.

Codecs are compiled once and kept. `logicalType` is dropped when a schema is compiled: times travel
as the epoch milliseconds they are, instead of becoming `datetime` objects on the hot path.
"""

from __future__ import annotations

import io
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from streams.avro_branches import Branches
from streams.errors import BadRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC = 0
HEADER = 5
"""Bytes before the payload: the magic byte and four of the schema's id."""

Record = dict[str, Any]


class FileRegistry:
    """The schemas of `avro_schemas/`, with the ids fixed in its `ids.json`."""

    def __init__(self) -> None:
        root = resources.files("avro_schemas")
        ids: dict[str, int] = json.loads((root / "ids.json").read_text())
        self.ids: Mapping[str, int] = ids
        self.schemas: Mapping[int, Any] = {
            number: parse_schema(_plain(json.loads((root / f"{name}.avsc").read_text())))
            for name, number in ids.items()
        }


class Codec:
    """Reads and writes one of our schemas; reads whatever writer schema the registry knows."""

    def __init__(self, registry: FileRegistry, name: str) -> None:
        self._registry = registry
        self._id = registry.ids[name]
        self._schema = registry.schemas[self._id]
        self._named = Branches(self._schema).named
        self._prefix = bytes([MAGIC]) + self._id.to_bytes(4, "big")

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """The record's bytes, in Confluent framing."""
        out = io.BytesIO()
        out.write(self._prefix)
        schemaless_writer(out, self._schema, self._named(record))
        return out.getvalue()

    def decode(self, value: bytes | None) -> Record:
        """The record of some bytes; raises `BadRecord` (malformed, unknown_schema)."""
        if value is None or len(value) < HEADER or value[0] != MAGIC:
            raise BadRecord("malformed", None, "not in the Confluent wire format")
        written = int.from_bytes(value[1:HEADER], "big")
        source = io.BytesIO(value)
        source.seek(HEADER)
        try:
            if written == self._id:
                record = schemaless_reader(source, self._schema, None)
            else:
                record = schemaless_reader(source, self._writer(written), self._schema)
        except BadRecord:
            raise
        except Exception:  # noqa: BLE001 - fastavro raises whatever the broken bytes lead it to
            raise BadRecord("malformed", None, "the bytes do not fit their schema") from None
        if source.tell() != len(value) or not isinstance(record, dict):
            raise BadRecord("malformed", None, "bytes are left over after the record")
        return record

    def _writer(self, number: int) -> Any:
        schema = self._registry.schemas.get(number)
        if schema is None:
            raise BadRecord("unknown_schema", None, f"the registry has no schema {number}")
        return schema


@cache
def registry() -> FileRegistry:
    """The file-based registry, read once."""
    return FileRegistry()


def codec(name: str) -> Codec:
    """The codec of one of our schemas, by its name, such as "sources/ordergroove"."""
    return Codec(registry(), name)


def _plain(schema: Any) -> Any:
    """The schema without logical types and docs."""
    if isinstance(schema, dict):
        return {k: _plain(v) for k, v in schema.items() if k not in ("logicalType", "doc")}
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    return schema
