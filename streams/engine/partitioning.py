"""Key → partition, as the Java clients do it, and the check that a topic is keyed so.

State, order and joins rest on one customer being in one partition. librdkafka computes the
partition itself (`partitioner=murmur2_random`); this is for looking at records already there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.engine.admin import partition_count
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["check_keys", "murmur2", "partition_of"]

_SAMPLE = 20
_READ_SECONDS = 5.0
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C
_WORD = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return Kafka's 32-bit MurmurHash2 of a key, unsigned (`Utils.murmur2` of the Java client)."""
    value = _SEED ^ len(key)
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ (word >> 24)) * _MULTIPLIER & _WORD
        value = (value * _MULTIPLIER & _WORD) ^ word
    if len(key) > whole:
        value = (value ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _WORD
    value = (value ^ (value >> 13)) * _MULTIPLIER & _WORD
    return value ^ (value >> 15)


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition in which the Java clients' default partitioner puts a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def check_keys(kafka: KafkaSettings, topic: str) -> None:
    """Check a sample of the topic's newest records: each must be where its key belongs.

    Records without a key are not judged.

    Raises:
        ConfigurationError: the topic is keyed in another way, or does not exist.
        KafkaException: the broker does not answer.
    """
    partitions = partition_count(kafka, topic)
    keyed = [(m.partition(), m.key()) for m in _sample(kafka, topic, partitions)]
    placed = [(where, key) for where, key in keyed if isinstance(key, bytes)]
    strangers = sum(where != partition_of(key, partitions) for where, key in placed)
    if strangers:
        raise ConfigurationError(
            f"topic {topic}",
            f"{strangers} of {len(placed)} sampled records are not in the partition of their key"
            " (murmur2, as the Java clients have it)",
            "Put the role `rekey` between this topic and the one that is read here",
        )


def _sample(kafka: KafkaSettings, topic: str, partitions: int) -> Iterator[Message]:
    """Yield the newest records of each partition."""
    ends = Watermarks(kafka, topic).stable(range(partitions))
    reader = Consumer(kafka.reader(isolation="read_committed") | {"auto.offset.reset": "earliest"})
    places = [TopicPartition(topic, p, max(0, end - _SAMPLE)) for p, end in ends.items() if end]
    unfinished = {place.partition for place in places}
    reader.assign(places)
    try:
        while unfinished:
            message = reader.poll(_READ_SECONDS)
            if message is None:
                return  # a slow broker: what was seen must do
            error = message.error()
            if error is None:
                yield message
            elif error.code() == error._PARTITION_EOF:  # noqa: SLF001 - its public name
                unfinished.discard(message.partition() or 0)
            else:
                raise KafkaException(error)
    finally:
        reader.close()
