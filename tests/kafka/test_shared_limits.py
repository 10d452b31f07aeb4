"""Processes that share an account by heartbeats on a real control topic.

They are two in one process here, each with its own follower, producer and limiter. Their clock is
moved ahead, so that a minute's window passes in some seconds.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Self

import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.delivery.account import Accounts, account_name
from streams.delivery.clock import Clock
from streams.delivery.connection import Connection
from streams.delivery.heartbeats import Heartbeats
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.following import Follower
from streams.engine.kafka import KafkaSettings
from streams.engine.producer import RecordProducer
from streams.model.rules import Limit

if TYPE_CHECKING:
    from collections.abc import Callable

PARTITIONS = 3
PATIENCE = 60.0
CONNECTION = Connection(name="klaviyo", destination="klaviyo", credentials="pk_7d1c0f5e")
LIMITS = (Limit("events", 100, 1.0), Limit("events", 1_000, 60.0))
NAME = account_name(CONNECTION, b"key")


class Process:
    """What a worker has of an account, with a backlog; an async context manager."""

    def __init__(self, kafka: KafkaSettings, topic: str, backlog: int, ahead: list[float]) -> None:
        # both clocks: heartbeats of the topic are judged by their time
        clock = Clock(
            now=lambda: int((time.time() + ahead[0]) * 1_000),
            monotonic=lambda: time.monotonic() + ahead[0],
        )
        self._now = clock.monotonic
        accounts = Accounts(b"key", clock.monotonic)
        self.limiter = accounts.limiter(CONNECTION, LIMITS, lambda: backlog)
        self._producer = RecordProducer(kafka)
        self._follow = partial(Follower, kafka, topic)
        self._heartbeats = Heartbeats(accounts, topic, self._producer, clock)

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._heartbeats.serve(self._follow))
        self._working = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._serving.cancel()
        self._working.cancel()
        with suppress(asyncio.CancelledError):
            await self._serving
        self._producer.close()

    @property
    def usable(self) -> list[int]:
        """What it is granted of the second and the minute."""
        windows = self.limiter._endpoints["events"].windows
        return [each.portion.requests for each in windows]

    async def _work(self) -> None:
        while True:
            self.limiter.take("events")
            self.limiter.held_at["events"] = self._now()  # it has more than it may send
            await asyncio.sleep(0.01)


async def until(holds: Callable[[], bool], ahead: list[float], step: float = 0.0) -> None:
    """Wait until something holds; `step`: let the processes' time pass meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.02)
            ahead[0] += step


def keys_held(kafka: KafkaSettings, topic: str) -> dict[bytes, bytes | None]:
    """The last value of each key on the topic."""
    reader = Consumer(kafka.reader(isolation="read_uncommitted"))
    held: dict[bytes, bytes | None] = {}
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    ends = 0
    try:
        while ends < PARTITIONS:
            for message in reader.consume(100, 0.1):
                if message.error() is not None:
                    ends += 1
                else:
                    held[message.key() or b""] = message.value()
    finally:
        reader.close()
    return held


def test_two_processes_come_to_the_skew_of_their_load(broker: str, prefix: str) -> None:
    """Nine tenths and one; the survivor has all when the other has stopped, and leaves no key."""
    kafka, topic = KafkaSettings(bootstrap=broker), f"{prefix}.control"
    config = {"cleanup.policy": "compact"}
    spec = TopicSpec(name=topic, partitions=PARTITIONS, replication=1, config=config)
    create_topics(kafka, [spec])
    seen: list[list[int]] = []

    async def story() -> None:
        ahead = [0.0]
        async with Process(kafka, topic, 90_000, ahead) as large:
            await until(lambda: large.usable == [100, 980], ahead)
            async with Process(kafka, topic, 10_000, ahead) as small:
                begun = small.usable
                await until(lambda: large.usable[0] < 100, ahead)
                seen.extend((begun, small.usable))
                await until(lambda: min(*small.usable) > 0 and small.usable[1] > 50, ahead, 0.08)
                seen.extend((large.usable, small.usable))
            await until(lambda: large.usable == [100, 980], ahead, 0.08)

    asyncio.run(story())
    begun, soon, large, small = seen

    assert [0, 0] == begun
    assert soon[1] <= 20, "a newcomer does not use what the first one has just used"
    assert pytest.approx([90, 882], abs=20) == large
    assert pytest.approx([10, 98], abs=20) == small
    assert [None, None] == list(keys_held(kafka, topic).values())
