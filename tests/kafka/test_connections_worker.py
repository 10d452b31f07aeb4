"""Operators and a running worker: the real commands, a broker, a simulated vendor."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from streams.demo.broker import free_ports
from streams.engine.group_offsets import commit_offsets
from streams.simulators.faults import Fault
from tests.support.delivery_world import (
    PARTITIONS,
    DeliveryWorld,
    identity,
    shop_event,
    until_paused,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

PEOPLE = [f"c{number}" for number in range(6)]


def tell(world: DeliveryWorld, story: Callable[[DeliveryWorld], Awaitable[None]]) -> None:
    """Let a story happen in a world."""

    async def play() -> None:
        async with world:
            await story(world)

    asyncio.run(play())


async def streams(world: DeliveryWorld, *arguments: str) -> tuple[int, str]:
    """Run `streams connections …` as an operator; exit status and what it said."""
    command = [sys.executable, "-m", "streams", "connections", *arguments]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, env=dict(os.environ) | world._environment, stdout=pipe, stderr=pipe
    )
    out, err = await process.communicate()
    return process.returncode or 0, (out + err).decode()


async def until_rests(port: int) -> None:
    """Wait until the worker on a port, which may be starting yet, sends nothing."""
    async with asyncio.timeout(60):
        while True:
            try:
                await until_paused(port)
            except ValueError:  # its pages are not there yet
                await asyncio.sleep(0.1)
            else:
                return


def starting_flows(world: DeliveryWorld) -> dict[str, bool]:
    """Delivery id → whether flows may start from it, of all that the vendor was sent."""
    found = [each.body for each in world.simulator.received if isinstance(each.body, dict)]
    attributes = [each["data"]["attributes"] for each in found]
    return {each["unique_id"]: not each.get("backfill", False) for each in attributes}


def test_a_paused_worker_goes_on_as_decided(broker: str, prefix: str) -> None:
    """What waited is sent as data, and what comes later starts flows; a restart forgets nothing."""
    before, waiting, after = ([shop_event(each, n) for each in PEOPLE] for n in range(3))

    async def story(world: DeliveryWorld) -> None:
        (port,) = free_ports(1)
        worker = await world.start("--port", str(port))
        world.feed(*before)
        await world.until_concluded()
        assert (await streams(world, "pause", "klaviyo"))[0] == 0
        await until_rests(port)
        world.feed(*waiting)
        worker.terminate()
        await worker.wait()
        worker = await world.start("--port", str(port))
        await until_rests(port)
        sent.append(len(world.sent))
        refused.append(await streams(world, "resume", "klaviyo"))
        assert (await streams(world, "resume", "klaviyo", "--data-only"))[0] == 0
        await world.until_concluded()
        world.feed(*after)
        await world.until_concluded()
        flows.update(starting_flows(world))

    sent: list[int] = []
    refused: list[tuple[int, str]] = []
    flows: dict[str, bool] = {}
    tell(DeliveryWorld(broker, prefix), story)

    assert [len(before)] == sent
    assert 2 == refused[0][0]
    assert f"{len(waiting)} deliveries wait" in refused[0][1]
    assert {identity(each): each not in waiting for each in (*before, *waiting, *after)} == flows


def test_what_is_skipped_is_recorded(broker: str, prefix: str) -> None:
    """Nothing of it is sent, each has its outcome, and the offset moves on."""
    waiting = [shop_event(each, 0) for each in PEOPLE]
    later = shop_event("c1", 1)

    async def story(world: DeliveryWorld) -> None:
        (port,) = free_ports(1)
        await world.start("--port", str(port))
        world.feed(shop_event("c9", 0))
        await world.until_concluded()
        await streams(world, "pause", "klaviyo")
        await until_rests(port)
        world.feed(*waiting)
        await streams(world, "resume", "klaviyo", "--skip")
        world.feed(later)
        await world.until_concluded()
        found = [each for each in await world.outcomes() if each["final"]]
        reasons.update({each["delivery_id"]: each["reason"] for each in found})

    reasons: dict[str, str | None] = {}
    world = DeliveryWorld(broker, prefix)
    tell(world, story)

    assert {identity(shop_event("c9", 0)), identity(later)} == set(world.accepted)
    assert dict.fromkeys(map(identity, waiting), "skipped") == {
        each: reason for each, reason in reasons.items() if reason is not None
    }


def test_new_credentials_end_a_refusal(broker: str, prefix: str, tmp_path: Path) -> None:
    """A worker whose key was revoked goes on, without a restart, when its file has another."""
    file = tmp_path / "key"
    file.write_text("pk_old")

    async def story(world: DeliveryWorld) -> None:
        world._environment.pop("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS")
        world.simulator.set_switches({"keys": {"pk_old": {}}})
        (port,) = free_ports(1)
        await world.start("--port", str(port))
        world.feed(*(shop_event(each, 0) for each in PEOPLE))
        await world.until_concluded()
        world.simulator.set_switches({"keys": {"pk_new": {}}})
        world.feed(*(shop_event(each, 1) for each in PEOPLE))
        await until_rests(port)
        file.write_text("pk_new")
        await world.until_concluded()

    world = DeliveryWorld(broker, prefix, CONNECTIONS__KLAVIYO__CREDENTIALS_FILE=str(file))
    tell(world, story)

    assert 2 * len(PEOPLE) == len(set(world.accepted))


def test_an_operator_ends_a_refusal(broker: str, prefix: str) -> None:
    """The vendor takes the key again, and only a person can know."""

    async def story(world: DeliveryWorld) -> None:
        (port,) = free_ports(1)
        await world.start("--port", str(port))
        world.feed(*(shop_event(each, 0) for each in PEOPLE))
        await until_rests(port)
        listed.append((await streams(world, "list"))[1])
        world.simulator.set_faults(())
        await streams(world, "resume", "klaviyo", "--deliver")
        await world.until_concluded()

    listed: list[str] = []
    world = DeliveryWorld(broker, prefix, [Fault(kind="status", status=401)])
    tell(world, story)

    assert "credentials refused since 20" in listed[0]
    assert len(PEOPLE) == len(set(world.accepted))


def test_a_shadow_goes_live_step_by_step(broker: str, prefix: str) -> None:
    """First one customer, then all; what was only recorded before is not sent after."""
    rounds = [[shop_event(each, n) for each in PEOPLE] for n in range(3)]
    one = f"{rounds[0][0].merchant}:c0"

    async def story(world: DeliveryWorld) -> None:
        world._environment["STREAMS_CONNECTIONS__KLAVIYO__MODE"] = "shadow"
        await world.start()
        derived = world.names.derived("ordergroove")
        await asyncio.to_thread(_begin, world, derived.group, derived.topic)
        for events, arguments in zip(rounds, (("--allowlist", one), (), None), strict=True):
            world.feed(*events)
            await world.until_concluded()
            if arguments is not None:
                said = await streams(world, "promote", "klaviyo", *arguments, "--execute")
                assert said[0] == 0, said[1]
                # a worker hears it within a second; what comes before that is still kept
                await until_heard(world, one if arguments else None)
        sent.extend(world.accepted)

    async def until_heard(world: DeliveryWorld, allowed: str | None) -> None:
        witness = shop_event("c0" if allowed else "c5", len(heard) + 100)
        while identity(witness) not in world.accepted:
            heard.append(identity(witness))
            world.feed(witness)
            await world.until_concluded()
            if identity(witness) not in world.accepted:
                witness = shop_event(witness.customer_id, len(heard) + 100)

    heard: list[str] = []
    sent: list[str] = []
    tell(DeliveryWorld(broker, prefix), story)
    day = {identity(each) for events in rounds for each in events}
    wanted = {identity(rounds[1][0]), *map(identity, rounds[2])}

    assert wanted == day & set(sent)


def _begin(world: DeliveryWorld, group: str, topic: str) -> None:
    """Let derive have finished all there is."""
    commit_offsets(world.kafka, group, topic, dict.fromkeys(range(PARTITIONS), 0))
