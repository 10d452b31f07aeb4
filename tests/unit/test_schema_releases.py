"""`streams schemas check`: ours against every release, in plain words, without a registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.avro import Codec, FileRegistry, Release, compiled, registry, releases
from streams.registry.differences import gaps
from streams.registry.evolution import Fault, faults
from tests.support.registry import OURS, field_of, framed, variant

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], object]

ROOT = Path(__file__).parents[2]


def test_every_schema_reads_every_release() -> None:
    """A changed schema either reads what was released, or this says which field does not."""
    ours = registry()

    assert [] == faults(ours.texts, ours.ids, releases())


def as_released(name: str, change: Change, number: int = 3) -> list[tuple[str, str]]:
    """Path and reason, where our schema is a changed one of a release."""
    before = Release("0.9.0", {name: 3}, {name: json.loads(OURS.texts[name])})
    changed = json.loads(OURS.texts[name])
    change(changed)
    found = faults({name: json.dumps(changed)}, {name: number}, [before])

    assert {("0.9.0", name)} >= {(each.release, each.schema) for each in found}
    return [(each.path, each.why) for each in found if "ids.json" not in each.why]


def inner(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """The record at fields in fields, through their unions and arrays."""
    for name in path:
        kind = field_of(document, name)["type"]
        branches = kind if isinstance(kind, list) else [kind]
        document = next(each for each in branches if isinstance(each, dict))
        document = document.get("items", document)
    return document


def subscription(document: dict[str, Any]) -> dict[str, Any]:
    """The source's subscription."""
    branches = field_of(document, "object")["type"]
    found: dict[str, Any] = next(b for b in branches if b != "null" and b["name"] == "Subscription")
    return found


NEW = {"name": "shelf", "type": "string"}
CHANGES: dict[str, tuple[str, Change, list[tuple[str, str]]]] = {
    "nothing": ("outcome", lambda _: None, []),
    "a new field with a default": (
        "outcome",
        lambda it: it["fields"].append({**NEW, "default": ""}),
        [],
    ),
    "a new field without": (
        "outcome",
        lambda it: it["fields"].append(NEW),
        [("shelf", "is not written, and has no default")],
    ),
    "a field renamed": (
        "outcome",
        lambda it: field_of(it, "offset").update(name="place"),
        [("place", "is not written, and has no default")],
    ),
    "a field renamed with its alias": (
        "outcome",
        lambda it: field_of(it, "offset").update(name="place", aliases=["offset"]),
        [],
    ),
    "a field removed": ("outcome", lambda it: it["fields"].pop(0), []),
    "a type narrowed": (
        "outcome",
        lambda it: field_of(it, "offset").update(type="int"),
        [("offset", "was long, is int")],
    ),
    "a type widened": ("outcome", lambda it: field_of(it, "offset").update(type="double"), []),
    "null no more": (
        "sources/ordergroove",
        lambda it: field_of(subscription(it), "price").update(type="string", default=""),
        [
            ("object.Subscription.price", "could be null, is string"),
            ("snapshot.subscriptions.price", "could be null, is string"),
        ],
    ),
    "a field deep inside": (
        "events/enriched",
        lambda it: inner(it, "order", "payment")["fields"].append(NEW),
        [("order.payment.shelf", "is not written, and has no default")],
    ),
    "a symbol gone": (
        "sources/ordergroove",
        lambda it: field_of(it, "kind")["type"].update(symbols=["event", "erase"]),
        [("kind", "has no state any more")],
    ),
    "a record renamed": (
        "events/enriched",
        lambda it: inner(it, "because").update(name="Reason"),
        [("because", "could be Because, is null or Reason")],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_stands_in_the_way_is_told_by_field(case: str) -> None:
    """Each change that Avro does not forgive, and those that it does."""
    name, change, expected = CHANGES[case]

    assert expected == as_released(name, change)


def test_a_schema_that_is_gone() -> None:
    """Its records would be left unread."""
    before = Release("0.9.0", {"outcome": 3}, {"outcome": json.loads(OURS.texts["outcome"])})
    [found] = faults({}, {}, [before])

    assert Fault("outcome", "0.9.0", "", "is gone, and its records would be left unread") == found


def test_an_id_must_not_change_its_meaning() -> None:
    """Another layout needs another id, where ids come from the files; docs change no layout."""
    text = OURS.texts["outcome"]
    before = Release("0.9.0", {"outcome": 3}, {"outcome": json.loads(text)})
    grown = variant("outcome", lambda it: it["fields"].append({**NEW, "default": ""}))
    said = variant("outcome", lambda it: it.update(doc="In other words."))
    why = "has other fields than under its id 3: give it a new id in ids.json"

    assert [why] == [each.why for each in faults({"outcome": grown}, {"outcome": 3}, [before])]
    assert [] == faults({"outcome": grown}, {"outcome": 7}, [before])
    assert [] == faults({"outcome": said}, {"outcome": 3}, [before])
    taken = faults({"outcome": grown}, {"outcome": 7, "other": 3}, [before])
    assert ["had the id 3, which other has now"] == [each.why for each in taken]


def test_a_record_of_a_release_is_read() -> None:
    """Under the id that its schema had then; what it lacks takes its default."""
    [first, *_] = releases()
    schema = first.schemas["events/enriched"]
    record = {"event_id": "e7", "type": "order.cancel", "merchant": "m"}
    told = {field["name"]: field.get("default") for field in schema["fields"]} | record
    profile = {"active_subscriptions": 1, "total_subscriptions": 2, "ever_subscribed": True}
    told |= {"occurred_at": 5, "customer_id": "c", "source_event_id": "e"}
    told["profile"] = profile | {"version": 4}
    value = framed(first.ids["events/enriched"], json.dumps(schema), told)
    read = Codec(FileRegistry(), "events/enriched").decode(value)

    assert record.items() <= read.items()
    assert profile.items() <= read["profile"].items()
    assert read.keys() >= compiled_fields()


def compiled_fields() -> set[str]:
    """The names of today's fields."""
    return {each["name"] for each in compiled(json.loads(OURS.texts["events/enriched"]))["fields"]}


def test_two_equal_schemas_have_no_gaps() -> None:
    """Whatever they hold: every schema of ours against itself."""
    assert {name: [] for name in OURS.texts} == {
        name: gaps(json.loads(text), json.loads(text)) for name, text in OURS.texts.items()
    }


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`streams schemas` over the schemas of a folder."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("STREAMS_")}
    return subprocess.run(
        [sys.executable, "-m", "streams", "schemas", *arguments],
        env=others | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command(tmp_path: Path) -> None:
    """Exit 0 as things are; a breaking change exits 1 with its fields, and cannot be released."""
    shutil.copytree(ROOT / "avro_schemas", tmp_path / "avro_schemas")
    good, kept = command(tmp_path, "check"), command(tmp_path, "release", "9.1")
    again = command(tmp_path, "release", "9.1")
    file = tmp_path / "avro_schemas" / "outcome.avsc"
    changed = json.loads(file.read_text())
    field_of(changed, "offset").update(type="string")
    changed["fields"].append({**NEW, "doc": "Where it lies."})
    file.write_text(json.dumps(changed))
    bad, refused = command(tmp_path, "check"), command(tmp_path, "release", "9.2")
    lines = bad.stdout.splitlines()

    assert (0, "") == (good.returncode, good.stderr)
    assert "outcome: reads 0.1.0" in good.stdout
    assert (0, "kept in released/9.1.json\n") == (kept.returncode, kept.stdout)
    assert (2, "streams: VERSION: 9.1 was released. Take the next one\n") == (
        again.returncode,
        again.stderr,
    )
    assert 1 == bad.returncode
    assert "outcome: does not read what was released" in lines
    assert "  0.1.0  offset: was long, is string" in lines
    assert "  9.1  shelf: is not written, and has no default" in lines
    assert "between released records and our schemas" in bad.stderr
    assert 1 == refused.returncode
    assert not (tmp_path / "avro_schemas" / "released" / "9.2.json").exists()
