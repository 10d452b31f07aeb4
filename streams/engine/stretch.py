"""A stretch of a topic, read once by somebody outside any group: no lane, no commit, no position.

Records are what is handed over, not offsets: a topic that is written in transactions has markers
too, and what was aborted or is still open is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.engine.admin import partition_count
from streams.engine.restore import replay, restore
from streams.engine.statistics import LaneStatistics, RestoreProgress
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["Stretch", "look_through", "newest", "whole"]

_AHEAD_KIB = 8 << 10
"""What is fetched ahead of the reader, which may stand beside workers on a small machine."""


class Stretch(NamedTuple):
    """A topic's offsets, by partition, from `starts` up to, but not including, `ends`."""

    topic: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]

    @property
    def offsets(self) -> int:
        """How many they are, markers included."""
        return sum(max(0, end - self.starts[p]) for p, end in self.ends.items() if p in self.starts)


def whole(kafka: KafkaSettings, topic: str) -> Stretch:
    """All that a topic holds now and that is committed.

    Raises:
        ConfigurationError: it does not exist.
        KafkaException: the broker does not answer.
    """
    partitions = range(partition_count(kafka, topic))
    watermarks = Watermarks(kafka, topic)
    return Stretch(topic, watermarks.first(partitions), watermarks.stable(partitions))


def look_through(kafka: KafkaSettings, stretch: Stretch, note: Callable[[Message], object]) -> None:
    """Hand over the committed records of a stretch, those of one partition in order.

    No more than one fetch is in memory. What `note` raises ends the reading.

    Raises:
        KafkaException: the broker does not answer.
    """
    topic, starts, ends = stretch
    spans = {
        p: RestoreProgress(starts[p], starts[p], end)
        for p, end in ends.items()
        if p in starts and starts[p] < end
    }

    def take(partition: int, messages: Sequence[Message], _position: int) -> None:
        for message in messages:
            if (message.offset() or 0) < ends[partition]:
                note(message)

    replay(kafka, topic, spans, spans.keys, LaneStatistics(), take, ahead_kib=_AHEAD_KIB)


def newest(kafka: KafkaSettings, topic: str) -> dict[bytes, bytes]:
    """The newest value of each key of a compacted topic now, of keys that were not deleted.

    Raises:
        ConfigurationError: there is no such topic.
        KafkaException: the broker does not answer.
    """
    partitions = frozenset(range(partition_count(kafka, topic)))
    tables = restore(kafka, topic, partitions, lambda: partitions, LaneStatistics())
    return {key: value for table in tables.values() for key, value in table.items()}
