"""What Kafka holds of one customer: the records of its partition under its key, nothing else.

A partition is read from its beginning, so this takes as long as that does; of what is read only the
customer's own records are kept. It disturbs nobody: no group, no commit.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

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

_SOME: Final = 100
"""Offsets among which the first record is looked for at once."""


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


def kept_since(kafka: KafkaSettings, topic: str, key: bytes) -> int:
    """Since when (epoch ms) all records are there of a customer's partition; 0: none ever went.

    Errors as above.
    """
    every = whole(kafka, topic)
    partition = partition_of(key, len(every.ends))
    first, end = every.starts[partition], every.ends[partition]
    if first == 0:
        return 0
    found: list[int] = []
    while not found and first < end:  # an offset need not be a record
        until = min(first + _SOME, end)
        some = every._replace(starts={partition: first}, ends={partition: until})
        look_through(kafka, some, lambda message: found.append(message.timestamp()[1]))
        first = until
    return found[0] if found else int(time.time() * 1_000)


def _partition(
    kafka: KafkaSettings, topic: str, key: bytes, note: Callable[[Message], None]
) -> None:
    every = whole(kafka, topic)
    partition = partition_of(key, len(every.ends))
    ends = {partition: every.ends[partition]}
    look_through(kafka, every._replace(ends=ends), note)
