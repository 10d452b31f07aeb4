"""Why a vendor has something else, as Kafka tells it: each sign on its own topic, one command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

from streams.avro import codec
from streams.delivery.known import Parked, encode, encode_kept, parked_key
from streams.engine.group_offsets import commit_offsets
from streams.engine.partitioning import partition_of
from streams.engine.patience import patiently
from tests.support.delivery_world import PARTITIONS, PATIENCE
from tests.support.reconciled import Shop, key, row
from tests.support.webhooks import MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

(
    CHANGED, WAITS, PARKED, REJECTED, SHADOWED, LOW, LAGS, NEVER, OLDER, NEWER, AGREES
) = range(11)  # fmt: skip

WANTED = {
    CHANGED: ("gone", None),
    WAITS: ("waiting", "live"),
    PARKED: ("parked", None),
    REJECTED: ("refused", "rejected, HTTP 400, attributes.email"),
    SHADOWED: ("filtered", "filtered, option"),
    LOW: ("waiting", "low lane"),
    LAGS: ("lag", None),
    NEVER: ("never_sent", None),
    OLDER: ("not_applied", "superseded"),
    NEWER: ("newer_there", None),
}
OUTCOMES = {
    CHANGED: ("delivered", None, None),
    REJECTED: ("rejected", "HTTP 400", "attributes.email"),
    SHADOWED: ("filtered", "option", None),
    OLDER: ("superseded", None, None),
}
VERSIONS = {CHANGED: 3, PARKED: 3, WAITS: 2, LAGS: 3, OLDER: 2, NEWER: 4}


def place(number: int) -> tuple[bytes, int]:
    """A customer's key and partition."""
    name = key(number).encode()
    return name, partition_of(name, PARTITIONS)


def outcome(number: int, what: tuple[str, str | None, str | None]) -> dict[str, Any]:
    """A record of what came of a customer's profile."""
    names = {"outcome": what[0], "reason": what[1], "field": what[2]}
    return names | {
        "delivery_id": f"d{number}", "part": "profile", "connection": "klaviyo",
        "destination": "klaviyo", "event_id": f"e{number}", "type": "profile.changed",
        "merchant": MERCHANT, "customer_id": f"{number:07}", "final": True, "attempts": 1,
        "status": None, "latency_ms": None, "request_digest": None, "field_hashes": {},
        "topic": "t", "partition": 0, "offset": 0, "occurred_at": 1, "recorded_at": 1,
        "excerpt": None, "corrects": None,
    }  # fmt: skip


def tell(shop: Shop) -> None:
    """Write every sign where workers would."""
    names, producer = shop.names, Producer(shop.kafka.producer())
    encoded = codec("outcome").encode
    of_klaviyo: list[Any] = [("connection", b"klaviyo")]
    known, deliveries = names.profiles_changelog("klaviyo"), names.deliveries("klaviyo")
    for number, version in VERSIONS.items():
        name, partition = place(number)
        producer.produce(known, encode(version), name, partition)
    for number, what in OUTCOMES.items():
        name, partition = place(number)
        told = encoded(outcome(number, what))
        producer.produce(names.outcomes, told, name, partition, headers=of_klaviyo)
        other = encoded(outcome(number, ("expired", None, None)))
        producer.produce(names.outcomes, other, name, partition, headers=[("connection", b"x")])
    name, partition = place(PARKED)
    parked = Parked(low=False, offset=1, timestamp=1, key=name, value=b"")
    producer.produce(known, encode_kept(parked), parked_key(parked.place), partition)
    producer.produce(deliveries, b"-", place(WAITS)[0])
    producer.produce(names.low("klaviyo"), b"-", place(LOW)[0])
    producer.produce(names.events("ordergroove"), b"-", place(LAGS)[0])
    assert producer.flush(PATIENCE) == 0


def begin(shop: Shop, group: str, topic: str) -> None:
    """Let a group stand at the beginning of a topic; a new broker needs a moment for that."""
    begins = dict.fromkeys(range(PARTITIONS), 0)
    patiently(lambda: commit_offsets(shop.kafka, group, topic, begins), PATIENCE)


def reasons(found: Iterable[Mapping[str, Any]]) -> dict[int, tuple[str, str | None]]:
    """Customer → why."""
    return {int(e["customer"].rpartition(":")[2]): (e["reason"], e["detail"]) for e in found}


def test_each_sign_is_found(broker: str, prefix: str, tmp_path: Path) -> None:
    """What waits, is parked, was refused or never sent; and what only rests when it is paused."""
    shop, report = Shop(broker, prefix, "klaviyo"), tmp_path / "drift.jsonl"

    async def story() -> list[dict[int, tuple[str, str | None]]]:
        async with shop:
            names = shop.names
            begin(shop, names.deliver_group("klaviyo"), names.deliveries("klaviyo"))
            begin(shop, names.derive_group, names.events("ordergroove"))
            shop.write({key(n): row(n) for n in range(AGREES)})
            tell(shop)
            first = await shop.found(report)
            await shop.run("connections", "pause", "klaviyo")
            second = await shop.found(report)
            return [reasons(first[1]), reasons(second[1])]

    first, paused = asyncio.run(story())

    assert WANTED == first
    assert WANTED | {WAITS: ("paused", "live"), LOW: ("paused", "low lane")} == paused
