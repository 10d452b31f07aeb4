"""Profile versions as they run: a replay leaves a churned customer inactive, at every vendor."""

from __future__ import annotations

import asyncio
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from streams.delivery.known import Known, KnownChangelog
from streams.delivery.profiles import version_of
from streams.engine.kafka import KafkaSettings
from tests.support.delivery_world import PARTITIONS, DeliveryWorld
from tests.support.enriched import KNOWN, bare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.enriched import EnrichedEvent

STATUS = "Ordergroove Subscriber Status"


def told(kind: str, version: int, status: str) -> EnrichedEvent:
    """An event of the customer after which the row has this version and status."""
    profile = replace(KNOWN, version=version, status=status, ever_subscribed=True)
    return replace(bare(kind, profile), event_id=f"{kind}-{version}")


CREATE = told("subscriber.create", 1, "active")
CANCEL = told("subscriber.cancel", 2, "inactive")
CHANGED = told("profile.changed", 1, "active")
AGAIN = told("profile.changed", 2, "inactive")


SAID = {
    "klaviyo": [("delivered", "profile_superseded"), None],
    "attentive": [("delivered_no_trigger", None), ("superseded", None)],
}
"""What is said of the replayed create's event and profile: one has the other inside."""


def statuses(vendor: str, state: Mapping[str, Any]) -> list[object]:
    """The status of every profile that the vendor knows."""
    if vendor == "attentive":
        return [each.attributes.get(STATUS) for each in state["people"]]
    return [each["attributes"]["properties"].get(STATUS) for each in state["profiles"]]


@pytest.mark.parametrize("restart", [None, SIGKILL], ids=["no restart", "killed between"])
@pytest.mark.parametrize("vendor", ["klaviyo", "attentive"])
def test_a_replayed_create_leaves_a_churned_customer_inactive(
    broker: str, prefix: str, vendor: str, restart: int | None
) -> None:
    """The old status is never sent again; the outcomes say so, also after a restart."""

    async def story() -> None:
        async with world:
            world.feed(CREATE, CANCEL)
            worker = await world.start()
            await world.until_concluded()
            seen.append(statuses(vendor, world.simulator.state()))
            if restart is not None:
                worker.send_signal(restart)
                await worker.wait()
                await world.start()
            before = len([each for each in await world.outcomes() if each["final"]])
            world.feed(AGAIN, CREATE, CHANGED)
            await world.until_concluded()
            seen.append(statuses(vendor, world.simulator.state()))
            outcomes.extend([each for each in await world.outcomes() if each["final"]][before:])

    world = DeliveryWorld(broker, prefix, connection=vendor)
    seen: list[list[object]] = []
    outcomes: list[dict[str, Any]] = []
    asyncio.run(story())
    said = {(e["event_id"], e["part"]): (e["outcome"], e["reason"]) for e in outcomes}
    created = [said.pop((CREATE.event_id, part), None) for part in ("event", "profile")]

    assert [["inactive"], ["inactive"]] == seen
    assert SAID[vendor] == created
    assert {
        (CHANGED.event_id, "profile"): ("superseded", None),
        (AGAIN.event_id, "profile"): ("duplicate", "unchanged"),
    } == said


def test_the_changelog_restores_the_greatest_version(broker: str, prefix: str) -> None:
    """By customer and partition; a tombstone forgets; what is no longer owned is not waited for."""
    kafka = KafkaSettings(bootstrap=broker)
    records = [
        (0, b"m:a", b"0:3"),
        (0, b"m:b", b"0:7"),
        (0, b"m:a", b"1:1"),
        (0, b"m:a", b"0:9"),
        (0, b"m:gone", b"0:1"),
        (0, b"m:gone", None),
        (2, b"m:c", b"0:5"),
    ]
    world = DeliveryWorld(broker, prefix)

    async def create() -> None:
        async with world:
            pass

    asyncio.run(create())
    topic = world.names.profiles_changelog("klaviyo")
    producer = Producer(kafka.producer())
    for partition, key, value in records:
        producer.produce(topic, value, key, partition)
    assert producer.flush(30) == 0
    restore = KnownChangelog(kafka, topic)
    everything = set(range(PARTITIONS))
    version = replace(KNOWN, version=1, generation=1)

    found = {p: known.versions for p, known in restore(everything, lambda: everything).items()}

    assert {0: {b"m:a": version_of(version), b"m:b": 7}, 1: {}, 2: {b"m:c": 5}} == found
    assert {0: Known()} == restore({0}, set)
