"""A registry beside a real broker: our records by registered ids, others' records by theirs."""

from __future__ import annotations

from signal import SIGTERM
from typing import TYPE_CHECKING

import msgspec
import pytest

from streams.avro import codec
from streams.model.ids import customer_key
from tests.support.delivery_world import shop_event
from tests.support.engine_world import until
from tests.support.registry import OURS, field_of, variant
from tests.support.registry_server import FIRST_ID
from tests.support.registry_world import PARTITIONS, SOURCE, RegistryWorld, body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUSTOMERS = [f"c{number}" for number in range(3 * PARTITIONS)]
OTHERS = variant(SOURCE, lambda it: field_of(it, "created").update(doc="In their words."))
NEWER = variant(
    SOURCE,
    lambda it: it["fields"].insert(2, {"name": "shelf", "type": ["null", "long"], "default": None}),
)
"""A record of a program that is newer than ours, or of somebody else."""


@pytest.fixture
def world(broker: str, prefix: str, tmp_path: Path) -> Iterator[RegistryWorld]:
    """Topics, and a registry that is on and holds nothing."""
    with RegistryWorld(broker, prefix, tmp_path) as world:
        yield world


def test_our_records_go_by_registered_ids(world: RegistryWorld) -> None:
    """From `produce` to the delivery topic: framed with the registry's ids, not with our files'."""
    world.register()
    produced = world.run("produce", "ordergroove", given=b"\n".join(map(body, CUSTOMERS)) + b"\nno")
    world.start()
    world.until_committed(len(CUSTOMERS))
    topics = {
        SOURCE: world.names.events("ordergroove"),
        "events/enriched": world.names.deliveries("klaviyo"),
        "dead_letter": world.names.dead_letters("ordergroove"),
    }
    found = {
        name: {int.from_bytes(value[:5], "big") for value in world.values(topic)}
        for name, topic in topics.items()
    }

    assert 0 == produced.returncode
    assert [[OURS.texts[name]] for name in topics] == [
        [world.server.text(number) for number in numbers] for numbers in found.values()
    ]
    assert FIRST_ID <= min(map(min, found.values()))
    assert sorted(CUSTOMERS) == world.told()


def test_a_record_waits_for_its_schema(world: RegistryWorld) -> None:
    """Registered meanwhile: what was before it is committed, it waits, then it is told."""
    world.register()
    worker = world.start()
    world.feed(world.server.register("others-value", OTHERS), OTHERS, *CUSTOMERS)
    world.until_committed(len(CUSTOMERS))
    number = world.server.next_id
    world.feed(number, NEWER, "late")
    until(lambda: worker.is_told(f"does not know {number} yet"), "it says what it waits for")
    waits, committed = worker.waits("unknown"), world.committed()
    world.server.register("others-value", NEWER)
    world.until_committed(len(world.fed))
    worker.until_ready()

    assert (1, len(CUSTOMERS)) == (waits, committed)
    assert sorted(world.fed) == world.told()
    assert [] == world.letters()
    assert 0 == worker.waits("unknown")


def test_a_registry_that_is_away_is_waited_for(world: RegistryWorld) -> None:
    """Unready, nothing committed, and a second worker takes its share; then all goes on, once."""
    world.register()
    number = world.server.register("others-value", NEWER)
    first = world.start()
    first.until_ready()
    world.server.switch_off()
    world.feed(number, NEWER, *CUSTOMERS)
    away = "the schema registry is away: Connection refused"
    until(lambda: first.is_told(away), "it says that the registry is away")
    waits, committed = first.waits("away"), world.committed()
    world.server.switch_on()  # a worker needs it to start
    world.server.instead = (503, b"busy")
    second = world.start()
    until(lambda: "waits for the schema registry" in second.log, "the second waits at its start")
    began_without = second.reason()
    world.server.instead = None
    world.until_committed(len(CUSTOMERS))
    first.until_ready()
    second.until_ready()

    said = "waits for the schema registry or the broker"
    assert (1, 0, said) == (waits, committed, began_without)
    assert sorted(CUSTOMERS) == world.told()
    assert [] == world.letters()


def test_a_rebalance_while_the_registry_is_away(world: RegistryWorld) -> None:
    """A worker that waits gives up what is taken from it at once: nothing is lost or told twice."""
    world.register()
    number = world.server.register("others-value", NEWER)
    first, second = world.start(), world.start()
    first.until_ready()
    second.until_ready()
    world.server.instead = (401, {"error_code": 401, "message": "Unauthorized"})
    world.feed(number, NEWER, *CUSTOMERS)
    refused = "it refuses our credentials: HTTP 401"
    until(lambda: first.is_told(refused) and second.is_told(refused), "both wait")
    first.process.send_signal(SIGTERM)
    code = first.process.wait(30)
    third = world.start()
    until(lambda: "it refuses our credentials" in third.log, "the third waits too")
    committed = world.committed()
    world.server.instead = None
    world.until_committed(len(CUSTOMERS))

    assert (0, 0) == (code, committed)
    assert sorted(CUSTOMERS) == world.told()
    assert [] == world.letters()


def test_a_worker_joins_while_another_waits(world: RegistryWorld) -> None:
    """What is taken from a worker that waits is given up, and the other waits for it instead."""
    world.register()
    number = world.server.register("others-value", NEWER)
    first = world.start()
    first.until_ready()
    world.server.instead_of_ids = (500, {"error_code": 50001})
    world.feed(number, NEWER, *CUSTOMERS)
    away = "the schema registry is away: it answers HTTP 500"
    until(lambda: first.is_told(away), "the first waits")
    second = world.start()
    until(lambda: second.is_told(away), "the second has a share, and waits")
    committed = world.committed()
    world.server.instead_of_ids = None
    world.until_committed(len(CUSTOMERS))

    assert 0 == committed
    assert sorted(CUSTOMERS) == world.told()
    assert [] == world.letters()


def test_a_connection_waits_too(world: RegistryWorld) -> None:
    """Deliver commits nothing while the registry is away, and gives nothing up."""
    world.register()
    worker = world.start("deliver", "klaviyo")
    worker.until_ready()
    number = world.server.register(
        "others-value", variant("events/enriched", lambda it: it.update(doc="In their words."))
    )
    world.server.switch_off()
    event = shop_event("c1", 1)
    value = codec("events/enriched").encode(msgspec.to_builtins(event))
    key = customer_key(event.merchant, event.customer_id)
    world.append(world.names.deliveries("klaviyo"), key, number.to_bytes(5, "big") + value[5:])
    until(lambda: worker.is_told("the schema registry is away"), "it waits")
    committed = world.committed("klaviyo")
    world.server.switch_on()
    until(lambda: world.committed("klaviyo") == 1, "the delivery is committed")
    worker.until_ready()
    outcomes = world.read(world.names.outcomes, "outcome")

    assert 0 == committed
    assert [(event.event_id, "filtered", "shadow")] == [
        (each["event_id"], each["outcome"], each["reason"]) for each in outcomes
    ]


def test_after_patience_it_is_a_dead_letter(broker: str, prefix: str, tmp_path: Path) -> None:
    """With the reason and the id; the records around it flow, and nothing waits a second time."""
    with RegistryWorld(broker, prefix, tmp_path, patience="500ms") as world:
        world.register()
        number = world.server.register("others-value", OTHERS)
        worker = world.start()
        worker.until_ready()
        world.feed(number, OTHERS, *CUSTOMERS)
        world.feed(99_999, NEWER, "nobody", "neither")
        world.feed(number, OTHERS, "after")
        world.until_committed(len(world.fed))
        worker.until_ready()

        assert [("unknown_schema", "the registry has no schema 99999")] * 2 == world.letters()
        assert sorted([*CUSTOMERS, "after"]) == world.told()


def test_what_is_no_avro_is_a_dead_letter(world: RegistryWorld) -> None:
    """An id of another kind of schema is known, so nobody waits; nor does its record break us."""
    world.register()
    number = world.server.register("others-value", 'syntax = "proto3";', "PROTOBUF")
    world.start()
    world.feed(number, OTHERS, "somebody")
    world.until_committed(1)

    assert [("unknown_schema", f"schema {number} is not Avro but PROTOBUF")] == world.letters()


def test_unregistered_schemas_stop_a_worker_before_it_begins(world: RegistryWorld) -> None:
    """Exit 2, with the subjects and the command that registers them."""
    worker = world.start()
    code = worker.process.wait(60)
    subject = f"{world.names.deliveries('klaviyo')}-value"

    assert 2 == code
    assert subject in worker.log
    assert "streams schemas register" in worker.log
