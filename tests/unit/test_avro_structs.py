"""Records as structs, whoever wrote them: the fast way says what fastavro says."""

from __future__ import annotations

import io
import json
from typing import Any, get_args

import msgspec
import pytest
from fastavro import schemaless_reader, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.avro import HEADER, Codec, codec, compiled, registry
from streams.avro_decoder import decoder
from streams.avro_structs import struct_reader, struct_writer
from streams.errors import BadRecord
from streams.model import enriched
from streams.sources.ordergroove import record_of
from streams.sources.ordergroove.record import STRUCTS
from tests.support.avro_values import as_object, records
from tests.support.samples import SAMPLES

SOURCE = codec("sources/ordergroove")
READ = struct_reader(SOURCE, STRUCTS)
STRAIGHT = decoder(SOURCE.schema, STRUCTS)
VALUES = [SOURCE.encode(record_of(body)) for body in SAMPLES.values()]


def by_fastavro(value: bytes, errors: str = "strict") -> Any:
    """The struct of some bytes by way of fastavro alone; None where it finds none."""
    source = io.BytesIO(value[HEADER:])
    try:
        record: Any = schemaless_reader(
            source, SOURCE.schema, None, return_record_name=True, handle_unicode_errors=errors
        )
        return None if source.read(1) else STRAIGHT(SOURCE.payload(record), 0)[0]
    except Exception:  # noqa: BLE001 - fastavro raises whatever the broken bytes lead it to
        return None


def straight(value: bytes) -> Any:
    """The struct of some bytes; None where they are given up as malformed."""
    try:
        return READ(value)
    except BadRecord as bad:
        return None if bad.reason == "malformed" else bad


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A sample's bytes, of which some were changed, lost or put between."""
    value = draw(st.sampled_from(VALUES))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(HEADER, len(value)))
        gone = draw(st.integers(0, 2))
        value = value[:at] + draw(st.binary(max_size=2)) + value[at + gone :]
    return value


@settings(max_examples=1_000)
@given(value=broken())
def test_broken_bytes_are_what_fastavro_says(value: bytes) -> None:
    """The same struct, or none. Only a text that nobody keeps may be no text: nobody looks."""
    expected, found = by_fastavro(value), straight(value)

    assert expected == found or found == by_fastavro(value, "replace")


@given(record=records(SOURCE.schema))
def test_whatever_can_be_written_is_read(record: dict[str, Any]) -> None:
    """Every field of every branch."""
    value = SOURCE.framed(SOURCE.payload(record))

    assert by_fastavro(value) == READ(value)


class Newer:
    """A registry in which 77 is a record of ours with a field more, in another order."""

    def __init__(self) -> None:
        known = registry()
        self.ours, self.ids = known.ours, known.ids
        schema = json.loads(known.texts["sources/ordergroove"])
        schema["fields"] = [*reversed(schema["fields"]), {"name": "mood", "type": "string"}]
        # A record must be declared before it is referred to: these two belong in this order.
        place = [each["name"] for each in schema["fields"]].index("object")
        schema["fields"].insert(0, schema["fields"].pop(place))
        self.newer = compiled(schema)

    def schema(self, number: int) -> Any:
        """The schema of an id."""
        if number == 77:
            return self.newer
        raise BadRecord("unknown_schema", None, "not there")


NEWER = Newer()
BY_OTHERS = struct_reader(Codec(NEWER, "sources/ordergroove"), STRUCTS)


@pytest.mark.parametrize("name", SAMPLES)
def test_another_writers_record_is_the_same_struct(name: str) -> None:
    """It is resolved: what it has more is dropped, and order is nothing."""
    record = record_of(SAMPLES[name])
    out = io.BytesIO()
    schemaless_writer(out, NEWER.newer, {**record, "mood": "good"})
    value = b"\x00\x00\x00\x00\x4d" + out.getvalue()

    assert READ(SOURCE.encode(record)) == BY_OTHERS(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "malformed", id="a tombstone"),
        pytest.param(VALUES[0][:4], "malformed", id="less than a header"),
        pytest.param(VALUES[0][:-1], "malformed", id="a byte missing"),
        pytest.param(VALUES[0] + b"\0", "malformed", id="a byte left over"),
        pytest.param(b"\0\0\0\x03\xe7" + VALUES[0][5:], "unknown_schema", id="unknown schema"),
    ],
)
def test_broken_bytes_say_why(value: bytes | None, reason: str) -> None:
    """The codec's own reasons."""
    with pytest.raises(BadRecord) as given_up:
        READ(value)

    assert (reason, None) == (given_up.value.reason, given_up.value.field)


def declared(schema: Any) -> dict[str, dict[str, Any]]:
    """The records of a schema, by short name: field → type."""
    found: dict[str, dict[str, Any]] = {}
    if isinstance(schema, list):
        for each in schema:
            found |= declared(each)
    elif isinstance(schema, dict) and schema["type"] == "record":
        fields = {each["name"]: each["type"] for each in schema["fields"]}
        found[schema["name"].rpartition(".")[2]] = fields
        for each in fields.values():
            found |= declared(each)
    elif isinstance(schema, dict):
        found |= declared(schema.get("items"))
    return found


ENRICHED = declared(codec("events/enriched").schema)
SOURCES = declared(SOURCE.schema)
PAIRS = [
    *((fields, enriched.STRUCTS[name], f"enriched {name}") for name, fields in ENRICHED.items()),
    *((SOURCES[name], struct, f"source {name}") for name, struct in STRUCTS.items()),
]


@pytest.mark.parametrize(
    ("fields", "struct"), [pytest.param(fields, struct, id=id_) for fields, struct, id_ in PAIRS]
)
def test_a_struct_fits_its_record(fields: dict[str, Any], struct: type[msgspec.Struct]) -> None:
    """What may be null may be None, and what no record tells has a default."""
    for field in msgspec.structs.fields(struct):
        if field.name in fields:
            may_be_none = type(None) in get_args(field.type)

            assert may_be_none == ("null" in fields[field.name]), field.name
        else:
            assert not field.required, field.name


@pytest.mark.parametrize("name", ENRICHED)
def test_an_enriched_event_has_a_value_for_each_field(name: str) -> None:
    """It is written by its attributes."""
    assert set(ENRICHED[name]) == set(enriched.STRUCTS[name].__struct_fields__)


def test_what_is_written_is_framed() -> None:
    """A struct's bytes are those that the codec writes of its fields."""
    events = codec("events/enriched")
    numbers = ("active_subscriptions", "total_subscriptions", "version", "generation")
    texts = ("event_id", "type", "merchant", "customer_id", "source_event_id")
    profile: dict[str, Any] = dict.fromkeys(numbers, 7) | {"ever_subscribed": True}
    profile |= dict.fromkeys(("email", "phone_number", "first_name", "last_name", "status"))
    record: dict[str, Any] = dict.fromkeys(each["name"] for each in events.schema["fields"])
    record |= dict.fromkeys(texts, "x") | {"occurred_at": 1, "late": False, "profile": profile}

    assert events.encode(record) == struct_writer(events)(as_object(record))
