"""The low lane's consumer: assigned by hand, in a thread of its own, called from the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

Answer = TypeVar("Answer")

_ASK_SECONDS: Final = 10.0
_AHEAD: Final = {"queued.min.messages": 1_000, "queued.max.messages.kbytes": 4 << 10}
"""Fetched ahead at most: live work has the memory, and the broker's attention."""


class LowReader:
    """Reads one topic (`low_lane.LowSource`). All calls to the client are made in one thread."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        """Prepare; nothing is opened before the first partition comes."""
        self._kafka = kafka
        self._topic = topic
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="low-lane")
        self._consumer: Consumer | None = None

    async def assign(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from these offsets, or from the first that is still there."""
        await self._call(lambda: self._assign(dict(positions)))

    async def read(self, count: int, seconds: float) -> Sequence[Message]:
        """See `LowSource`; raises `KafkaException`."""
        return await self._call(lambda: self._read(count, seconds))

    async def close(self) -> None:
        """Close the client, in its thread; a read that is under way ends first."""
        if self._consumer is not None:
            self._thread.submit(self._consumer.close)
        self._thread.shutdown(wait=False)

    async def _call(self, call: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _assign(self, positions: Mapping[int, int]) -> None:
        if self._consumer is None:
            reader = self._kafka.reader(isolation="read_committed")
            self._consumer = Consumer(reader | _AHEAD)
        places = [self._held(p, offset) for p, offset in sorted(positions.items())]
        self._consumer.assign(places)

    def _held(self, partition: int, offset: int) -> TopicPartition:
        """The place itself; beyond what is held (the topic was made anew), its beginning."""
        if self._consumer is None:
            raise RuntimeError("assigned before it was opened")
        place = TopicPartition(self._topic, partition, offset)
        bounds = self._consumer.get_watermark_offsets(place, timeout=_ASK_SECONDS)
        if bounds is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its public name
        if not bounds[0] <= offset <= bounds[1]:
            place.offset = bounds[0]
        return place

    def _read(self, count: int, seconds: float) -> list[Message]:
        if self._consumer is None:
            return []
        found = []
        for message in self._consumer.consume(count, seconds):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - as above
                raise KafkaException(error)
        return found
