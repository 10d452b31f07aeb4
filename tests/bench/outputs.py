"""What an engine wrote: read back as a committed reader sees it, and held against the truth.

Of each topic and key only a count and a digest of the values in their order are kept, so that a
comparison costs little memory however many records there are.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.engine.kafka import KafkaSettings
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confluent_kafka import Message

__all__ = ["Outputs", "differences", "fold", "read", "written"]

Outputs = dict[tuple[str, bytes], tuple[int, bytes]]
"""(topic without the run's prefix, key) → how many values, and a digest of them in order."""

SECONDS = 30.0


def fold(outputs: Outputs, topic: str, partition: int, key: bytes, value: bytes) -> None:
    """Add a record: also its partition is part of the digest."""
    count, digest = outputs.get((topic, key), (0, b""))
    added = blake2b(digest, digest_size=16)
    added.update(partition.to_bytes(4, "big"))
    added.update(value)
    outputs[topic, key] = count + 1, added.digest()


def written(bootstrap: str, prefix: str, topics: Sequence[str]) -> Outputs:
    """What is in a run's output topics."""
    outputs: Outputs = {}
    for message in read(bootstrap, topics):
        topic = (message.topic() or "").removeprefix(prefix)
        fold(outputs, topic, message.partition() or 0, message.key() or b"", message.value() or b"")
    return outputs


def differences(truth: Outputs, found: Outputs) -> list[str]:
    """How the two differ, a line for each topic that does."""
    lines = []
    for topic in sorted({topic for topic, _ in truth | found}):
        wanted = {key: each for (name, key), each in truth.items() if name == topic}
        had = {key: each for (name, key), each in found.items() if name == topic}
        wrong = [key for key in wanted | had if wanted.get(key) != had.get(key)]
        if wrong:
            lines.append(
                f"{topic}: {len(wrong)} of {len(wanted)} keys differ; records wanted "
                f"{_count(wanted)}, written {_count(had)}"
            )
    return lines


def read(bootstrap: str, topics: Sequence[str]) -> Iterator[Message]:
    """Yield every committed record of topics, each partition's in order."""
    kafka = KafkaSettings(bootstrap=bootstrap)
    consumer = Consumer(kafka.reader(isolation="read_committed") | {"fetch.wait.max.ms": 100})
    try:
        places = [
            TopicPartition(topic, partition, 0)
            for topic in topics
            for partition in _decided(kafka, topic, consumer)
        ]
        unfinished = {(place.topic, place.partition) for place in places}
        consumer.assign(places)
        while unfinished:
            messages = consumer.consume(2_000, SECONDS)
            if not messages:
                raise TimeoutError(f"nothing more of {sorted(unfinished)} in {SECONDS:.0f} s")
            for message in messages:
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == error._PARTITION_EOF:  # its public name
                    unfinished.discard((message.topic() or "", message.partition() or 0))
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()


def _decided(kafka: KafkaSettings, topic: str, consumer: Consumer) -> list[int]:
    """A topic's partitions that hold records, once no transaction is open on any.

    A commit is seen in the group's offsets a moment before it is in every output partition.
    """
    partitions = sorted(consumer.list_topics(topic, SECONDS).topics[topic].partitions)
    watermarks, deadline = Watermarks(kafka, topic), time.monotonic() + SECONDS
    while (stable := watermarks.stable(partitions)) != watermarks.high(partitions):
        if time.monotonic() > deadline:
            raise TimeoutError(f"a transaction stays open on {topic}")
        time.sleep(0.02)
    return [partition for partition, end in stable.items() if end]


def _count(values: dict[bytes, tuple[int, bytes]]) -> int:
    return sum(count for count, _ in values.values())
