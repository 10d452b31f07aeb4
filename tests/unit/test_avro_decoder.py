"""The compiled reader: structs that say what fastavro reads, and no others."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given

from streams.avro import codec
from streams.avro_decoder import decoder
from streams.sources.ordergroove.record import STRUCTS
from tests.support.avro_values import plain, records

SOURCE = codec("sources/ordergroove").schema
READ = decoder(SOURCE, STRUCTS)


def written(schema: Any, record: Any) -> bytes:
    """A record's bytes, by fastavro."""
    out = io.BytesIO()
    schemaless_writer(out, schema, record)
    return out.getvalue()


def told(struct: Any) -> Any:
    """A struct as dicts and lists."""
    if isinstance(struct, msgspec.Struct):
        return {name: told(getattr(struct, name)) for name in struct.__struct_fields__}
    return [told(each) for each in struct] if isinstance(struct, tuple | list) else struct


def kept(value: Any, struct: Any) -> Any:
    """What of a value has a place in the struct that was made of it, and that struct's defaults."""
    if isinstance(struct, msgspec.Struct):
        return {
            field.name: kept(value[field.name], getattr(struct, field.name))
            if field.name in value
            else told(field.default)
            for field in msgspec.structs.fields(struct)
        }
    if isinstance(struct, tuple | list):
        return [kept(each, one) for each, one in zip(value, struct, strict=True)]
    return value


@given(record=records(SOURCE))
def test_a_struct_says_what_was_written(record: dict[str, Any]) -> None:
    """Every field of every branch, told and not; the branch decides the struct."""
    value = written(SOURCE, record)
    struct, end = READ(value, 0)
    branch = record["object"][0].rpartition(".")[2] if record["object"] else None

    assert len(value) == end
    assert kept(plain(record), struct) == told(struct)
    assert (STRUCTS[branch] if branch else type(None)) is type(struct.object)


class Inner(msgspec.Struct):
    """A record in a record, that leaves something out."""

    text: str


class All(msgspec.Struct):
    """A value of every kind; `more` is in no schema."""

    double: float
    kinds: list[str]
    numbers: tuple[int, ...]
    lists: list[Any]
    inner: Inner
    maybe: Inner | None
    named: dict[str, Any]
    last: int
    more: int = 7


EVERY_KIND = parse_schema(
    {
        "type": "record",
        "name": "every.All",
        "fields": [
            {"name": "double", "type": "double"},
            {
                "name": "kinds",
                "type": {
                    "type": "array",
                    "items": {"type": "enum", "name": "Kind", "symbols": ["a", "b"]},
                },
            },
            {"name": "numbers", "type": {"type": "array", "items": "long"}},
            {
                "name": "lists",
                "type": {"type": "array", "items": {"type": "array", "items": ["null", "bytes"]}},
            },
            {
                "name": "inner",
                "type": {
                    "type": "record",
                    "name": "Inner",
                    "fields": [
                        {"name": "nothing", "type": "null"},
                        {"name": "truth", "type": "boolean"},
                        {"name": "double", "type": "double"},
                        {"name": "bytes", "type": "bytes"},
                        {"name": "text", "type": "string"},
                        {"name": "count", "type": "int"},
                        {"name": "texts", "type": {"type": "array", "items": "string"}},
                        {"name": "kind", "type": "Kind"},
                    ],
                },
            },
            {"name": "passed", "type": {"type": "array", "items": "Inner"}},
            {"name": "maybe", "type": ["null", "Inner"]},
            {"name": "named", "type": {"type": "map", "values": ["null", "bytes"]}},
            {"name": "hashes", "type": {"type": "map", "values": "bytes"}},
            {"name": "last", "type": "long"},
        ],
    }
)
EVERY = decoder(EVERY_KIND, {"All": All, "Inner": Inner})


@given(record=records(EVERY_KIND))
def test_every_kind_is_read_and_stepped_over(record: dict[str, Any]) -> None:
    """A list or a tuple as the struct says; what no struct has a field for is passed."""
    value = written(EVERY_KIND, record)
    struct, end = EVERY(value, 0)

    assert len(value) == end
    assert kept(plain(record), struct) == told(struct)
    assert (list, tuple) == (type(struct.kinds), type(struct.numbers))


def test_a_record_without_a_struct_is_stepped_over() -> None:
    """Nothing is made of it, wherever it stands."""
    inner: dict[str, Any] = {
        "nothing": None,
        "truth": True,
        "double": 1.5,
        "bytes": b"x",
        "text": "t",
    }
    inner |= {"count": 1, "texts": ["a"], "kind": "b"}
    record = {"double": 0.5, "kinds": [], "numbers": [], "lists": [], "inner": inner}
    record |= {"passed": [inner], "maybe": None, "last": 300}
    record |= {"named": {"a": None, "b": b"1"}, "hashes": {"c.d": b"12345678", "e": b""}}
    struct, _ = decoder(EVERY_KIND, {"All": All})(written(EVERY_KIND, record), 0)

    assert (None, None, 300) == (struct.inner, struct.maybe, struct.last)


NUMBER = {
    kind: decoder(
        parse_schema({"type": "record", "name": "N", "fields": [{"name": "n", "type": kind}]}),
        {"N": msgspec.defstruct("N", [("n", int)])},
    )
    for kind in ("int", "long", "string", "boolean")
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param("int", b"\x80\x80\x80\x80\x10", id="an int of 33 bits"),
        pytest.param("long", b"\xff" * 9 + b"\x03", id="a long of 65 bits"),
        pytest.param("long", b"\xff" * 5, id="no end"),
        pytest.param("string", b"\x01ab", id="a negative length"),
        pytest.param("string", b"\x04\xff\xfe", id="no UTF-8"),
        pytest.param("boolean", b"\x02", id="neither true nor false"),
    ],
)
def test_what_no_writer_makes_is_refused(kind: str, value: bytes) -> None:
    """It raises: fastavro then says what is to be thought of it."""
    with pytest.raises((ValueError, IndexError, KeyError)):
        NUMBER[kind](value, 0)
