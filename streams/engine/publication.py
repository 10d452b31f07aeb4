"""How work reaches Kafka: the two ways share this shape (`transactional`, `at_least_once`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from confluent_kafka import KafkaError, KafkaException

from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from confluent_kafka import Message, Producer

    from streams.engine.compute import Work
    from streams.engine.job import Headers, Output
    from streams.engine.poller import Poller

__all__ = [
    "OWNER_HEADER",
    "ROOM_SECONDS",
    "Publication",
    "Steps",
    "do_nothing",
    "flush",
    "send_changes",
    "send_outputs",
]

OWNER_HEADER = "streams-transactional-id"
"""On the first changelog record of each partition in a transaction: who to fence, if it is left
open (`open_transactions`)."""

ROOM_SECONDS = 0.1
"""How long to wait at a time for room in a producer's queue."""


class Publication(Protocol):
    """Publishes works; one thread calls it.

    Attributes:
        at: the seam for tests, called at each step; see `do_nothing`.
    """

    at: Callable[[str], None]

    def attach(self, poller: Poller, changelog: str | None) -> None:
        """Take the lane's poller and the changelog topic, if there is one; once."""

    def prepare(self) -> None:
        """Connect ahead of the first publication; raises `KafkaException` if that fails."""

    def publish(self, works: Sequence[Work]) -> Sequence[Work]:
        """Publish all works whose epoch still holds, and commit their positions; blocks.

        Returns:
            The works published, with `Work.end` where it is known.

        Raises:
            Exception: whatever it is, the works may or may not have been published; the caller
                sets back their partitions.
        """

    def close(self) -> None:
        """Let go of the producer."""


def do_nothing(step: str) -> None:
    """Ignore the step: what the seam `at` is outside tests.

    Its steps: `began`, `produced`, `flushed`, `offsets` (sent), `committed` or `aborted`; of tables
    `restoring`, `restored`.
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


def send_outputs(producer: Producer, outputs: Iterable[Output]) -> None:
    """Queue records for output topics in order; waits while the producer's queue is full."""
    produce = producer.produce
    for topic, key, value, headers in outputs:
        while True:
            try:
                if headers is None:
                    produce(topic, value, key)
                else:
                    produce(topic, value, key, headers=headers)
            except BufferError:
                producer.poll(ROOM_SECONDS)
            else:
                break


def send_changes(
    producer: Producer,
    changelog: str | None,
    work: Work,
    headers: Headers | None = None,
    on_delivery: Callable[[KafkaError | None, Message], None] | None = None,
) -> None:
    """Queue a work's changelog records, to the source's own partition number.

    Args:
        producer: takes them; as above.
        changelog: the topic; None where nothing ever changes.
        work: whose changes they are.
        headers: of the first of them.
        on_delivery: told of the last of them: a report on each would cost more than the record.
    """
    if changelog is None:
        if work.changes:
            raise StreamsError("a job without a changelog put a row")
        return
    produce, partition, left = producer.produce, work.partition, len(work.changes)
    for key, row in work.changes.items():
        left -= 1
        while True:
            try:
                if headers is None and left:
                    produce(changelog, row, key, partition)
                else:
                    told = None if left else on_delivery
                    produce(changelog, row, key, partition, on_delivery=told, headers=headers)
            except BufferError:
                producer.poll(ROOM_SECONDS)
            else:
                break
        headers = None


def flush(producer: Producer, seconds: float) -> None:
    """Wait until the broker has everything.

    Raises:
        KafkaException: it has not, after so many seconds.
    """
    if producer.flush(seconds):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "flush"))  # noqa: SLF001
