"""Klaviyo's call for many, on a real broker: history by the low lane, in bulk and in order."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.support.delivery_world import DeliveryWorld, identity, in_order, shop_event

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent
    from streams.simulators.klaviyo_events import StoredEvent

EVENTS, BULK = "/api/events", "/api/event-bulk-create-jobs"
CUSTOMERS, EACH = 20, 3


def old_event(customer: str, number: int, **profile: str | None) -> EnrichedEvent:
    """A customer's event that is history, with a profile."""
    event = shop_event(customer, number)
    who = {"first_name": customer, "status": "active", **profile}
    return replace(event, late=True, profile=replace(event.profile, **who))


def history() -> list[EnrichedEvent]:
    """Some events of many customers, mixed."""
    return [old_event(f"c{c}", n) for n in range(EACH) for c in range(CUSTOMERS)]


def stored(world: DeliveryWorld) -> list[StoredEvent]:
    """What the vendor knows in the end, in order."""
    found: Any = world.simulator.state()["events"]
    return list(found)


def calls(world: DeliveryWorld) -> dict[str, list[int | None]]:
    """Path → the status of each call, in order."""
    found = defaultdict(list)
    for each in world.simulator.received:
        found[each.path].append(each.status)
    return found


async def final(world: DeliveryWorld) -> dict[str, dict[str, Any]]:
    """The one final outcome of each delivery."""
    outcomes = [each for each in await world.outcomes() if each["final"]]
    found = {each["delivery_id"]: each for each in outcomes}
    assert len(found) == len(outcomes)
    return found


def test_history_goes_in_bulk(broker: str, prefix: str) -> None:
    """Few calls, each customer in order, no flow started; what may start one goes alone."""
    world = DeliveryWorld(broker, prefix)
    old = history()
    live = [shop_event("live", 1), old_event("live", 2)]
    told_again = shop_event("again", 1)

    async def story() -> None:
        async with world:
            world.feed(*old, told_again, low=True)
            world.feed(*live)
            await world.start()
            await world.until_concluded()
            outcomes.update(await final(world))

    outcomes: dict[str, dict[str, Any]] = {}
    asyncio.run(story())
    made = calls(world)
    ids = [each.unique_id for each in stored(world) if each.unique_id is not None]
    flows = {each.unique_id for each in stored(world) if each.triggers}
    people: Any = world.simulator.state()["profiles"]
    names = {each["attributes"].get("first_name") for each in people}

    assert {EVENTS, BULK} == made.keys()
    assert [202] * 3 == made[EVENTS]
    assert {202} == set(made[BULK])
    assert len(made[BULK]) <= len(old) / 4
    assert Counter(map(identity, [*old, *live, told_again])) == Counter(ids)
    assert in_order(old, ids)
    assert {identity(live[0]), identity(told_again)} == flows
    assert {f"c{c}" for c in range(CUSTOMERS)} < names
    assert {"delivered_no_trigger"} == {outcomes[identity(each)]["outcome"] for each in old}
    assert {1} == {outcomes[identity(each)]["attempts"] for each in old}


def test_one_bad_record_costs_nobody_else(broker: str, prefix: str) -> None:
    """A refusal that names a record drops it, and the rest goes again; a bad number is left out."""
    world = DeliveryWorld(broker, prefix)
    old = history()
    nobody = old_event("nobody", 1, email=None, phone_number="+13125550148")
    mended = old_event("mended", 1, phone_number="+99900000001")

    async def story() -> None:
        async with world:
            world.simulator.set_switches(
                {"sms": False, "bulk_bad_phone": "refuse", "phone_check": "numbering_plan"}
            )
            world.feed(nobody, mended, *old, low=True)
            await world.start()
            await world.until_concluded()
            outcomes.update(await final(world))
            letters.extend(await world.dead_letters())

    outcomes: dict[str, dict[str, Any]] = {}
    letters: list[dict[str, Any]] = []
    asyncio.run(story())
    made = calls(world)
    ids = [each.unique_id for each in stored(world) if each.unique_id is not None]
    told = {each: outcomes[each]["outcome"] for each in map(identity, [*old, mended])}
    refused = outcomes[identity(nobody)]

    assert [BULK] == list(made)
    assert 400 in made[BULK]
    assert len(made[BULK]) <= len(old) / 4
    assert Counter(map(identity, [*old, mended])) == Counter(ids)
    assert in_order(old, ids)
    assert {"delivered_no_trigger"} == set(told.values())
    assert "phone_number refused" == outcomes[identity(mended)]["reason"]
    assert "rejected" == refused["outcome"]
    assert refused["field"].endswith("profile.data.attributes.phone_number")
    assert [identity(nobody)] == [each["delivery_id"] for each in letters]
