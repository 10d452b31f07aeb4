"""Which owned partitions the consumer fetches, and from where.

The group's assignment says what is owned; what is fetched is up to us. A partition is fetched from
the moment when its state is loaded, from exactly the position that belongs to the state, and no
more once it is set back. (To own it paused would do too, but librdkafka may sleep for a second
before it notices that a partition was resumed.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confluent_kafka import Consumer

__all__ = ["Fetching"]


class Fetching:
    """The partitions that one consumer fetches; the poll thread only."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._partitions: set[int] = set()

    def start(self, consumer: Consumer, positions: Mapping[int, int]) -> None:
        """Fetch these from these offsets; none at all answers a rebalance that gave partitions."""
        places = [TopicPartition(self._topic, p, offset) for p, offset in positions.items()]
        consumer.incremental_assign(places)
        self._partitions.update(positions)

    def stop(self, consumer: Consumer, partitions: Collection[int]) -> None:
        """Fetch these no more; answers a rebalance that takes them, fetched or not."""
        stopped = self._partitions.intersection(partitions)
        places = [TopicPartition(self._topic, p) for p in stopped]
        if places:
            consumer.resume(places)  # a pause outlasts the assignment: it would never be fetched
        consumer.incremental_unassign(places)
        self._partitions -= stopped

    def pause(self, consumer: Consumer) -> None:
        """Fetch nothing for now, and forget what was fetched ahead."""
        consumer.pause([TopicPartition(self._topic, p) for p in self._partitions])

    def resume(self, consumer: Consumer) -> None:
        """Fetch on from where the records handed over end."""
        consumer.resume([TopicPartition(self._topic, p) for p in self._partitions])
