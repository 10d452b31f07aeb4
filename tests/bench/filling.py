"""Topics filled with records that are encoded already, as fast as the broker takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, Producer

from streams.engine.kafka import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka import KafkaError, Message

__all__ = ["ANYWHERE", "NOW", "fill"]

ANYWHERE, NOW = -1, 0
"""A partition by the key, and a timestamp by the clock."""
_ROOM_SECONDS = 0.05
_FLUSH_SECONDS = 600.0
_PROPERTIES = {
    "queue.buffering.max.kbytes": 128 << 10,
    "delivery.report.only.error": True,
    "log_level": 2,  # new partitions that are still looking for leaders are no news
}


def fill(bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes, int, int]]) -> int:
    """Produce records; return their bytes.

    Args:
        bootstrap: the broker.
        topic: takes them.
        records: key, value, partition (or `ANYWHERE`), epoch milliseconds (or `NOW`).

    Raises:
        KafkaException: the broker refused some, or does not answer.
    """
    refused: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            refused.append(error)

    properties = KafkaSettings(bootstrap=bootstrap).producer() | _PROPERTIES
    producer, size = Producer(properties | {"on_delivery": report}), 0
    for key, value, partition, timestamp in records:
        size += len(key) + len(value)
        while True:
            try:
                producer.produce(topic, value, key, partition, timestamp=timestamp)
            except BufferError:
                producer.poll(_ROOM_SECONDS)
            else:
                break
        producer.poll(0)
    left = producer.flush(_FLUSH_SECONDS)
    if refused or left:
        raise KafkaException(f"{len(refused) + left} records not written to {topic}: {refused[:1]}")
    return size
