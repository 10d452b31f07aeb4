"""Several topics read on from where one was, outside any group: who reads keeps the positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.engine.following import is_end
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["Identity", "Place", "Records", "TopicsReader", "bounds", "identities"]

_CALL_SECONDS = 10.0
_AHEAD_KIB = 32 << 10
_TUNING = {
    "fetch.wait.max.ms": 500,
    "fetch.message.max.bytes": 2 << 20,
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": _AHEAD_KIB,
    "fetch.queue.backoff.ms": 5,
}
"""A quiet topic is asked twice a second; what comes is there at once."""

Place = tuple[str, int]
"""A topic and a partition."""


class Identity(NamedTuple):
    """What tells a topic from another one of its name that is made later; and its partitions."""

    id: str
    partitions: int


class Records(NamedTuple):
    """What a reading brought: records in order by partition, and the offsets at which some end."""

    messages: list[Message]
    ends: dict[Place, int]


class TopicsReader:
    """Reads committed records of partitions; a context manager. Methods raise `KafkaException`."""

    def __init__(self, kafka: KafkaSettings, positions: Mapping[Place, int]) -> None:
        """Begin at these offsets."""
        self._reader = Consumer(kafka.reader(isolation="read_committed") | _TUNING)
        self._reader.assign([TopicPartition(*place, at) for place, at in sorted(positions.items())])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    def read(self, most: int, seconds: float) -> Records:
        """What comes within so many seconds, at most so many records."""
        found = Records([], {})
        for each in self._reader.consume(most, seconds):
            if each.error() is None:
                found.messages.append(each)
            elif is_end(each):
                found.ends[each.topic() or "", each.partition() or 0] = each.offset() or 0
        return found

    def ending(self, place: Place) -> int:
        """The offset behind a partition's last record, as the last answer told; 0: none came."""
        known = self._reader.get_watermark_offsets(TopicPartition(*place), cached=True)
        return max(0, known[1])


def identities(kafka: KafkaSettings, topics: Iterable[str]) -> dict[str, Identity]:
    """Which topics these are.

    Raises:
        ConfigurationError: one does not exist.
        KafkaException: the broker does not answer.
    """
    admin = AdminClient(kafka.client())
    asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=_CALL_SECONDS)
    return {name: _identity(name, future.result) for name, future in asked.items()}


def _identity(name: str, described: object) -> Identity:
    try:
        topic = described()  # type: ignore[operator]
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            fix = "Run `streams topics create`"
            raise ConfigurationError(f"topic {name}", "it does not exist", fix) from None
        raise
    return Identity(str(topic.topic_id), len(topic.partitions))


def bounds(kafka: KafkaSettings, topic: str, partitions: int) -> dict[int, tuple[int, int]]:
    """Where each partition begins, and where all that is committed ends.

    Raises:
        KafkaException: the broker does not answer.
    """
    watermarks, every = Watermarks(kafka, topic), range(partitions)
    firsts, ends = watermarks.first(every), watermarks.stable(every)
    return {partition: (firsts[partition], ends[partition]) for partition in every}
