"""What Kafka holds of one customer: the records of its partition under its key, nothing else.

A partition is read from its beginning, so this takes as long as that does; of what is read only the
customer's own records are kept. It disturbs nobody: no group, no commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.engine.partitioning import partition_of
from streams.engine.stretch import look_through, whole
from streams.errors import BadRecord
from streams.model.ids import synced_row
from streams.rekey import past_of
from streams.timeline.story import Came

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings


def records_of(kafka: KafkaSettings, topic: str, key: bytes) -> list[Came]:
    """A customer's records on a source topic, and the marks of its merchant's syncs, in order.

    Raises:
        ConfigurationError: there is no such topic.
        KafkaException: the broker does not answer.
    """
    mark = synced_row(key)
    found: list[Came] = []

    def note(message: Message) -> None:
        own = message.key() or b""
        if own == key or own.startswith(mark + b":"):
            at = message.timestamp()[1]
            past = past_of(message.headers(), at)
            place = f"{topic}[{message.partition()}] {message.offset()}"
            found.append(Came(place, at, past.recorded_at, past.flows_from, own, message.value()))

    _partition(kafka, topic, key, note)
    return found


def outcomes_of(
    kafka: KafkaSettings, topic: str, key: bytes, decode: Callable[[bytes], Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """A customer's outcomes, in order; arguments and errors as above.

    `decode` may raise `BadRecord`: such a record is passed over.
    """
    found: list[Mapping[str, Any]] = []

    def note(message: Message) -> None:
        if message.key() != key:
            return
        try:
            found.append(decode(message.value() or b""))
        except BadRecord:
            return

    _partition(kafka, topic, key, note)
    return found


def _partition(
    kafka: KafkaSettings, topic: str, key: bytes, note: Callable[[Message], None]
) -> None:
    every = whole(kafka, topic)
    partition = partition_of(key, len(every.ends))
    ends = {partition: every.ends[partition]}
    look_through(kafka, every._replace(ends=ends), note)
