"""What a restart reads back from the outcomes topic: `streams.delivery.recall` on a real broker."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

from streams.delivery.pending import Recalled
from streams.delivery.recall import MARGIN_MS, Recall
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.batch import Position
from streams.engine.kafka import KafkaSettings
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.delivery.ledger import Memory

NOW = int(time.time() * 1_000)
HOUR = 3_600_000


class Topics:
    """The two topics of a test, with two partitions each."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.deliveries, self.outcomes = f"{prefix}.deliveries", f"{prefix}.outcomes"
        specs = [
            TopicSpec(name=name, partitions=2, replication=1)
            for name in (self.deliveries, self.outcomes)
        ]
        create_topics(self.kafka, specs)
        self._producer = Producer(self.kafka.producer())

    def deliver(self, partition: int = 0, at: int = NOW) -> None:
        """Append a delivery record."""
        self._producer.produce(self.deliveries, b"value", b"key", partition, timestamp=at)
        assert self._producer.flush(30) == 0

    def conclude(self, offset: int, at: int = NOW, **fields: Any) -> None:
        """Append the outcome of the delivery at this offset of partition 0."""
        connection = fields.pop("connection", "conn")
        outcome = {
            "delivery_id": f"d{offset}",
            "part": "event",
            "topic": self.deliveries,
            "offset": offset,
            "final": True,
            "outcome": "delivered",
        } | fields
        self._producer.produce(
            self.outcomes,
            json.dumps(outcome).encode(),
            b"key",
            0,
            headers=[("connection", connection.encode())],
            timestamp=at,
        )
        assert self._producer.flush(30) == 0

    def recall(
        self, positions: Mapping[int, Position], parked: Mapping[int, set[int]] | None = None
    ) -> dict[int, Memory]:
        """What a connection recalls that starts from these positions."""
        recall = Recall(
            self.kafka,
            connection="conn",
            deliveries=self.deliveries,
            outcomes=self.outcomes,
            decode=json.loads,
        )
        return recall(positions, lambda: set(positions), parked or {p: set() for p in positions})


@pytest.fixture
def topics(broker: str, prefix: str) -> Topics:
    """Topics of this test alone."""
    return Topics(broker, prefix)


def test_only_what_matters_is_recalled(topics: Topics) -> None:
    """Final outcomes of this connection's deliveries at or beyond the position, by offset."""
    topics.conclude(4)
    topics.conclude(5)
    topics.conclude(6, final=False)
    topics.conclude(6, connection="other")
    topics.conclude(6, topic="another")
    topics.conclude(7)
    topics.conclude(7, part="profile", outcome="rejected")
    position = Position(5, "outcomes=0")
    memory = topics.recall({0: position})[0]

    assert (position, 7) == (memory.position, memory.outcomes_end)
    assert {
        5: (Recalled("d5", "event", 1, Outcome.DELIVERED),),
        7: (
            Recalled("d7", "event", 5, Outcome.DELIVERED),
            Recalled("d7", "profile", 6, Outcome.REJECTED),
        ),
    } == memory.recalled


def test_what_is_parked_is_recalled_although_the_offset_has_passed_it(topics: Topics) -> None:
    """Its outcome may have been the last thing that an earlier run wrote."""
    for offset in (3, 4, 9):
        topics.conclude(offset)

    memory = topics.recall({0: Position(5, "outcomes=0")}, {0: {3}})[0]

    assert [3, 9] == list(memory.recalled)


def test_what_was_committed_says_where_to_begin(topics: Topics) -> None:
    """Nothing before the committed offset of the outcomes topic is read."""
    for offset in range(5):
        topics.conclude(offset)

    memory = topics.recall({0: Position(0, "outcomes=3")})[0]

    assert [3, 4] == list(memory.recalled)


@pytest.mark.parametrize("metadata", ["outcomes=900", "something else"])
def test_an_offset_that_cannot_be_loses_nothing(topics: Topics, metadata: str) -> None:
    """A topic made anew, or metadata that is not ours: everything that may matter is read."""
    for offset in range(3):
        topics.deliver()
        topics.conclude(offset)

    memory = topics.recall({0: Position(1, metadata)})[0]

    assert [1, 2] == list(memory.recalled)


def test_without_metadata_the_records_time_decides(topics: Topics) -> None:
    """Outcomes are read from ten minutes before the record at the position was written."""
    topics.deliver(at=NOW - 2 * HOUR)
    topics.deliver(at=NOW - HOUR)
    for minutes in (120, 80, 69, 30):
        topics.conclude(1, at=NOW - minutes * 60_000, part=f"{minutes} minutes ago")
    memory = topics.recall({0: Position(1)})[0]

    assert MARGIN_MS == 600_000
    assert ["69 minutes ago", "30 minutes ago"] == [each.part for each in memory.recalled[1]]


def test_a_group_at_the_end_begins_at_the_end(topics: Topics) -> None:
    """Where no record waits, nothing was concluded; the end of the outcomes is remembered."""
    topics.deliver()
    topics.conclude(0)
    memories = topics.recall({0: Position(1), 1: Position(0)})

    assert [({}, 1), ({}, 0)] == [(memories[p].recalled, memories[p].outcomes_end) for p in (0, 1)]


def test_a_partition_that_is_gone_is_left_out(topics: Topics) -> None:
    """A rebalance in between ends the reading."""
    topics.conclude(0)
    recall = Recall(
        topics.kafka,
        connection="conn",
        deliveries=topics.deliveries,
        outcomes=topics.outcomes,
        decode=json.loads,
    )
    positions = {0: Position(0, "outcomes=0"), 1: Position(0, "outcomes=0")}

    assert [1] == list(recall(positions, lambda: {1}, {p: set() for p in positions}))
