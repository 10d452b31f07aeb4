"""Records of older and newer writers are read into today's fields, by Avro's schema resolution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from streams.avro import Codec, codec
from streams.errors import BadRecord
from streams.sources.ordergroove import record_of
from tests.support.registry import OURS, Served, field_of, framed, read, variant
from tests.support.registry_reordered import reordered
from tests.support.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "sources/ordergroove"
RECORD = record_of(SAMPLES["subscription.cancel"])
TODAY = codec(SOURCE).decode(codec(SOURCE).encode(RECORD))
CHANGED = {"created": 1_790_000_000, "source": "rest"}
"""So that every writer below can hold the record: a number of 32 bits, and no null."""

Change = tuple["Callable[[dict[str, Any]], None]", "Callable[[dict[str, Any]], None]"]
"""What another writer's schema does to ours, and what that does to the record as it is read."""


def removed(name: str, default: Any) -> Change:
    """A field that the writer did not have yet."""

    def change(schema: dict[str, Any]) -> None:
        schema["fields"] = [each for each in schema["fields"] if each["name"] != name]

    return change, lambda record: record.update({name: default})


def added(name: str, kind: Any) -> Change:
    """A field that only the writer has."""

    def change(schema: dict[str, Any]) -> None:
        schema["fields"].insert(3, {"name": name, "type": kind})

    return change, lambda _: None


def typed(name: str, kind: Any) -> Change:
    """A field that has another type at the writer."""

    def change(schema: dict[str, Any]) -> None:
        field = field_of(schema, name)
        field["type"] = kind
        field.pop("default", None)

    return change, lambda _: None


WRITERS: dict[str, Change] = {
    "the same": (lambda _: None, lambda _: None),
    "a field less, which has a default": removed("kind", "event"),
    "a nullable field less": removed("actor", None),
    "a field more, a text": added("shop_floor", ["null", "string"]),
    "a field more, a record": added(
        "shop",
        ["null", {"type": "record", "name": "Shop", "fields": [{"name": "id", "type": "long"}]}],
    ),
    "a narrower number": typed("created", "int"),
    "a number without its unit": typed("created", "long"),
    "no null": typed("source", "string"),
    "more branches": typed("source", ["null", "string", "int"]),
    "other branches first": typed("source", ["string", "null"]),
    "bytes for a text": typed("merchant", "bytes"),
    "reordered": (reordered, lambda _: None),
    "another namespace": (lambda it: it.update(namespace="shop.floor"), lambda _: None),
}


def written_as(case: str, record: dict[str, Any]) -> dict[str, Any]:
    """A record as that writer holds it in its hands."""
    held = dict(record) | CHANGED
    if case == "bytes for a text":
        held["merchant"] = held["merchant"].encode()
    return dict(_moved(held)) if case == "another namespace" else held


def _branch(held: Any) -> str:
    """What a record in a union says that it is."""
    return str(held[0] if isinstance(held, tuple) else held["-type"])


def _moved(value: Any) -> Any:
    """The value with its branches named as in the other namespace."""
    if isinstance(value, dict):
        return {name: _moved(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_moved(each) for each in value]
    if isinstance(value, tuple):
        return value[0].replace("streams.sources", "shop.floor"), _moved(value[1])
    return value


@pytest.mark.parametrize("case", WRITERS)
def test_a_record_of_another_writer_is_read(case: str) -> None:
    """Whatever the writer had, our fields come out as we have them; what is missing by default."""
    change, differs = WRITERS[case]
    back = read(SOURCE, variant(SOURCE, change), written_as(case, RECORD))
    expected = dict(TODAY) | CHANGED
    differs(expected)

    assert expected == back


@pytest.mark.parametrize("case", WRITERS)
def test_a_record_of_another_writer_is_written_anew(case: str) -> None:
    """Every record in a union still says which it is: in our schema the same bytes come out."""
    change, differs = WRITERS[case]
    text = variant(SOURCE, change)
    other = Codec(Served({77: text}), SOURCE)
    values, branches = {}, {}
    for name, body in SAMPLES.items():
        record = record_of(body)
        held = other.decode(framed(77, text, written_as(case, record)), branches=True)
        expected = dict(record) | CHANGED
        differs(expected)
        values[name] = (codec(SOURCE).encode(expected), codec(SOURCE).encode(held))
        branches[name] = (record["object"][0], _branch(held["object"]))

    assert [] == [name for name, (expected, actual) in values.items() if expected != actual]
    assert [] == [name for name, (expected, actual) in branches.items() if expected != actual]


REFUSED = {
    "a field less, without default": removed("merchant", None)[0],
    "a wider number": typed("created", "double")[0],
    "another type": typed("merchant", "long")[0],
    "another record": lambda it: it.update(name="Cheese"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_resolved_is_malformed(case: str) -> None:
    """A dead letter that names both schemas, and nothing of the record."""
    text = variant(SOURCE, REFUSED[case])
    written = dict(RECORD) | ({"merchant": 7} if case == "another type" else {})

    with pytest.raises(BadRecord) as given_up:
        read(SOURCE, text, written)
    assert ("malformed", None) == (given_up.value.reason, given_up.value.field)
    assert "the record's schema cannot be read as sources/ordergroove" == given_up.value.detail


def test_a_word_that_we_do_not_know_is_malformed() -> None:
    """An enum's symbol that only the writer has, in this record; its other records are read."""
    text = variant(SOURCE, lambda it: field_of(it, "kind")["type"]["symbols"].append("rumour"))
    good = read(SOURCE, text, dict(RECORD))

    assert TODAY == good
    with pytest.raises(BadRecord, match="schema cannot be read as"):
        read(SOURCE, text, dict(RECORD) | {"kind": "rumour"})


@pytest.mark.parametrize(
    "text", ['"string"', '["null", "int"]', '{"type": "map", "values": "int"}']
)
def test_a_schema_of_no_record_is_malformed(text: str) -> None:
    """An id may stand for anything."""
    record: Any = {'"string"': "x", '["null", "int"]': 7}.get(text, {"x": 7})

    with pytest.raises(BadRecord) as given_up:
        read(SOURCE, text, record)
    assert "malformed" == given_up.value.reason


READER = """{"type": "record", "name": "New", "aliases": ["Old"], "fields": [
  {"name": "amount", "type": "double", "aliases": ["sum"]},
  {"name": "who", "type": ["null", {"type": "record", "name": "Person", "aliases": ["Human"],
    "fields": [{"name": "name", "type": "string", "aliases": ["title"]}]}]},
  {"name": "also", "type": ["null", "Person"], "default": null}]}"""
WRITER = """{"type": "record", "name": "Old", "fields": [
  {"name": "who", "type": ["null", {"type": "record", "name": "Human",
    "fields": [{"name": "title", "type": "string"}]}]},
  {"name": "sum", "type": "long"}, {"name": "also", "type": ["null", "Human"]}]}"""


def test_aliases_of_the_reader_are_followed() -> None:
    """Records and fields that were renamed, declared in place and referred to by name."""
    record = {"who": {"title": "Mira"}, "sum": 7, "also": {"title": "Juno"}}

    assert {"amount": 7.0, "who": {"name": "Mira"}, "also": {"name": "Juno"}} == read(
        "new", WRITER, record, READER
    )


def test_no_schema_of_ours_needs_what_fastavro_does_not_resolve() -> None:
    """Defaults of bytes stay texts and defaults of records stay as they stand: we have none such.

    https://github.com/fastavro/fastavro/issues/869 (1.13.1 has it). Nor have we aliases, of which a
    field that the writer has under both names would be taken from the wrong one.
    """
    fields = [each for text in OURS.texts.values() for each in _fields(json.loads(text))]
    defaults = [each["default"] for each in fields if "default" in each]

    assert 100 < len(defaults)
    assert [] == [each for each in defaults if each not in (None, [], {}, False, 0, "event")]
    assert [] == [each["name"] for each in fields if "aliases" in each]


def _fields(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [each for inner in node for each in _fields(inner)]
    if not isinstance(node, dict):
        return []
    own = node["fields"] if node.get("type") == "record" else []
    return [*own, *(each for inner in node.values() for each in _fields(inner))]


def _some(kind: Any) -> Any:
    if isinstance(kind, dict):
        kind = kind["type"]
    return {"string": "x", "long": 7, "int": 7, "bytes": b"x", "boolean": True, "map": {}}[kind]


OUTCOME = {
    each["name"]: _some(each["type"])
    for each in json.loads(OURS.texts["outcome"])["fields"]
    if "default" not in each
}


def test_what_is_not_registered_is_read_and_not_written() -> None:
    """A codec without an id reads; it never writes a record under some other schema's id."""
    served = Served({77: OURS.texts["outcome"]})
    outcome = Codec(served, "outcome")
    payload = codec("outcome").encode(OUTCOME)[5:]

    assert OUTCOME.items() <= outcome.decode((77).to_bytes(5, "big") + payload).items()
    with pytest.raises(AttributeError):
        outcome.framed(payload)


@pytest.mark.parametrize("name", ["outcome", "dead_letter"])
def test_an_older_writer_is_read_by_today(name: str) -> None:
    """What this program wrote before its newest nullable field is read, the field being null."""
    newest = [each for each in json.loads(OURS.texts[name])["fields"] if "default" in each][-1]
    older = variant(name, removed(newest["name"], None)[0])
    record = {
        each["name"]: _some(each["type"])
        for each in json.loads(older)["fields"]
        if "default" not in each
    }
    back = Codec(Served({77: older}), name).decode(framed(77, older, record))

    assert record.items() <= back.items()
    assert newest["default"] == back[newest["name"]]
