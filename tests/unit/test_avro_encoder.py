"""The compiled writer: fastavro's own bytes, of whatever can be written."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given

from streams.avro import codec
from streams.avro_encoder import KEPT, Numbers, encoder
from tests.support.avro_values import as_object, plain, records

ENRICHED = codec("events/enriched").schema
WRITE = encoder(ENRICHED)


@given(record=records(ENRICHED))
def test_the_bytes_are_fastavros(record: dict[str, Any]) -> None:
    """Every field told and not, long and short, of any number that there are bits for."""
    out = io.BytesIO()
    schemaless_writer(out, ENRICHED, record)

    assert out.getvalue() == WRITE(as_object(plain(record)))


LISTS = parse_schema(
    {
        "type": "record",
        "name": "Lists",
        "fields": [
            {
                "name": "all",
                "type": {
                    "type": "array",
                    "items": {
                        "type": "record",
                        "name": "One",
                        "fields": [{"name": "text", "type": "string"}],
                    },
                },
            },
            {"name": "some", "type": ["null", {"type": "array", "items": "One"}]},
            {"name": "one", "type": "One"},
        ],
    }
)


@given(record=records(LISTS))
def test_lists_that_must_be_told_are_fastavros_too(record: dict[str, Any]) -> None:
    """The enriched event has none of them yet."""
    out = io.BytesIO()
    schemaless_writer(out, LISTS, record)

    assert out.getvalue() == encoder(LISTS)(as_object(record))


def counter(kind: str, *, nullable: bool) -> Any:
    """A schema of one number."""
    type_ = ["null", kind] if nullable else kind
    return parse_schema(
        {"type": "record", "name": "Counter", "fields": [{"name": "n", "type": type_}]}
    )


@pytest.mark.parametrize("nullable", [False, True], ids=["told", "nullable"])
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("int", 2**31),
        ("int", -(2**31) - 1),
        ("long", 2**63),
        ("long", -(2**63) - 1),
    ],
)
def test_a_number_too_large_for_its_type_is_refused(kind: str, number: int, nullable: bool) -> None:
    """Readers in other languages would read another number."""
    write = encoder(counter(kind, nullable=nullable))

    with pytest.raises(OverflowError):
        write(SimpleNamespace(n=number))


def test_few_numbers_are_kept() -> None:
    """Small ones come again and again; times would fill the memory."""
    numbers = Numbers(64)
    written = [numbers[each] for each in (1, KEPT - 1, KEPT, -1, 1_790_000_000_000)]

    assert dict(zip((1, KEPT - 1), written, strict=False)) == numbers


@pytest.mark.parametrize("kind", ["int", "long", "string", "boolean"])
def test_nothing_where_something_must_be_is_refused(kind: str) -> None:
    """None is no value of a field that has no null branch."""
    write = encoder(counter(kind, nullable=False))

    with pytest.raises((OverflowError, KeyError, AttributeError)):
        write(SimpleNamespace(n=None))


def test_half_a_character_is_refused() -> None:
    """A lone surrogate has no UTF-8."""
    write = encoder(counter("string", nullable=False))

    with pytest.raises(UnicodeEncodeError):
        write(SimpleNamespace(n="\ud800"))
