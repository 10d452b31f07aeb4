"""Schemas and codecs: Confluent framing, and everything that bytes can have wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import avro.schema
import fastavro
import pytest

from streams.avro import Codec, Release, codec, compiled, layout, registry, releases
from streams.errors import BadRecord
from streams.sources.ordergroove import record_of
from tests.support.samples import SAMPLES

FOLDER = Path(__file__).parents[2] / "avro_schemas"
SCHEMAS = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.avsc"))
SOURCE = codec("sources/ordergroove")
RECORD = record_of(SAMPLES["subscription.cancel"])
BYTES = SOURCE.encode(RECORD)


def text_of(name: str) -> str:
    """A schema as it stands in the repository."""
    return (FOLDER / f"{name}.avsc").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: str) -> None:
    """Both Avro libraries read it, by itself."""
    parsed: Any = fastavro.parse_schema(json.loads(text_of(name)))
    official = avro.schema.parse(text_of(name))

    assert parsed["name"] == official.fullname  # type: ignore[attr-defined]


def test_each_schema_has_its_id() -> None:
    """ids.json names every schema once, and no id twice: ids are on topics for good."""
    ids = json.loads((FOLDER / "ids.json").read_text(encoding="utf-8"))

    assert SCHEMAS == sorted(ids)
    assert len(ids) == len(set(ids.values()))
    assert ids == registry().ids


@pytest.mark.parametrize("release", releases(), ids=lambda it: it.version)
def test_the_ids_stay(release: Release) -> None:
    """Bytes that were written carry these ids: each goes on meaning the layout that it had."""
    files = registry()
    then = {number: layout(compiled(release.schemas[n])) for n, number in release.ids.items()}

    assert then == {number: layout(files.schema(number)) for number in then}


def test_a_record_is_framed_as_confluent_does() -> None:
    """A zero byte, the schema's id in four bytes, then plain Avro."""
    plain = fastavro.parse_schema(json.loads(text_of("sources/ordergroove")))
    back: Any = fastavro.schemaless_reader(io.BytesIO(BYTES[5:]), plain, None)

    assert bytes([0, 0, 0, 0, 1]) == BYTES[:5]
    assert RECORD["event_id"] == back["event_id"]
    assert RECORD["created"] == back["created"].timestamp() * 1000


def test_a_record_comes_back() -> None:
    """What is written is read: times stay milliseconds, the body stays bytes."""
    back = SOURCE.decode(BYTES)

    assert RECORD["object"][1].items() <= back["object"].items()
    assert {**RECORD, "object": None, "snapshot": None} == {
        **back,
        "object": None,
        "snapshot": None,
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_has_a_codec(name: str) -> None:
    """A codec writes under its own schema's id."""
    other = Codec(registry(), name)

    assert registry().ids[name].to_bytes(5, "big") == other._prefix


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "malformed", id="a tombstone"),
        pytest.param(b"", "malformed", id="nothing"),
        pytest.param(BYTES[:4], "malformed", id="less than a header"),
        pytest.param(BYTES[:5], "malformed", id="a header alone"),
        pytest.param(b"\x01" + BYTES[1:], "malformed", id="another magic"),
        pytest.param(SAMPLES["order.reject"], "malformed", id="JSON"),
        pytest.param(BYTES[:-1], "malformed", id="a byte missing"),
        pytest.param(BYTES[: len(BYTES) // 2], "malformed", id="half of it"),
        pytest.param(BYTES + b"\x00", "malformed", id="a byte left over"),
        pytest.param(BYTES + BYTES, "malformed", id="twice"),
        pytest.param(BYTES[:5] + b"\xff" * 40, "malformed", id="noise"),
        pytest.param(b"\x00\x00\x00\x03\xe7" + BYTES[5:], "unknown_schema", id="unknown schema"),
        pytest.param(b"\x00\xff\xff\xff\xff" + BYTES[5:], "unknown_schema", id="greatest id"),
        pytest.param(b"\x00\x00\x00\x00\x00" + BYTES[5:], "unknown_schema", id="id zero"),
        pytest.param(b"\x00\x00\x00\x00\x02" + BYTES[5:], "malformed", id="another schema of ours"),
    ],
)
def test_broken_bytes_say_why(value: bytes | None, reason: str) -> None:
    """Whatever bytes come, decoding raises BadRecord with a reason, and nothing of the content."""
    with pytest.raises(BadRecord) as given_up:
        SOURCE.decode(value)

    assert (reason, None) == (given_up.value.reason, given_up.value.field)
    assert given_up.value.__cause__ is None


def test_every_cut_is_noticed() -> None:
    """No beginning of a record passes for one."""
    for end in range(len(BYTES)):
        with pytest.raises(BadRecord):
            SOURCE.decode(BYTES[:end])


def test_a_text_that_is_none_is_noticed() -> None:
    """Bytes that are no UTF-8 where a text must stand are malformed."""
    broken = BYTES.replace(RECORD["event_id"].encode(), b"\xff" * 32)

    assert BYTES != broken
    with pytest.raises(BadRecord):
        SOURCE.decode(broken)


def test_naming_branches_changes_no_byte() -> None:
    """A record with its branches named is written as fastavro would have written it by itself."""
    name = "events/enriched"
    schema = registry().schemas[registry().ids[name]]
    product = {"id": "p1", "name": "Beans"}
    record = {
        "event_id": "e",
        "type": "order.success",
        "occurred_at": 1,
        "merchant": "m",
        "customer_id": "c",
        "source_event_id": "e",
        "because": {"event_id": "e", "active_before": 0, "active_after": 1, "text": "t"},
        "profile": {
            "active_subscriptions": 1,
            "total_subscriptions": 1,
            "ever_subscribed": True,
            "version": 1,
        },
        "subscriptions": [{"id": "s", "live": True, "product": product}],
        "order": {"id": "o", "items": [{"id": "i", "product": product}], "payment": {}},
    }
    guessed = io.BytesIO()
    fastavro.schemaless_writer(guessed, schema, record)

    assert guessed.getvalue() == codec(name).encode(record)[5:]
