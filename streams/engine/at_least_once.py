"""At-least-once publication: produce, flush, then commit the offsets.

For brokers without transactions. After a crash between flush and commit, records are applied again
to a state that has seen them: counts may then be too high, outputs repeated; nothing is lost.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.engine.publication import Steps, do_nothing, flush, send_changes, send_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.engine.compute import Work
    from streams.engine.kafka import KafkaSettings
    from streams.engine.poller import Poller

__all__ = ["AtLeastOnce"]

_FLUSH_SECONDS = 30.0
_COMMIT_SECONDS = 30.0
_COMMIT_TRIES = 5
_AGAIN_SECONDS = 0.2


class AtLeastOnce:
    """One idempotent producer; a flush and a commit a batch."""

    def __init__(self, kafka: KafkaSettings, *, at: Callable[[str], None] = do_nothing) -> None:
        """Prepare; nothing is connected yet.

        Args:
            kafka: the connection.
            at: called at each step; for tests.
        """
        self._kafka = kafka
        self.at = at
        self._producer: Producer | None = None
        self._refused: list[KafkaError] = []

    def attach(self, poller: Poller, changelog: str | None) -> None:
        """Take the lane's poller and the changelog topic, if there is one."""
        self._poller = poller
        self._changelog = changelog

    def prepare(self) -> None:
        """Connect."""
        self._producer = self._producer or Producer(self._properties())

    def publish(self, works: Sequence[Work]) -> Sequence[Work]:
        """Publish and commit.

        Raises:
            KafkaException: a record or the commit was refused. The producer is given up.
        """
        works = [w for w in works if self._poller.owns(w.partition, w.epoch)]
        if not works:
            return []
        try:
            return self._publish(works)
        except BaseException:
            self._producer = None
            raise

    def close(self) -> None:
        """Let go of the producer."""
        self._producer = None

    def _publish(self, works: Sequence[Work]) -> Sequence[Work]:
        producer = self._producer = self._producer or Producer(self._properties())
        steps = Steps(self._poller.statistics.seconds, self.at)
        steps.done("begin", "began")
        for work in works:
            send_changes(producer, self._changelog, work)
        for work in works:
            send_outputs(producer, work.outputs)
        steps.done("produce", "produced")
        flush(producer, _FLUSH_SECONDS)
        if self._refused:
            refused, self._refused = self._refused, []
            raise KafkaException(refused[0])
        steps.done("flush", "flushed")
        steps.done("offsets", "offsets")
        committed = self._commit(works)
        steps.done("commit", "committed")
        return [work for work in works if work.partition in committed]

    def _commit(self, works: Sequence[Work]) -> frozenset[int]:
        progress = {w.partition: (w.epoch, w.position) for w in works}
        for attempt in range(1, _COMMIT_TRIES + 1):
            try:
                return self._poller.commit(progress).result(_COMMIT_SECONDS)
            except KafkaException:  # a rebalance goes on: what is still owned after it, again
                if attempt == _COMMIT_TRIES:
                    raise
            time.sleep(_AGAIN_SECONDS)
        return frozenset()

    def _properties(self) -> dict[str, object]:
        def report(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                self._refused.append(error)

        # reports of failures only: a callback for each record would cost more than the record
        return self._kafka.producer() | {
            "delivery.report.only.error": True,
            "on_delivery": report,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
        }
