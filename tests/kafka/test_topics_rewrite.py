"""Source topics copied without the erased, on a real broker: exact, also when it is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.avro import codec
from streams.control.erased import Erased, encode_erased
from streams.engine.admin import describe_topics, set_topic_config
from streams.model.ids import customer_hash, customer_key
from streams.names import Names
from streams.replay.erase_records import erase_record
from streams.sources.ordergroove import record_of
from tests.support.erase_world import HASH_KEY, NINA, NOOR, EraseWorld
from tests.support.webhooks import HOUR, MERCHANT, START

if TYPE_CHECKING:
    from pathlib import Path

    from confluent_kafka import Message

SOURCE = codec("sources/ordergroove")
ERASED_AT = (START + HOUR) * 1000
UNREADABLE = b"no record at all"


@pytest.fixture
def world(broker: str, prefix: str, tmp_path: Path) -> EraseWorld:
    """Return the topics, with a shop's past in them; no workers, no vendors."""
    made = EraseWorld(broker, prefix, tmp_path)
    assert made.run("topics", "create").code == 0
    events = made.names.events("ordergroove")
    for who in (NOOR, NINA):
        for at in (START, START + 2 * HOUR):
            records = [(who.key, SOURCE.encode(record_of(each))) for each in who.events(at)]
            made.append(events, records)
    people = [NINA._replace(customer=f"{number}") for number in range(700)]
    crowd = [record_of(each) for who in people for each in who.events(START)]
    keys = [customer_key(MERCHANT, each["customer_id"]) for each in crowd]
    made.append(events, zip(keys, map(SOURCE.encode, crowd), strict=True))
    erase = SOURCE.encode(erase_record("ordergroove", MERCHANT, NOOR.customer, ERASED_AT))
    made.append(events, [(NOOR.key, erase), (NINA.key, UNREADABLE), (b"\0synced:x", b"1")])
    name = customer_hash(HASH_KEY.encode(), NOOR.key).encode()
    made.append(made.names.erased, [(name, encode_erased(Erased(erased_at=ERASED_AT)))])
    return made


def written(world: EraseWorld, topic: str) -> dict[int, list[tuple[Any, ...]]]:
    """Partition → its records, in order."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for each in world.topics.records(topic):
        found.setdefault(each.partition() or 0, []).append(_told(each))
    return found


def _told(message: Message) -> tuple[Any, ...]:
    return message.key(), message.value(), message.headers(), message.timestamp()[1]


def kept(record: tuple[Any, ...]) -> bool:
    """Whether a record is to be in the copy."""
    key, value = record[:2]
    if key != NOOR.key:
        return True
    told = SOURCE.decode(value)
    return bool(told["kind"] != "erase" and told["created"] >= ERASED_AT)


def test_the_copy_is_exact(world: EraseWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the erased's, where and when they were, for as long; killed, and run again."""
    old, new = world.names, Names(f"{world.names.erased.removesuffix('.erased')}-clean")
    set_topic_config(world.kafka, old.events("ordergroove"), {"retention.ms": "-1"})
    before = written(world, old.events("ordergroove"))
    wanted = {p: [each for each in records if kept(each)] for p, records in before.items()}
    count = sum(map(len, wanted.values()))
    command = ("topics", "rewrite", "--to", new.erased.removesuffix(".erased"))
    plan = world.run(*command)
    assert (2, True) == (plan.code, f"--yes {count}" in plan.err)
    assert f"{count:,} copied, 3 of the erased and 1 erase records left out" in plan.out

    monkeypatch.setenv("STREAMS_REHEARSE", "kill@flushed#3")
    assert world.run(*command, "--yes", str(count)).code < 0
    monkeypatch.delenv("STREAMS_REHEARSE")
    part = sum(map(len, written(world, new.events("ordergroove")).values()))
    assert 0 < part < count
    done = world.run(*command, "--yes", str(count))

    assert done.code == 0, done
    assert f"{count:,} copied, 3 of the erased and 1 erase records left out" in done.out
    assert f"{count:,} records are there" in done.out
    assert wanted == written(world, new.events("ordergroove"))
    assert world.live(old.erased) == world.live(new.erased)
    [told] = describe_topics(world.kafka, [new.events("ordergroove")]).values()
    assert told is not None
    assert "LogAppendTime" == told.config["message.timestamp.type"]
    assert "-1" == told.config["retention.ms"]

    again = world.run(*command, "--yes", str(count))
    assert again.code == 0, again
    assert wanted == written(world, new.events("ordergroove"))
