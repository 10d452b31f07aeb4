"""The worker as a process: health pages, signals, exit codes; and the plain producer."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import signal
import urllib.error
import urllib.request
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.engine.producer import RecordProducer
from tests.support.engine_world import Worker, World, until

if TYPE_CHECKING:
    from pathlib import Path

    from streams.engine.kafka import KafkaSettings


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(broker, prefix).create()


def impatient(world: World) -> KafkaSettings:
    """Return settings with which a producer soon believes that a topic does not exist."""
    extra = {"topic.metadata.propagation.max.ms": "100"}
    return dataclasses.replace(world.kafka, extra=extra)


def page(address: str) -> tuple[int, bytes]:
    """Return a page's status and body."""
    try:
        with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own worker
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def is_ready(address: str) -> bool:
    """Whether the worker says that it is ready."""
    return page(f"{address}/readyz")[0] == 200


def shares(admin: AdminClient, group: str) -> list[int]:
    """Return how many partitions each member of the group has."""
    members = admin.describe_consumer_groups([group])[group].result(30).members
    return [len(member.assignment.topic_partitions) for member in members]


def test_health_signals_and_a_clean_stop(world: World, tmp_path: Path) -> None:
    """Alive from the start, ready once restored; SIGUSR2 does nothing; SIGTERM ends it with 0."""
    with Worker(world, "w", log=tmp_path) as worker:
        address = worker.web()
        alive = page(f"{address}/livez")
        until(partial(is_ready, address), "it is ready")
        metrics = page(f"{address}/metrics")
        worker.send(signal.SIGUSR2)
        world.feed(world.counted(keys=10, each=10))
        world.until_all_committed()
        worker.send(signal.SIGTERM)
        code = worker.ended()
        log = worker.log

    assert (200, True) == (alive[0], json.loads(alive[1])["alive"])
    assert (200, b"streams_engine_test 1.0\n") == (metrics[0], metrics[1].splitlines(True)[-1])
    assert 0 == code
    assert "SIGUSR2 is ignored" in log
    assert world.truth() == world.outputs()


def test_a_worker_beyond_the_partitions_is_ready(world: World, tmp_path: Path) -> None:
    """Owning nothing is ready: five members of the group, four partitions."""
    instances = ["a", "b", "c", "d", "e"]
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(world, name, log=tmp_path)) for name in instances]
        addresses = [worker.web() for worker in workers]
        admin = AdminClient(world.kafka.client())
        until(lambda: [0, 1, 1, 1, 1] == sorted(shares(admin, world.prefix)), "each has its share")
        until(lambda: all(is_ready(address) for address in addresses), "all are ready")
        still = sorted(shares(admin, world.prefix))

    assert [0, 1, 1, 1, 1] == still


def test_poison_ends_the_process(world: World, tmp_path: Path) -> None:
    """Poison: exit code 70 and a reason that names topic, place and error, not the record."""
    world.feed([(b"jane@shop-demo.io", b"poison")])
    with Worker(world, "w", log=tmp_path) as worker:
        code = worker.ended()

    assert 70 == code
    assert "failed 3 times in a row from offset 0 without progress: offset 0: Poison" in worker.log
    assert "jane" not in worker.log
    assert {} == world.outputs()


def test_missing_offsets_end_the_process(broker: str, prefix: str, tmp_path: Path) -> None:
    """Without a committed offset a worker does not begin anywhere: 70, and how to go on."""
    world = World(broker, prefix).create(start=False)
    with Worker(world, "w", log=tmp_path) as worker:
        code = worker.ended()

    assert 70 == code
    assert "has no offset for" in worker.log
    assert "--reset-offsets" in worker.log


def test_producer_tells_where_each_record_is(world: World) -> None:
    """Receipts name partition and offset; a refused record raises for its own future only."""

    async def scenario() -> tuple[list[tuple[int, int]], BaseException | None]:
        producer = RecordProducer(impatient(world))
        sent = [producer.send(world.out, b"k", b"%d" % n, [("h", b"v")]) for n in range(3)]
        receipts = await asyncio.gather(*sent)
        lost = producer.send("no-such-topic", b"k", b"v")
        (error,) = await asyncio.gather(lost, return_exceptions=True)
        await asyncio.to_thread(producer.close)
        return receipts, error if isinstance(error, BaseException) else None

    receipts, error = asyncio.run(scenario())
    (place,) = {partition for partition, _ in receipts}

    assert [0, 1, 2] == [offset for _, offset in receipts]
    assert isinstance(error, KafkaException)
    assert [(place, [("h", b"v")])] * 3 == [
        (m.partition(), m.headers()) for m in world.read(world.out)
    ]


def test_producer_without_a_loop_tells_refusals_at_the_flush(world: World) -> None:
    """`produce` needs no event loop; `flush` raises what was refused, and then is clean again."""
    producer = RecordProducer(impatient(world))
    producer.produce(world.out, b"k", b"1")
    producer.flush()
    producer.produce("no-such-topic", b"k", b"2")
    with pytest.raises(KafkaException) as refused:
        producer.flush()
    producer.flush()
    producer.close()

    assert refused.value.args[0].code() in {
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
    assert [b"1"] == [m.value() for m in world.read(world.out)]
