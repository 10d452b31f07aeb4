"""Profiles that are sent at intervals, on a real broker: what waits survives a kill -9."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from msgspec.structs import replace

from tests.support.delivery_world import DeliveryWorld
from tests.support.enriched import KNOWN, bare

CUSTOMERS = [f"c{number}" for number in range(12)]


def changed(customer: str, version: int) -> Any:
    """The customer's profile in a version, which its count of subscriptions shows."""
    who = replace(
        KNOWN,
        email=f"{customer}@shop-demo.io",
        status="active",
        version=version,
        active_subscriptions=version,
    )
    made = replace(bare("profile.changed", who), customer_id=customer)
    return replace(made, event_id=f"{customer}-{version}")


def contacts(world: DeliveryWorld) -> dict[str, int]:
    """Customer → the version that the vendor has."""
    found = {}
    for request in world.simulator.received:
        rows: Any = request.body or []
        for row in rows:
            found[row["id"]] = row["properties"]["active_subscriptions"]
    return found


def test_the_newest_is_sent_by_whoever_is_there(broker: str, prefix: str) -> None:
    """Two versions of each, and a kill -9 as soon as both wait: the successor sends the newest."""

    async def story() -> tuple[dict[str, int], dict[str, set[str]]]:
        world = DeliveryWorld(
            broker, prefix, connection="ometria", CONNECTIONS__OMETRIA__SYNC_PROFILES_EVERY="10s"
        )
        async with world:
            world.feed(*(changed(each, version) for version in (1, 2) for each in CUSTOMERS))
            first = await world.start()
            async with asyncio.timeout(60):
                while len(await world.concluded()) < len(CUSTOMERS):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            first.kill()
            await first.wait()
            await world.start()
            async with asyncio.timeout(60):
                while contacts(world) != dict.fromkeys(CUSTOMERS, 2):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await world.until_concluded()
            found: dict[str, set[str]] = defaultdict(set)
            for each in await world.outcomes():
                found[each["event_id"]].add(each["outcome"])
            return contacts(world), found

    sent, outcomes = asyncio.run(story())

    assert dict.fromkeys(CUSTOMERS, 2) == sent
    assert {f"{each}-2" for each in CUSTOMERS} <= outcomes.keys()
    assert all("delivered" in outcomes[f"{each}-2"] for each in CUSTOMERS)
    assert all({"superseded", "delivered"} & outcomes[f"{each}-1"] for each in CUSTOMERS)
