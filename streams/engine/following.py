"""A compacted topic as it changes: read from its beginning and on, outside any group.

A thread of its own reads; the records come on the event loop, those of one key in order.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import closing as closing_of
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.engine.admin import partition_count
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["Followed", "Follower", "is_end", "records"]

Isolation = Literal["read_committed", "read_uncommitted"]

_MOST = 1_000
_WAIT_SECONDS = 0.2
_AGAIN_SECONDS = 1.0
_TUNING = {"fetch.wait.max.ms": 500}
"""A quiet topic is asked twice a second; what comes is there at once."""
_PASSING = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT}  # noqa: SLF001 - public names

log = logging.getLogger(__name__)


class Followed(NamedTuple):
    """A record: key, value (None: a tombstone), time in epoch milliseconds."""

    key: bytes
    value: bytes | None
    at: int


class Follower:
    """Follows one topic. A broker that is away is waited for, whatever it takes."""

    def __init__(
        self, kafka: KafkaSettings, topic: str, take: Callable[[Sequence[Followed]], None]
    ) -> None:
        """Prepare.

        Args:
            kafka: the connection.
            topic: whose number of partitions does not change.
            take: gets the records, on the event loop.
        """
        self._kafka = kafka
        self._topic = topic
        self._take = take
        self._caught_up = asyncio.Event()
        self._closing = threading.Event()

    def start(self) -> None:
        """Begin; on the event loop."""
        self._loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._run, name=f"follow {self._topic}", daemon=True)
        thread.start()

    async def caught_up(self) -> None:
        """Wait until everything was handed over that was there at the start."""
        await self._caught_up.wait()

    def close(self) -> None:
        """End; nothing is handed over any more."""
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._follow()
            except (KafkaException, ConfigurationError) as error:
                log.warning("%s cannot be followed, tried again: %s", self._topic, error)
                self._closing.wait(_AGAIN_SECONDS)

    def _follow(self) -> None:
        told = False
        for messages, caught_up in records(
            self._kafka, self._topic, self._closing, isolation="read_uncommitted"
        ):
            self._hand_over(messages)
            if caught_up and not told:
                told = True
                self._on_loop(self._caught_up.set)

    def _hand_over(self, messages: Sequence[Message]) -> None:
        if messages:
            records = [
                Followed(each.key() or b"", each.value(), each.timestamp()[1]) for each in messages
            ]
            self._on_loop(lambda: None if self._closing.is_set() else self._take(records))

    def _on_loop(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(call)


def records(
    kafka: KafkaSettings,
    topic: str,
    closing: threading.Event,
    isolation: Isolation = "read_committed",
) -> Iterator[tuple[list[Message], bool]]:
    """Read a topic from its beginning and on, until `closing` is set.

    Yields what came, nothing for some time included, and whether all is known that was there when
    the reading began.

    Raises:
        ConfigurationError: there is no such topic.
        KafkaException: the reader has lost its place, or may not read; what passes by itself is
            no error.
    """
    partitions = range(partition_count(kafka, topic))
    # explicit offsets: looking up a logical one costs half a second
    starts = Watermarks(kafka, topic).first(partitions)
    behind = set(partitions)
    with closing_of(Consumer(kafka.reader(isolation=isolation) | _TUNING)) as reader:
        reader.assign([TopicPartition(topic, p, at) for p, at in starts.items()])
        while not closing.is_set():
            messages = reader.consume(_MOST, _WAIT_SECONDS)
            behind -= {each.partition() or 0 for each in messages if is_end(each)}
            yield [each for each in messages if each.error() is None], not behind


def is_end(message: Message) -> bool:
    """Whether this is the end of a partition and no record; raises for an error."""
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
        return True
    if not error.fatal() and (error.retriable() or error.code() in _PASSING):
        return False  # the client itself tries again
    raise KafkaException(error)
