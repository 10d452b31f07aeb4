"""The pure side of a rebuild: rows compared, records read again, snapshots in files, forecasts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from streams.avro import codec
from streams.cli.rebuild.lines import comparison_lines
from streams.control.kept_store import KeptStore
from streams.engine.batch import Position
from streams.engine.state.memory import MemoryStore
from streams.errors import BadRecord, ConfigurationError
from streams.families import SUBSCRIBERS, of_generation
from streams.model.fact import Fact
from streams.model.ids import customer_key
from streams.model.row_bytes import decode_row, encode_row
from streams.model.subscriber import Profile, Subscriber
from streams.rebuild.beginning import SourceTopic
from streams.rebuild.comparing import UNREADABLE, Comparer, Comparison
from streams.rebuild.reading import FromRaw, one_event, without_erased
from streams.rebuild.snapshot import (
    MANIFEST,
    Manifest,
    Origin,
    Snapshot,
    begin_folder,
    finish_folder,
    write_partition,
)
from streams.sources.ordergroove import event_reader, record_of
from tests.support.webhooks import CUSTOMER, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SOURCE = codec("sources/ordergroove")
READ = event_reader(SOURCE)
KEY = customer_key(MERCHANT, CUSTOMER)
ORIGIN = Origin(cluster="c1", topic="og.ordergroove.events", topic_id="t1")


def compared(
    live: Mapping[bytes, bytes], rebuilt: Mapping[bytes, bytes], examples: int = 5
) -> Comparison:
    """What comes of comparing two tables."""
    comparer = Comparer(decode_row, examples)
    comparer.compare(live, rebuilt)
    return comparer.found


def test_rows_are_held_against_each_other_by_field() -> None:
    """Each kind of difference is counted once, and fields by rows; a marker is no row."""
    one = Subscriber(profile=Profile(email="nina@shop-demo.io"), seen={1: b"ab", 2: b"cd"})
    live = {
        b"m:same": one,
        b"m:order": one,
        b"m:count": one,
        b"m:other": one,
        b"m:gone": one,
        b"\0synced:m": one,
    }
    rebuilt = {
        b"m:same": one,
        b"m:order": replace(one, seen={2: b"cd", 1: b"ab"}),
        b"m:count": replace(one, version=9),
        b"m:other": replace(one, version=9, complete=True, begun=7),
        b"m:new": one,
        b"\0synced:m": replace(one, begun=4),
    }

    before, after = ({k: encode_row(r) for k, r in each.items()} for each in (live, rebuilt))
    found = compared(before, after)

    assert {"equal": 3, "different": 1, "missing": 1, "extra": 1, "markers": 1} == found.counts()
    assert 1 == found.recounted
    assert {"complete": 1, "begun": 1} == found.fields
    assert 3 == found.unequal
    assert {
        (b"m:other", "different", ("complete", "begun")),
        (b"m:gone", "missing", ()),
        (b"m:new", "extra", ()),
    } == set(found.examples)


def test_what_cannot_be_decoded_differs() -> None:
    """A row of another version of the program is not taken for equal."""
    found = compared({b"m:a": b"\xc1"}, {b"m:a": encode_row(Subscriber())})

    assert {UNREADABLE: 1} == found.fields


@pytest.mark.parametrize(("unmasked", "shown"), [(False, "***"), (True, "0088123")])
def test_examples_are_few_and_masked(*, unmasked: bool, shown: str) -> None:
    """Keys say who it is: they are shown only to those who ask for it."""
    live = {b"m:%d0088123" % n: encode_row(Subscriber()) for n in range(9)}

    lines = list(comparison_lines(compared(live, {}, 2), unmasked=unmasked))

    assert "rows: 0 equal, 0 different, 9 missing, 0 extra" == lines[0]
    assert 3 == len(lines)
    assert all(shown in line for line in lines[1:])
    assert unmasked == any("0088123" in line for line in lines)


def record(**more: Any) -> dict[str, Any]:
    """A record with a customer and a product beside its subscription."""
    snapshot = {
        "customer": {"merchant_user_id": CUSTOMER, "email": "nina@shop-demo.io"},
        "products": [{"external_product_id": "p1", "name": "Coffee"}],
    }
    body = webhook("subscription.create", subscription("s1"), snapshot=snapshot)
    return record_of(body, START * 1_000 + 5) | more


def typed(told: dict[str, Any], **customer: Any) -> dict[str, Any]:
    """The record with other fields of its customer."""
    snapshot = told["snapshot"] | {"customer": told["snapshot"]["customer"] | customer}
    return told | {"snapshot": snapshot}


def from_raw(told: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
    """The record that its body is, and what was counted."""
    reader = FromRaw(SOURCE, {"": record_of})
    return SOURCE.decode(reader(SOURCE.encode(told))), dict(reader.counts)


def test_a_body_mends_a_slip() -> None:
    """What the body tells is used; what was found since, and it does not tell, stays."""
    found_since = {"id": "p2", "name": "Tea"} | dict.fromkeys(
        ("sku", "image_url", "detail_url", "price")
    )
    slipped = typed(record(), email="slip@shop-demo.io", phone_number="+12125550147")
    slipped["snapshot"]["products"] = [
        slipped["snapshot"]["products"][0] | {"name": "Cofee"},
        found_since,
    ]

    found, counts = from_raw(slipped | {"event_id": "mine", "kind": "state"})

    assert {"raw": 1} == counts
    assert ("mine", "state", START * 1_000 + 5) == (
        found["event_id"],
        found["kind"],
        found["received_at"],
    )
    assert "nina@shop-demo.io" == found["snapshot"]["customer"]["email"]
    assert "+12125550147" == found["snapshot"]["customer"]["phone_number"]
    assert [("p1", "Coffee"), ("p2", "Tea")] == [
        (each["id"], each["name"]) for each in found["snapshot"]["products"]
    ]


@pytest.mark.parametrize(
    ("raw", "counted"),
    [
        pytest.param(b"", "no body", id="none"),
        pytest.param(b"{", "failed", id="unreadable"),
        pytest.param(
            webhook("subscription.create", subscription("s1") | {"customer": "x"}),
            "failed",
            id="of another customer",
        ),
    ],
)
def test_typed_fields_stand_in_for_a_body(raw: bytes, counted: str) -> None:
    """Where there is none, or it cannot be used, and each is counted."""
    told = typed(record(raw=raw), email="typed@shop-demo.io")

    found, counts = from_raw(told)

    assert {counted: 1} == counts
    assert "typed@shop-demo.io" == found["snapshot"]["customer"]["email"]


def test_the_erased_are_left_out_and_their_erasing_is_not() -> None:
    """Only what was created before, and only of them."""
    erased_at = START * 1_000 + 1
    events = without_erased(
        one_event(READ), lambda _, customer, created: customer == CUSTOMER and created < erased_at
    )
    later = record() | {"created": erased_at}
    erasing = record(kind="erase")
    other = record_of(webhook("subscription.create", subscription("s1") | {"customer": "x"}))

    assert [] == list(events(SOURCE.encode(record()), KEY))
    for each, key in ((later, KEY), (erasing, KEY), (other, customer_key(MERCHANT, "x"))):
        assert 1 == len(events(SOURCE.encode(each), key))


def test_a_record_under_a_key_of_somebody_else_is_bad() -> None:
    """As it is for derive."""
    with pytest.raises(BadRecord, match="wrong_key"):
        one_event(READ)(SOURCE.encode(record()), b"m:other")


@pytest.mark.parametrize("generation", [0, 3])
def test_events_say_of_which_generation_their_row_is(generation: int) -> None:
    """Beside the row's count, which is as it was."""
    fact = Fact("order.success", "e1", START, late=False)
    event = READ(SOURCE.encode(record()))

    found = of_generation(SUBSCRIBERS, generation).enrich(fact, event, Subscriber(version=5))

    assert (generation, 5) == (found.profile.generation, found.profile.version)


ROWS = {0: {b"m:a": b"row of a", b"\0synced:m": b""}, 1: dict[bytes, bytes]()}


def written(folder: Path, **changes: Any) -> Path:
    """A snapshot of `ROWS`."""
    begin_folder(folder)
    files = [
        write_partition(folder, p, Position(7, "99"), rows.items()) for p, rows in ROWS.items()
    ]
    manifest = Manifest(
        source="ordergroove",
        origin=ORIGIN,
        generation=2,
        taken_at=START,
        row=("version", "profile"),
        partitions=tuple(files),
    )
    finish_folder(folder, replace(manifest, **changes))
    return folder


@pytest.mark.parametrize("place", ["kept", f"kept/{MANIFEST}"])
def test_a_snapshot_gives_back_what_went_in(tmp_path: Path, place: str) -> None:
    """Rows, position and origin, from its folder or its manifest; only its owner may read it."""
    folder = written(tmp_path / "kept")

    found = Snapshot(tmp_path / place)

    assert ROWS == {partition: dict(found.rows(partition)) for partition in ROWS}
    assert Position(7, "99") == found.position(1)
    assert ORIGIN == found.manifest.origin
    assert {0o600} == {each.stat().st_mode & 0o777 for each in folder.iterdir()}


def spoil_manifest(folder: Path) -> None:
    """Another offset than was written."""
    told = json.loads((folder / MANIFEST).read_text())
    told["partitions"][0]["offset"] += 1
    (folder / MANIFEST).write_text(json.dumps(told))


def spoil_rows(folder: Path) -> None:
    """One byte of a file."""
    file = folder / "partition-00000.rows.gz"
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(spoil_manifest, "is not as it was written", id="manifest"),
        pytest.param(spoil_rows, "is damaged: its checksum", id="rows"),
        pytest.param(
            lambda folder: (folder / "partition-00001.rows.gz").unlink(), "is missing", id="file"
        ),
        pytest.param(
            lambda folder: (folder / MANIFEST).unlink(), "never finished", id="unfinished"
        ),
        pytest.param(
            lambda folder: (folder / MANIFEST).write_text("{"), "or of another format", id="no JSON"
        ),
    ],
)
def test_a_snapshot_that_is_not_whole_is_refused(tmp_path: Path, spoil: Any, problem: str) -> None:
    """Before anything is done with it, and it is said which file it is."""
    folder = written(tmp_path / "kept")
    spoil(folder)

    with pytest.raises(ConfigurationError, match=problem):
        Snapshot(folder)


def test_a_snapshot_of_another_format_is_refused(tmp_path: Path) -> None:
    """Whatever it says, it is not guessed at."""
    with pytest.raises(ConfigurationError, match="its format is 9"):
        Snapshot(written(tmp_path / "kept", format=9))


FIELDS = ("version", "profile", "begun")
TOPIC = SourceTopic(ORIGIN, {0: 0, 1: 3}, {0: 9, 1: 9})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"source": "okendo"}, "of the source okendo", id="source"),
        pytest.param({"origin": replace(ORIGIN, topic="x.events")}, "of the topic x", id="topic"),
        pytest.param({"origin": replace(ORIGIN, cluster="c2")}, "another cluster", id="cluster"),
        pytest.param({"origin": replace(ORIGIN, topic_id="t2")}, "made anew", id="made anew"),
        pytest.param({"partitions": ()}, "it has 0 partitions, the topic 2", id="partitions"),
        pytest.param({"row": ("profile", "version")}, "fields that this version", id="rows"),
    ],
)
def test_a_snapshot_of_something_else_is_refused(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    """Its offsets, or its rows, would mean something else here."""
    TOPIC.check(Snapshot(written(tmp_path / "mine")), "ordergroove", FIELDS)

    with pytest.raises(ConfigurationError, match=problem):
        TOPIC.check(Snapshot(written(tmp_path / "other", **changes)), "ordergroove", FIELDS)


def test_a_rebuild_begins_where_the_topic_still_is(tmp_path: Path) -> None:
    """Where it was, with a snapshot, or with the topic; and nowhere else."""
    snapshot = Snapshot(written(tmp_path / "kept"))

    assert [0, 7, 8] == [
        TOPIC.check_start(0, None, None),
        TOPIC.check_start(1, None, snapshot),
        TOPIC.check_start(1, Position(8), snapshot),
    ]
    for known in (None, Position(2)):
        with pytest.raises(ConfigurationError, match=r"its beginning is gone.*--from-snapshot"):
            TOPIC.check_start(1, known, None)
    for starts, ends, problem in (({1: 8}, {1: 9}, "is gone"), ({1: 0}, {1: 6}, "lost records")):
        with pytest.raises(ConfigurationError, match=problem):
            SourceTopic(ORIGIN, starts, ends).check_start(1, None, snapshot)


def test_a_snapshot_goes_nowhere_where_there_is_something(tmp_path: Path) -> None:
    """Two snapshots in one folder would be none."""
    (tmp_path / "here").touch()

    with pytest.raises(ConfigurationError, match="is not empty"):
        begin_folder(tmp_path)


def test_a_table_that_is_kept_no_longer_is_not_loaded() -> None:
    """Whoever gets partitions asks first; the store itself is not touched then."""
    store, refused = MemoryStore(), ConfigurationError("table", "another is kept", "Start again")

    def check() -> None:
        raise refused

    with pytest.raises(ConfigurationError, match="another is kept"):
        KeptStore(store, check).load({0: Position(0)}, set)
