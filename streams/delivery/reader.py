"""Stretches of partitions, read outside any group: here and in `low_reader` is Kafka's client.

What delivery consumes comes through the engine's lane, what it produces goes through the engine's
producer; this is for looking back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from types import TracebackType

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["KafkaException", "PartitionReader", "Stretch", "is_fatal"]

_ASK_SECONDS: Final = 10.0
_FETCH: Final = 5_000
_FETCH_SECONDS: Final = 0.1


class Stretch(NamedTuple):
    """Offsets from `start` up to, but not including, `end`."""

    start: int
    end: int


class PartitionReader:
    """A consumer that assigns itself; a context manager. Its methods raise `KafkaException`."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._consumer = Consumer(kafka.reader(isolation="read_uncommitted"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def held(self, topic: str, partition: int) -> Stretch:
        """What the partition holds now."""
        place = TopicPartition(topic, partition)
        bounds = self._consumer.get_watermark_offsets(place, timeout=_ASK_SECONDS)
        if bounds is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its public name
        return Stretch(*bounds)

    def times(self, topic: str, starts: Mapping[int, int]) -> dict[int, int]:
        """The record time (epoch ms) of the first record at or beyond each offset, if any."""
        stretches = {p: Stretch(start, self.held(topic, p).end) for p, start in starts.items()}
        found: dict[int, int] = {}

        def unseen() -> AbstractSet[int]:
            return stretches.keys() - found.keys()

        for message in self.read(topic, stretches, unseen):
            found.setdefault(message.partition() or 0, message.timestamp()[1])
        return found

    def since(self, topic: str, times: Mapping[int, int]) -> dict[int, int]:
        """The offset of the first record not older than each time (epoch ms), if any."""
        places = [TopicPartition(topic, p, max(0, at)) for p, at in times.items()]
        found = self._consumer.offsets_for_times(places, timeout=_ASK_SECONDS) if places else []
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        return {place.partition: place.offset for place in found if place.offset >= 0}

    def read(
        self,
        topic: str,
        stretches: Mapping[int, Stretch],
        alive: Callable[[], AbstractSet[int]],
    ) -> Iterator[Message]:
        """Read the stretches, those of one partition in order, as long as they are alive."""
        waiting = {p for p, stretch in stretches.items() if stretch.start < stretch.end}
        if waiting:
            # explicit offsets: looking up a logical one costs half a second
            self._consumer.assign([TopicPartition(topic, p, stretches[p].start) for p in waiting])
        while waiting := waiting & alive():
            for message in self._consumer.consume(_FETCH, _FETCH_SECONDS):
                partition, next_offset = message.partition() or 0, _next(message)
                end = stretches[partition].end
                if message.error() is None and next_offset <= end:
                    yield message
                if next_offset >= end:
                    waiting.discard(partition)
        self._consumer.unassign()


def _next(message: Message) -> int:
    """The offset behind a record, or the partition's end where that is what was reached."""
    error, offset = message.error(), message.offset() or 0
    if error is None:
        return offset + 1
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - as above
        return offset
    raise KafkaException(error)


def is_fatal(error: BaseException) -> bool:
    """Whether the client that raised it is beyond help, or the error is none of Kafka's at all."""
    if isinstance(error, KafkaException):
        return isinstance(error.args[0], KafkaError) and error.args[0].fatal()
    return not isinstance(error, BufferError)
