"""A group's committed offsets, read and written from outside the group."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.engine.batch import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.engine.kafka import KafkaSettings

__all__ = ["GroupOffsets", "commit_offsets", "committed_positions"]

_CALL_SECONDS = 5.0


class GroupOffsets:
    """Reads a group's positions in one topic, over one connection."""

    def __init__(self, kafka: KafkaSettings, group: str, topic: str) -> None:
        self._observer = Consumer(kafka.observer(group))
        self._topic = topic

    def positions(self, partitions: Iterable[int]) -> dict[int, Position | None]:
        """Return what `committed_positions` returns; raises what it raises."""
        asked = [TopicPartition(self._topic, p) for p in sorted(partitions)]
        if not asked:
            return {}
        places = self._observer.committed(asked, _CALL_SECONDS)
        for place in places:
            if place.error is not None:
                raise KafkaException(place.error)
        return {each.partition: _position(each) for each in places}

    def close(self) -> None:
        """Let go of the connection."""
        self._observer.close()


def committed_positions(
    kafka: KafkaSettings, group: str, topic: str, partitions: Iterable[int]
) -> dict[int, Position | None]:
    """Return the group's position in each partition, None where it has none.

    Positions that a transaction holds are waited for, up to a few seconds.

    Raises:
        KafkaException: the broker does not answer, or the transaction lasts.
    """
    asked = list(partitions)
    if not asked:
        return {}
    with closing(GroupOffsets(kafka, group, topic)) as offsets:
        return offsets.positions(asked)


def _position(place: TopicPartition) -> Position | None:
    return Position(place.offset, place.metadata or "") if place.offset >= 0 else None


def commit_offsets(
    kafka: KafkaSettings, group: str, topic: str, offsets: Mapping[int, int]
) -> None:
    """Commit offsets for a group that has no members.

    Raises:
        KafkaException: the group has members (`UNKNOWN_MEMBER_ID`), or the broker does not answer.
    """
    observer = Consumer(kafka.observer(group))
    try:
        places = [TopicPartition(topic, p, offset) for p, offset in offsets.items()]
        observer.commit(offsets=places, asynchronous=False)
    finally:
        observer.close()
