"""An erase that was cut short, and what its certificate must not call done, on a real broker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from streams.avro import codec
from streams.control.tables import Generation, Generations, Rebuilt
from streams.engine.admin import TopicSpec, create_topics
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Profile, Subscriber
from streams.sources.ordergroove import record_of
from tests.support.erase_world import NOOR, PARTITIONS, EraseWorld
from tests.support.letter_commands import LETTER
from tests.support.webhooks import START

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "ordergroove"
ROW = encode_row(Subscriber(profile=Profile(NOOR.email, NOOR.phone), seen={20_000: b"123456"}))
RECORD = codec("sources/ordergroove").encode(record_of(NOOR.events(START)[0]))
LETTERS = (
    ("5d1b7c1e-3a55-4c0c-9b0a-000000000001", None, b"no record, of " + NOOR.email.encode()),
    ("5d1b7c1e-3a55-4c0c-9b0a-000000000002", b"sub-8812", RECORD),
)


@pytest.fixture
def world(broker: str, prefix: str, tmp_path: Path) -> EraseWorld:
    """Return a shop in which she is known, and its table was switched; nothing works there."""
    made = EraseWorld(broker, prefix, tmp_path)
    names, old = made.names, f"{prefix}-of-old"
    assert made.run("topics", "create").code == 0
    changelogs = [names.changelog(SOURCE, number) for number in (0, 1)]
    create_topics(
        made.kafka,
        [
            TopicSpec(name=each, partitions=PARTITIONS, replication=1)
            for each in (changelogs[1], old)
        ],
    )
    made.environment["STREAMS_REKEY__TOPIC"] = old
    generations = Generations(made.kafka, names, SOURCE)
    generations.note(1, Rebuilt(changelog=changelogs[1], by="me", at=1, fingerprint="f"))
    generations.keep(Generation(generation=1, changelog=changelogs[1], at=2, by="me"))
    for each in changelogs:
        made.append(each, [(NOOR.key, ROW)])
    letters = [(id_.encode(), letter(made, id_, key, value)) for id_, key, value in LETTERS]
    made.append(names.dead_letters(SOURCE), letters)
    return made


def letter(world: EraseWorld, id_: str, key: bytes | None, value: bytes) -> bytes:
    """A dead letter whose key is not hers."""
    told: dict[str, Any] = {
        "id": id_, "reason": "wrong_key", "field": None, "detail": "",
        "topic": world.names.events(SOURCE), "partition": 0, "offset": 1, "timestamp": 1,
        "key": key, "value": value, "headers": {}, "connection": None, "delivery_id": None,
        "part": None, "event_type": None, "status": None, "attempts": 0, "written_at": 1,
    }  # fmt: skip
    return LETTER.encode(told)


def certificate(world: EraseWorld, run: str, file: Path) -> dict[str, Any]:
    """How far an erase is."""
    assert world.run("erase", "--status", run, "--certificate", str(file)).code == 0
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def test_what_is_left_is_found_again_and_told(
    world: EraseWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Letters go before the row does; a table that nobody keeps is not done until it is gone."""
    names, file = world.names, tmp_path / "certificate.json"
    command = ("erase", "--email", NOOR.email, "--yes", "1", "--wait", "0")
    monkeypatch.setenv("STREAMS_REHEARSE", "kill@committed#1")
    assert world.run(*command).code < 0
    monkeypatch.delenv("STREAMS_REHEARSE")
    assert ({}, {}) == (world.live(names.dead_letters(SOURCE)), world.live(names.erased))

    again = world.run(*command)
    assert again.code == 0, again
    run = next(line.split()[1] for line in again.out.splitlines() if line.startswith("erase "))
    assert "the whole row, until `streams rebuild --source ordergroove --discard 0`" in again.out
    late, key, record = LETTERS[1]
    box = names.dead_letters(SOURCE)
    world.append(box, [(late.encode(), letter(world, late, key, record))])
    at = json.loads(next(iter(world.live(names.erased).values())))["erased_at"]
    live, former = names.changelog(SOURCE, 1), names.changelog(SOURCE, 0)
    world.append(live, [(NOOR.key, encode_row(Subscriber(erased_at=at)))])

    told = certificate(world, run, file)
    assert {live: True, former: False} == {each["table"]: each["erased"] for each in told["tables"]}
    assert 1 == told["dead_letters_standing"][box]
    remains = {each["topic"]: each for each in told["remains"]}
    assert ("the whole row", None) == (remains[former]["what"], remains[former]["until"])
    assert world.environment["STREAMS_REKEY__TOPIC"] in remains
    assert not told["complete"]

    discarded = world.run("rebuild", "--discard", "0", "--yes", "1")
    assert discarded.code == 0, discarded
    told = certificate(world, run, file)
    assert {live: True} == {each["table"]: each["erased"] for each in told["tables"]}
    assert former not in {each["topic"] for each in told["remains"]}
