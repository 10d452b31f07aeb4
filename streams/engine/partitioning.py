"""Key → partition, as the Java clients do it, and the check that a topic is keyed by customer.

State, order and joins rest on one customer being in one partition. librdkafka computes the
partition itself (`partitioner=murmur2_random`); this is for looking at records already there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.engine.admin import partition_count
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError
from streams.model.ids import is_nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["check_keys", "murmur2", "partition_of"]

log = logging.getLogger(__name__)

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


def nobody(value: bytes | None) -> bytes | None:  # noqa: ARG001 - it looks at nothing
    """Say of every record that its owner is not known."""
    return None


def check_keys(
    kafka: KafkaSettings,
    topic: str,
    owner_of: Callable[[bytes | None], bytes | None] = nobody,
    fix: str = "Put the role `rekey` between this topic and the one that is read here",
) -> None:
    """Check a sample of the topic's newest records: each must be where its owner's key belongs.

    One record that has the right key and lies elsewhere is enough to refuse: its owner's state
    would be in two places. Those that have another key become dead letters when they are read, so
    only many of them make a topic that is keyed otherwise. Of a record whose owner is not known
    the place must be that of its own key; if it has none, it is not judged.

    Args:
        kafka: the connection.
        topic: that is looked at.
        owner_of: a record's value → the key that it must have, None where that cannot be read. A
            `KafkaException` of it says that it cannot be asked now; then nobody's owner is known.
        fix: what to do about a topic that is keyed otherwise.

    Raises:
        ConfigurationError: the topic is keyed in another way, or does not exist.
        KafkaException: the broker does not answer.
    """
    partitions = partition_count(kafka, topic)
    judged = []
    for message in _sample(kafka, topic, partitions):
        try:
            owner = owner_of(message.value())
        except KafkaException as error:
            log.warning("%s: keys are judged by their place alone: %s", topic, error)
            owner, owner_of = None, nobody
        fault = _fault(message, owner, partitions)
        if fault is not None:
            judged.append((message, fault))
    strays = [(message, fault) for message, fault in judged if fault]
    misplaced = any(fault == _MISPLACED for _, fault in strays)
    if misplaced or len(strays) > _TOLERATED * len(judged):
        example, fault = strays[0]
        raise ConfigurationError(
            f"topic {topic}",
            f"{len(strays)} of {len(judged)} sampled records are keyed otherwise, such as the one"
            f" at [{example.partition()}] offset {example.offset()}: {fault}",
            fix,
        )


_TOLERATED = 0.2
"""The share of records with another key that derive's breaker lets pass by default."""
_MISPLACED = "not in the partition of its key (murmur2, as the Java clients have it)"
_KEYLESS = "it has no key"
_OTHER_KEY = "its key is not merchant:customer"


def _fault(message: Message, owner: bytes | None, partitions: int) -> str | None:
    """What is wrong with a record's key or place; empty: nothing, None: it cannot be judged."""
    key = message.key()
    if key and is_nobody(key):
        owner = None
    if owner is not None and key != owner:
        return _OTHER_KEY if key else _KEYLESS
    if not isinstance(key, bytes):
        return None
    return "" if message.partition() == partition_of(key, partitions) else _MISPLACED


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
