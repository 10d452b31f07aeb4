"""One row of a table, looked up in its changelog by somebody who owns no partition of it.

Slow by nature: the whole partition of the key is read. It disturbs nobody: no group, no commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.engine.admin import partition_count
from streams.engine.partitioning import partition_of
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["look_up"]

_SILENCE_SECONDS = 30.0


def look_up(kafka: KafkaSettings, changelog: str, key: bytes) -> bytes | None:
    """Return the newest committed row of a key, None where it has none or it was deleted.

    Rows of a transaction that is open when it is asked do not count.

    Raises:
        ConfigurationError: the changelog does not exist.
        KafkaException: the broker does not answer.
    """
    partition = partition_of(key, partition_count(kafka, changelog))
    row = None
    for message in _committed(kafka, changelog, partition):
        if message.key() == key:
            row = message.value()
    return row


def _committed(kafka: KafkaSettings, topic: str, partition: int) -> Iterator[Message]:
    """Yield what a partition holds, up to its last stable offset now."""
    watermarks = Watermarks(kafka, topic)
    end = watermarks.stable([partition])[partition]
    position = watermarks.first([partition])[partition]
    reader = Consumer(kafka.reader(isolation="read_committed"))
    try:
        reader.assign([TopicPartition(topic, partition, position)])
        while position < end:
            message = reader.poll(_SILENCE_SECONDS)
            if message is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its name
            error = message.error()
            if error is None:
                yield message
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                raise KafkaException(error)
            position = (message.offset() or 0) + (error is None)
    finally:
        reader.close()
