"""How work reaches Kafka: the two ways share this shape (`transactional`, `at_least_once`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from confluent_kafka import KafkaError, KafkaException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message, Producer

    from streams.engine.compute import Work
    from streams.engine.job import Headers, Output
    from streams.engine.poller import Poller

__all__ = ["OWNER_HEADER", "Publication", "Steps", "do_nothing", "flush", "send", "send_change"]

OWNER_HEADER = "streams-transactional-id"
"""On the first changelog record of each partition in a transaction: who to fence, if it is left
open (`open_transactions`)."""

_ROOM_SECONDS = 0.1

DeliveryReport = Callable[[KafkaError | None, "Message"], None]


class Publication(Protocol):
    """Publishes works; one thread calls it."""

    def attach(self, poller: Poller, changelog: str) -> None:
        """Take the lane's poller and the changelog topic; once."""

    def prepare(self) -> None:
        """Connect ahead of the first publication; raises `KafkaException` if that fails."""

    def publish(self, works: Sequence[Work]) -> Sequence[Work]:
        """Publish all works whose epoch still holds, and commit their positions; blocks.

        Returns:
            The works published.

        Raises:
            Exception: whatever it is, the works may or may not have been published; the caller
                sets back their partitions.
        """

    def close(self) -> None:
        """Let go of the producer."""


def do_nothing(step: str) -> None:
    """Ignore the step: what the seam `at` is outside tests.

    Its steps: `began`, `produced`, `flushed`, `offsets` (sent), `committed`.
    """


class Steps:
    """Measures the seconds between steps and calls the seam at each."""

    def __init__(self, seconds: dict[str, float], at: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._at = at
        self._since = time.perf_counter()

    def done(self, name: str, seam: str) -> None:
        """Count the time since the last step under `name`, then call the seam."""
        now = time.perf_counter()
        self._seconds[name] += now - self._since
        self._at(seam)
        self._since = time.perf_counter()


def send(producer: Producer, output: Output, report: DeliveryReport | None = None) -> None:
    """Queue an output; waits while the producer's queue is full."""
    topic, key, value, headers = output
    while True:
        try:
            if report is None:
                producer.produce(topic, value, key, headers=headers)
            else:
                producer.produce(topic, value, key, on_delivery=report, headers=headers)
        except BufferError:
            producer.poll(_ROOM_SECONDS)
        else:
            return


def send_change(
    producer: Producer,
    topic: str,
    partition: int,
    change: tuple[bytes, bytes | None],
    headers: Headers | None,
) -> None:
    """Queue a changelog record to the source's own partition number."""
    key, row = change
    while True:
        try:
            producer.produce(topic, row, key, partition, headers=headers)
        except BufferError:
            producer.poll(_ROOM_SECONDS)
        else:
            return


def flush(producer: Producer, seconds: float) -> None:
    """Wait until the broker has everything.

    Raises:
        KafkaException: it has not, after so many seconds.
    """
    if producer.flush(seconds):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "flush"))  # noqa: SLF001
