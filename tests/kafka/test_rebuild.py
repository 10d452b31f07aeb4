"""`streams rebuild` on a real broker: the same records and program, the same table, row by row."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from streams.control.erased import Erased, encode_erased
from streams.control.tables import Generation, Generations, check_kept, whole_table_of
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.table_moment import TableMoments
from streams.errors import ConfigurationError
from streams.model.ids import customer_hash, customer_key
from streams.rebuild.snapshot import MANIFEST
from streams.sources.ordergroove import record_of
from tests.support.delivery_world import DeliveryWorld
from tests.support.rebuild_world import KLAVIYO, PARTITIONS, RebuildWorld, Said, a_day
from tests.support.webhooks import DAY, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from pathlib import Path

    from streams.avro import Record

EVENTS = 2_000
SAME = ", 0 different, 0 missing, 0 extra"
NOBODY = "0088"


@pytest.fixture
def world(broker: str, prefix: str, tmp_path: Path) -> RebuildWorld:
    """Return a world; its topics are still to be created."""
    return RebuildWorld(broker, prefix, tmp_path)


def spoken(customer: str, action: str, second: int, *, live: bool = True) -> Record:
    """A record of a customer's only subscription, with the customer beside it."""
    content = subscription(f"of-{customer}", START + second, live=live) | {"customer": customer}
    person = {"merchant_user_id": customer, "email": f"{customer}@shop-demo.io"}
    snapshot = {"customer": person | {"last_updated": START + second}}
    body = webhook(f"subscription.{action}", content, START + second, snapshot=snapshot)
    return record_of(body)


def slipped(record: Record, slip: str) -> Record:
    """The record as a mapping with a slip has typed it; its body is as it was."""
    customer = record["snapshot"]["customer"] | {"email": f"{slip}@shop-demo.io"}
    return record | {"snapshot": record["snapshot"] | {"customer": customer}}


def test_a_day_is_the_same_again(world: RebuildWorld) -> None:
    """Timers included, killed in a transaction, and while derive goes on; other rules are seen."""
    day = list(a_day(EVENTS))
    half = len(day) // 2
    with world:
        world.append(day[:half])
        worker = world.derive()
        world.committed()
        later = threading.Thread(target=lambda: world.append(day[half:]))
        later.start()
        killed = world.killed("offsets#2", "rebuild")
        meanwhile = world.run("rebuild")
        later.join()
        world.committed()
        world.settled()
        world.end(worker)
        told = world.delivered()
        again = world.run("rebuild")
        other = world.run("rebuild", STREAMS_DERIVE__HISTORY="live")
        live, rebuilt, told_then = world.rows(), world.rows(1), world.delivered()

    assert -signal.SIGKILL == killed
    assert [0, 0, 0] == [each.code for each in (meanwhile, again, other)], meanwhile.err
    assert SAME in meanwhile.out
    assert f"rows: {len(live):,} equal{SAME}" in again.out
    assert live == rebuilt
    assert len(told) == len(told_then)
    assert re.search(r"generation 2 .*\n(.*\n)?rows: .* 0 missing, 0 extra", other.out)
    [fields] = re.findall(r"fields that differ: (.*)", other.out)
    assert {"complete", "begun"} <= set(re.findall(r"([a-z_]+) [\d,]+", fields))
    assert not any(key.decode() in other.out for key in live)


def test_a_switch_goes_on_where_the_old_table_was(
    world: RebuildWorld, broker: str, prefix: str
) -> None:
    """Nothing is left out or told twice; original bodies mend a slip, and the erased stay away.

    A profile of the new generation is newer, however low its count.
    """
    with world:
        said = switched(world)
        told = world.delivered()
        outcomes = asyncio.run(delivered(broker, prefix, len(told)))

    codes = {name: each.code for name, each in said.items() if each.code}
    assert {"early": 2, "other": 2, "kept": 2} == codes, said
    assert "has members" in said["early"].err
    [used] = re.findall("what was used of them: (.*)", said["other"].out)
    assert {"raw 12", "no body 1", "failed 1"} == set(used.split(", "))
    assert "--yes 2" in said["other"].err
    assert "9 equal, 1 different, 1 missing, 0 extra" in said["switch"].out
    assert "profile 1" in said["switch"].out
    assert SAME in said["same"].out
    assert "a@shop-demo.io" == json.loads(said["get"].out)["row"]["profile"]["email"]
    check_told(told, outcomes)


def switched(world: RebuildWorld) -> dict[str, Said]:
    """A day with a slip, its table mended and switched in, another day; what commands said."""
    said: dict[str, Said] = {}
    records = [slipped(spoken("a", "create", 0), "x")]
    records += [slipped(spoken("a", "change_quantity", n), f"x{n}") for n in range(1, 4)]
    records += [spoken(name, "create", 5) for name in "bcdefgh"]
    records += [spoken("i", "create", 5) | {"raw": b""}, spoken("j", "create", 5) | {"raw": b"{"}]
    world.append([*records, spoken(NOBODY, "create", 0)])
    worker = world.derive()
    world.committed()
    world.settled()
    said["early"] = world.run("rebuild", "--switch", "--from-raw")
    world.end(worker)
    erase(world, NOBODY)
    said["other"] = world.run("rebuild", "--switch", "--from-raw", "--yes", "1")
    said["switch"] = world.run("rebuild", "--switch", "--from-raw", "--yes", "2")
    world.append([spoken(name, "cancel", 60, live=False) for name in "abcdefgh"])
    world.derived(1)
    said["same"] = world.run("rebuild", "--from-raw")
    said["get"] = world.run("table", "get", f"{MERCHANT}:a", "--json", "--reveal")
    said["kept"] = world.run("rebuild", "--discard", "1", "--yes", "0")
    said["gone"] = world.run("rebuild", "--discard", "0", "--yes", "11")
    return said


def check_told(told: list[Record], outcomes: list[Record]) -> None:
    """Everything was told once, and the last profile of the one with a slip was taken as newer."""
    facts = Counter((each["event_id"], each["type"]) for each in told)
    assert {1} == set(facts.values())
    assert 8 == sum(each["type"] == "subscriber.cancel" for each in told)
    versions = {
        each["event_id"]: (each["profile"]["generation"], each["profile"]["version"])
        for each in told
        if each["customer_id"] == "a"
    }
    newest, most = max(versions.values()), max(count for _, count in versions.values())
    newer = {id_ for id_, version in versions.items() if version == newest}
    assert {0, 1} == {generation for generation, _ in versions.values()}
    assert newest[1] < most
    assert {("delivered", None)} == {
        (each["outcome"], each["reason"]) for each in outcomes if each["event_id"] in newer
    }


def erase(world: RebuildWorld, customer: str) -> None:
    """Have a customer be among the erased, a day after all that is told of them."""
    producer = Producer(world.kafka.producer())
    key = world.environment["STREAMS_HASH_KEY"].encode()
    value = encode_erased(Erased(erased_at=(START + DAY) * 1_000))
    producer.produce(
        world.names.erased, value, customer_hash(key, customer_key(MERCHANT, customer))
    )
    assert producer.flush(30) == 0


async def delivered(broker: str, prefix: str, count: int) -> list[Record]:
    """Have everything delivered; the final outcomes."""
    async with DeliveryWorld(broker, prefix, connection=KLAVIYO) as vendor:
        await vendor.start()
        async with asyncio.timeout(60):
            while len(set(await vendor.concluded())) < count:  # noqa: ASYNC110 - asked of the broker
                await asyncio.sleep(0.1)
        return [each for each in await vendor.outcomes() if each["final"]]


def test_a_snapshot_stands_in_for_what_is_gone(world: RebuildWorld) -> None:
    """Without one a topic that lost its beginning is refused; so is one that is not whole."""
    folder = world.folder / "kept"
    with world:
        world.append(a_day(400))
        world.derived()
        taken = world.run("table", "snapshot", "--to", str(folder))
        again = world.run("table", "snapshot", "--to", str(folder))
        world.append(a_day(400, seed=9))
        world.derived()
        offsets = forget_beginning(world)
        refused = world.run("rebuild")
        found = world.run("rebuild", "--from-snapshot", str(folder))
        goes_on = world.run("rebuild", "--from-snapshot", str(folder / MANIFEST))
        file = next(folder.glob("*.rows.gz"))
        whole = file.read_bytes()
        file.write_bytes(whole[:-9] + b"\0" + whole[-8:])
        damaged = world.run("rebuild", "--from-snapshot", str(folder))
        live, rebuilt = world.rows(), world.rows(1)

    assert (0, 2) == (taken.code, again.code), taken.err
    assert any(offsets)
    assert 2 == refused.code
    assert "its beginning is gone" in refused.err
    assert "--from-snapshot" in refused.err
    assert f"rows: {len(live):,} equal{SAME}" in found.out, found.err
    assert "generation 1 " in goes_on.out
    assert live == rebuilt
    assert 2 == damaged.code
    assert "is damaged: its checksum is another" in damaged.err


def forget_beginning(world: RebuildWorld) -> list[int]:
    """Delete the first record of each partition, as retention does; the first offsets then."""
    admin = AdminClient(world.kafka.client())
    places = [TopicPartition(world.source, p, 1) for p in range(PARTITIONS)]
    answers = admin.delete_records(places)
    return [each.result().low_watermark for each in answers.values()]


def test_derive_goes_on_from_nothing_that_is_not_whole(world: RebuildWorld) -> None:
    """Neither while a switch is under way, nor with a topic that is missing or too short."""
    with world:
        generations = Generations(world.kafka, world.names, "ordergroove")
        first = whole_table_of(world.kafka, world.names, "ordergroove")
        generations.keep(replace(first, switching=True))
        [switching, still] = [why(world), why(world, first)]
        generations.settle()
        settled = why(world)
        generations.keep(
            Generation(generation=1, changelog=world.names.changelog("ordergroove", 1))
        )
        [missing, other] = [why(world), why(world, first)]
        generations.keep(Generation(generation=1, changelog=first.changelog, ends={0: 1}))
        short = why(world)
        ended = world.run("worker", "derive", "--port", "0")

    assert first == Generation(generation=0, changelog=world.names.subscribers_changelog)
    assert "being switched in" in switching
    assert switching == still
    assert not settled
    assert "it does not exist" in missing
    assert "generation 1 was switched in" in other
    assert "incomplete in partitions [0]" in short
    assert 2 == ended.code
    assert short in ended.err


def why(world: RebuildWorld, expected: Generation | None = None) -> str:
    """Why derive does not go on; empty where it does. `expected`: it has begun with that one."""
    try:
        if expected is None:
            whole_table_of(world.kafka, world.names, "ordergroove")
        else:
            check_kept(world.kafka, world.names, "ordergroove", expected)
    except ConfigurationError as error:
        return str(error)
    return ""


def test_a_table_that_does_not_rest_is_not_looked_at(world: RebuildWorld) -> None:
    """What an open transaction has written is not decided: no moment is guessed."""
    with world:
        derived = world.names.derived("ordergroove")
        group, topic, changelog = derived.group, derived.topic, derived.changelog
        control = world.names.control
        moments = TableMoments(world.kafka, group, topic, changelog)
        with pytest.raises(ConfigurationError, match="there is no table yet"):
            moments.of(0)
        ensure_first_offsets(world.kafka, group, topic, start="beginning", control=control)
        written(world, changelog, b"m:a").commit_transaction(30)
        rests = moments.of(0)
        lasting = written(world, changelog, b"m:b")
        with pytest.raises(ConfigurationError, match="faster than its table"):
            moments.of(0, patience=0.2)
        lasting.commit_transaction(30)
        later = moments.of(0)
        rows = [moments.rows(0, each) for each in (rests, later)]
        moments.close()

    assert rests.position == later.position
    assert [{b"m:a"}, {b"m:a", b"m:b"}] == [set(each) for each in rows]


def written(world: RebuildWorld, changelog: str, key: bytes) -> Producer:
    """A producer with a row in an open transaction."""
    producer = Producer(world.kafka.transactional(f"{changelog}-{key!r}"))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(changelog, b"a row", key, 0)
    assert producer.flush(30) == 0
    return producer
