"""Replays on a real broker: planned, killed, gone on with, reported; and what the vendor says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from streams.control.erased import Erased, encode_erased
from streams.control.records import Promotion
from streams.control.topic import ControlTopic
from streams.demo.observation import Topics
from streams.engine.producer import RecordProducer
from streams.engine.watermarks import Watermarks
from streams.model.dead_letter import header_bytes
from streams.model.ids import customer_hash, customer_key
from streams.model.replayed import replayed_of
from streams.replay.runs import runs_of
from tests.support.delivery_world import PARTITIONS, DeliveryWorld, identity, shop_event, until
from tests.support.letter_commands import PATIENCE, Said
from tests.support.prompted import prompted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.enriched import EnrichedEvent

TOGETHER = 1_300
"""Of three partitions each has more than a transaction's 500 or less: some of both."""
COPIES = 60
"""Deliveries that lie there a second time, as redriven letters do."""


def run(world: DeliveryWorld, *arguments: str, **more: str) -> Said:
    """Run `streams replay …` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "streams", "replay", *arguments],
        env=dict(os.environ) | world._environment | more,
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


def ran(world: DeliveryWorld, *arguments: str) -> Any:
    """To its good end; what it printed, read where it is JSON."""
    said = run(world, *arguments)
    assert 0 == said.code, said
    return json.loads(said.out) if "--json" in arguments else said.out


def of_topic(world: DeliveryWorld, topic: str) -> dict[int, list[tuple[Any, ...]]]:
    """Key and value of each committed record, by partition, in order."""
    found: dict[int, list[tuple[Any, ...]]] = {p: [] for p in range(PARTITIONS)}
    for each in Topics(world.kafka.bootstrap).records(topic):
        found[each.partition() or 0].append((each.key(), each.value()))
    return found


def stock() -> list[EnrichedEvent]:
    """Deliveries of many customers."""
    return [shop_event(f"c{n % 400:03}", n // 400) for n in range(TOGETHER)]


async def interrupted(world: DeliveryWorld, how: str) -> tuple[str, str]:
    """Let a run end in the midst of its second transaction, and go on; its id, what was said.

    The same line again is known for the same run, though `1h` means other times then.
    """
    command = ["run", "klaviyo", "--since", "1h", "--mode", "fill", "--yes", str(TOGETHER)]
    environment = dict(os.environ) | world._environment
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", "replay", *command),
        env=environment | {"STREAMS_REHEARSE": f"{how}@flushed#2"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        if how == "kill":
            assert -signal.SIGKILL == await process.wait()
        else:
            await until(lambda: _stopped(process.pid))
        again = await asyncio.to_thread(run, world, *command)
        assert 2 == again.code
        [name] = re.findall(r"--resume ([0-9a-f]{32})", again.err)
        ended: str = await asyncio.to_thread(ran, world, "run", "--resume", name)
        if how == "stop":
            process.send_signal(signal.SIGCONT)
            assert 75 == await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return name, ended


@pytest.mark.parametrize("how", ["kill", pytest.param("stop", marks=pytest.mark.long)])
def test_a_run_that_was_killed_goes_on_exactly_where_it_was(
    broker: str, prefix: str, how: str
) -> None:
    """Each delivery is appended once, in order, also one that lies in its topic twice.

    An older command that still lives is refused.
    """
    world = DeliveryWorld(broker, prefix)

    async def story() -> None:
        async with world:
            world.feed(*stock())
            meant = await asyncio.to_thread(of_topic, world, world.names.deliveries("klaviyo"))
            world.feed(*stock()[:COPIES])
            name, ended = await interrupted(world, how)
            once = await asyncio.to_thread(of_topic, world, world.names.low("klaviyo"))
            await world.start()
            told = await asyncio.to_thread(ran, world, "report", name, "--json")

            assert f"{TOGETHER:,} deliveries appended" in ended
            assert meant == once
            assert TOGETHER == told["appended"] == told["concluded"]
            assert told["drained"]
            assert 0.0 == told["deviation"]

    asyncio.run(story())


def test_what_retention_took_is_said(broker: str, prefix: str) -> None:
    """A run goes on with what is left; nothing is appended twice for it."""
    world = DeliveryWorld(broker, prefix)
    command = ["run", "klaviyo", "--mode", "fill", "--yes", str(TOGETHER)]

    async def story() -> None:
        async with world:
            world.feed(*stock())
            killed = await asyncio.to_thread(
                run, world, *command, STREAMS_REHEARSE="kill@committed#1"
            )
            assert -signal.SIGKILL == killed.code
            begun = len(await low_keys(world))
            topic = world.names.deliveries("klaviyo")
            ends = await asyncio.to_thread(Watermarks(world.kafka, topic).stable, range(PARTITIONS))
            await asyncio.to_thread(expire, world, topic, {p: at - 7 for p, at in ends.items()})
            [known] = runs_of(world.kafka, world.names.control)
            ended = await asyncio.to_thread(ran, world, "run", "--resume", known)
            told = await asyncio.to_thread(ran, world, "report", known, "--json", "--no-wait")
            appended = await low_keys(world)

            assert 0 < begun < TOGETHER
            assert begun + 7 * PARTITIONS >= len(appended) > begun
            assert len(appended) == told["appended"] == TOGETHER - told["gone"]
            assert f"{told['gone']:,} offsets were past retention" in ended
            assert told["ended"]

    asyncio.run(story())


async def low_keys(world: DeliveryWorld) -> list[Any]:
    """Keys and values of all that is on the low topic."""
    low = await asyncio.to_thread(of_topic, world, world.names.low("klaviyo"))
    return [each for several in low.values() for each in several]


def expire(world: DeliveryWorld, topic: str, before: Mapping[int, int]) -> None:
    """Take records from a topic as its retention does: all in front of these offsets."""
    places = [TopicPartition(topic, p, at) for p, at in before.items()]
    admin = AdminClient(world.kafka.client())  # the answers come while it lives
    for each in admin.delete_records(places).values():
        each.result(PATIENCE)


MEANWHILE = {
    "run": ("has begun since this was planned", 2),
    "promoted": ("it was planned in mode live and is in mode live 10 %", 0),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_was_decided_meanwhile_counts(broker: str, prefix: str, what: str) -> None:
    """Somebody reads a plan, somebody else is quicker: its number is none any more."""
    world = DeliveryWorld(broker, prefix)
    command = ["run", "klaviyo", "--since", "1h", "--mode", "trigger"]
    problem, appended = MEANWHILE[what]

    async def story() -> None:
        async with world:
            world.feed(shop_event("c1", 1), shop_event("c2", 1))
            async with prompted(world._environment, "replay", *command) as slow:
                if what == "run":
                    await asyncio.to_thread(ran, world, *command, "--yes", "2")
                else:
                    control = ControlTopic(world.kafka, world.names.control)
                    promotion = Promotion("live", "kim", 1, percentage=10.0)
                    await asyncio.to_thread(
                        control.change, "klaviyo", lambda each: replace(each, promotion=promotion)
                    )
                said = await slow.answer(2)

            assert (2, True) == (said.code, problem in said.err), said
            assert appended == len(await low_keys(world))

    asyncio.run(story())


def test_a_trigger_needs_a_connection_that_sends(broker: str, prefix: str) -> None:
    """Nobody can be counted in shadow, and the low lane would keep it until somebody can."""
    world = DeliveryWorld(broker, prefix, CONNECTIONS__KLAVIYO__MODE="shadow")

    async def story() -> None:
        async with world:
            world.feed(shop_event("c1", 1), shop_event("c2", 1))
            command = ["run", "klaviyo", "--mode"]
            said = await asyncio.to_thread(run, world, *command, "trigger", "--yes", "0")

            assert (2, True) == (said.code, "it is in mode shadow" in said.err), said
            assert [] == await low_keys(world)

            await asyncio.to_thread(ran, world, *command, "fill", "--yes", "2")

            assert 2 == len(await low_keys(world))

    asyncio.run(story())


def test_nothing_is_done_unless_its_number_is_said(broker: str, prefix: str) -> None:
    """The number that would have been right is told; the low topic stays empty."""
    world = DeliveryWorld(broker, prefix)

    async def story() -> None:
        async with world:
            world.feed(shop_event("c1", 1), shop_event("c2", 1))
            for more in ([], ["--yes", "7"]):
                command = ["run", "klaviyo", "--mode", "trigger", *more]
                said = await asyncio.to_thread(run, world, *command)

                assert 2 == said.code
                assert "--yes 2" in said.err
            low = await asyncio.to_thread(of_topic, world, world.names.low("klaviyo"))

            assert not any(low.values())

    asyncio.run(story())


def _stopped(pid: int | None) -> bool:
    """Whether a process has stopped itself."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123 - no file of ours
        return stat.read().rpartition(")")[2].split()[0] == "T"


def erase(world: DeliveryWorld, event: EnrichedEvent) -> None:
    """Say that an event's customer was erased after it."""
    key = customer_hash(b"k1", customer_key(event.merchant, event.customer_id))
    producer = RecordProducer(world.kafka)
    erased = encode_erased(Erased(erased_at=event.occurred_at + 1))
    producer.produce(world.names.erased, key.encode(), erased)
    producer.flush()
    producer.close()


def test_a_trigger_is_planned_as_it_happens(broker: str, prefix: str) -> None:
    """Klaviyo ignores what it has; fresh ids message everybody but who was erased."""
    world = DeliveryWorld(broker, prefix, HASH_KEY="k1")
    sent, gone = [shop_event(f"c{n}", 1) for n in range(8)], shop_event("gone", 1)

    async def story() -> None:
        async with world:
            world.feed(*sent, gone)
            await world.start()
            await world.until_concluded()
            await asyncio.to_thread(erase, world, gone)
            command = ["klaviyo", "--mode", "trigger"]
            plan = await asyncio.to_thread(ran, world, "plan", *command, "--json")
            fresh = [*command, "--new-ids", "autumn", "--yes", "8"]
            said = await asyncio.to_thread(ran, world, "run", *fresh)
            [name] = re.findall(r"report ([0-9a-f]{32})", said)
            told = await asyncio.to_thread(ran, world, "report", name, "--json")

            assert 8 == plan["deliveries"]["order.success"]
            assert 1 == plan["erased"]
            assert 0 == plan["modes"]["trigger"]["customers"]
            assert 8 == plan["modes"]["trigger"]["ignored"]
            assert 8 == plan["compared"]
            assert not plan["different"]
            assert 0.0 == told["deviation"]
            assert 1 + 2 * len(sent) == len(started(world))
            for each in Topics(world.kafka.bootstrap).records(world.names.low("klaviyo")):
                headers = header_bytes(each.headers())
                assert name == getattr(replayed_of(headers), "run", None)

    asyncio.run(story())


def test_a_customer_is_meant_and_not_named(broker: str, prefix: str) -> None:
    """Neither the plan nor the run's own record says who it was."""
    world = DeliveryWorld(broker, prefix)
    one = shop_event("c417", 1)
    key = f"{one.merchant}:c417"

    async def story() -> None:
        async with world:
            world.feed(one, shop_event("c2", 1))
            command = ["klaviyo", "--mode", "fill", "--customer", key]
            said = await asyncio.to_thread(ran, world, "run", *command, "--yes", "1")
            low = await asyncio.to_thread(of_topic, world, world.names.low("klaviyo"))
            control = await asyncio.to_thread(of_topic, world, world.names.control)
            audit = await asyncio.to_thread(of_topic, world, world.names.audit)

            assert "c417" not in said
            assert [key.encode()] == [k for each in low.values() for k, _ in each]
            for topic in (control, audit):
                assert any(topic.values())
                assert b"c417" not in b"".join(v or b"" for t in topic.values() for _, v in t)

    asyncio.run(story())


def started(world: DeliveryWorld) -> list[str]:
    """What started a flow at the vendor, by its id there."""
    found: Any = world.simulator.state()["events"]
    ids = [each.unique_id for each in found if each.triggers]
    assert set(map(identity, world.fed)) <= set(ids)
    return ids
