"""A merchant's own records as JSON, for `explain`: as tools print what lies on a topic.

A line is a record, or `{"key": …, "value": …}` where the mapping asks for the record's key. Where
the writer's schema is known, Avro's own JSON is read too, with its `{"string": "x"}` in unions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.errors import BadRecord

from .compiling import compiled
from .paths import branches

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as Dict

    from streams.avro import Record
    from streams.sources.ordergroove.webhook import WebhookOptions

    from .terms import Mapping

WRAPPED = frozenset({"key", "value"})


def printed_reader(
    mapping: Mapping, schema: Any, options: WebhookOptions
) -> Callable[[bytes], list[Record]]:
    """A function from a line to records in our own shape; it raises `BadRecord`.

    Args:
        mapping: as configured.
        schema: the writer's, compiled; None: it is not known.
        options: how phone numbers are read.

    Raises:
        ConfigurationError: the mapping fits neither our fields nor the schema.
    """
    mapped = compiled(mapping, schema, options, strict=True)

    def records(line: bytes) -> list[Record]:
        try:
            told = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadRecord("malformed", None, "not JSON") from None
        if not isinstance(told, dict):
            raise BadRecord("malformed", None, "not a JSON object")
        key = None
        if told.keys() == WRAPPED:
            key, told = str(told["key"] or "").encode(), told["value"]
        if schema is not None:
            told = _plain(told, schema, schema["__named_schemas"])
        return mapped(told, key)

    return records


def _plain(value: Any, schema: Any, named: Dict[str, Any]) -> Any:
    """A value as a reader of Avro has it."""
    if value is None:
        return None
    types = branches(schema, named)
    if isinstance(schema, list):
        value, types = _branch(value, types)
    for each in types:
        kind = each if isinstance(each, str) else each["type"]
        if isinstance(value, dict) and kind in {"record", "map"}:
            fields = _fields(each, value)
            if fields is not None:
                return {name: _plain(v, fields[name], named) for name, v in value.items()}
        elif isinstance(value, list) and kind == "array":
            return [_plain(v, each["items"], named) for v in value]
        elif isinstance(value, str) and kind in {"bytes", "fixed"}:
            return value.encode("latin-1", "replace")
    return value


def _fields(schema: Any, value: Dict[str, Any]) -> dict[str, Any] | None:
    """The types of a record's or map's values; None: this is not its record."""
    if schema["type"] == "map":
        return dict.fromkeys(value, schema["values"])
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    return fields if value.keys() <= fields.keys() else None


def _branch(value: Any, types: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """A union's value and its types: of that branch alone, where the value names it."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        for each in types:
            if name in _names(each):
                return inner, (each,)
    return value, types


def _names(schema: Any) -> set[str]:
    if isinstance(schema, str):
        return {schema}
    name: str = schema.get("name", schema["type"])
    return {name, name.rpartition(".")[2]}
