"""Offset commits by the consumer, executed on the poll thread and awaited by anyone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition

if TYPE_CHECKING:
    from confluent_kafka import Consumer

    from streams.engine.cursors import Cursors
    from streams.engine.ownership import Ownership

__all__ = ["Commits", "Progress"]

Progress = Mapping[int, tuple[int, tuple[int, str]]]
"""Partition → the epoch of the work and the `Position` to commit, (offset, metadata)."""


class Commits:
    """A queue of commits. Positions of an epoch that is over are left out, not refused."""

    def __init__(self, topic: str, ownership: Ownership, cursors: Cursors) -> None:
        self._topic = topic
        self._ownership = ownership
        self._cursors = cursors
        self._queue: deque[tuple[Progress, Future[frozenset[int]]]] = deque()

    def submit(self, progress: Progress) -> Future[frozenset[int]]:
        """Queue a commit (any thread); the result is the set of partitions committed.

        The future raises `KafkaException` when the broker refused.
        """
        future: Future[frozenset[int]] = Future()
        self._queue.append((dict(progress), future))
        return future

    def serve(self, consumer: Consumer) -> None:
        """Execute what is queued (the poll thread)."""
        while self._queue:
            progress, future = self._queue.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._commit(consumer, progress))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                future.set_exception(error)

    def abandon(self) -> None:
        """Cancel what is queued: the consumer is closed."""
        while self._queue:
            self._queue.popleft()[1].cancel()

    def _commit(self, consumer: Consumer, progress: Progress) -> frozenset[int]:
        owned = {p: at for p, (epoch, at) in progress.items() if self._ownership.owns(p, epoch)}
        if owned:
            places = [TopicPartition(self._topic, p, *at) for p, at in owned.items()]
            consumer.commit(offsets=places, asynchronous=False)
            self._cursors.commit({p: at[0] for p, at in owned.items()})
        return frozenset(owned)
