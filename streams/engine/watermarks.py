"""Where partitions begin and end, as the broker says now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from streams.engine.patience import patiently

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.engine.kafka import KafkaSettings

__all__ = ["Watermarks"]

_CALL_SECONDS = 10.0
_LOOK_SECONDS = 0.01


class Watermarks:
    """Asks for one topic's offsets, over one connection.

    All methods take partitions and return partition → offset. They raise `KafkaException` when the
    broker does not answer for some seconds.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._admin = AdminClient(kafka.client())
        self._topic = topic

    def first(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the first offset still held."""
        return self._ask(partitions, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)

    def high(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the high watermark: behind the last record, open transactions included."""
        return self._ask(partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)

    def stable(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the last stable offset: behind all that is decided."""
        return self._ask(partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)

    def decided(self, partition: int, seconds: float) -> int | None:
        """Wait until all is decided that one partition holds now, and return where it then ends.

        None: after so many seconds some transaction is still open.
        """
        high, deadline = self.high([partition])[partition], time.monotonic() + seconds
        while (end := self.stable([partition])[partition]) < high:
            if time.monotonic() > deadline:
                return None
            time.sleep(_LOOK_SECONDS)
        return end

    def since(self, partitions: Iterable[int], at: int) -> dict[int, int]:
        """Return the first offset of a record of this time or later (epoch milliseconds).

        Where there is none, the last stable offset.
        """
        asked = list(partitions)
        found = self._ask(asked, OffsetSpec.for_timestamp(at), IsolationLevel.READ_COMMITTED)
        ends = self.stable([partition for partition, offset in found.items() if offset < 0])
        return found | ends

    def _ask(
        self, partitions: Iterable[int], spec: OffsetSpec, isolation: IsolationLevel
    ) -> dict[int, int]:
        asked = {TopicPartition(self._topic, partition): spec for partition in partitions}

        def ask() -> dict[int, int]:
            self._look_up_leaders()
            answers = self._admin.list_offsets(
                asked, isolation_level=isolation, request_timeout=_CALL_SECONDS
            )
            return {place.partition: answer.result().offset for place, answer in answers.items()}

        return patiently(ask, _CALL_SECONDS) if asked else {}

    def _look_up_leaders(self) -> None:
        """Have the client know the leaders: `list_offsets` would wait 3 s for its first look."""
        topic = self._admin.list_topics(self._topic, timeout=_CALL_SECONDS).topics[self._topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        if any(part.leader < 0 for part in topic.partitions.values()):
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
