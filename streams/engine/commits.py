"""Offset commits by the consumer: asked on the poll thread, awaited by anyone.

They are asked asynchronously, or a broker that hangs would hold the poll thread for minutes. Only
while partitions are being given up, inside librdkafka's callback, no answer could come in; there
they are synchronous.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka import Consumer

    from streams.engine.cursors import Cursors
    from streams.engine.ownership import Ownership

__all__ = ["Commits", "Progress"]

Progress = Mapping[int, tuple[int, tuple[int, str]]]
"""Partition → the epoch of the work and the `Position` to commit, (offset, metadata)."""

_Wish = tuple[Progress, "Future[frozenset[int]]"]


class Commits:
    """A queue of commits. Positions of an epoch that is over are left out, not refused."""

    def __init__(self, topic: str, ownership: Ownership, cursors: Cursors) -> None:
        self._topic = topic
        self._ownership = ownership
        self._cursors = cursors
        self._wishes: deque[_Wish] = deque()
        self._asked: list[tuple[dict[int, int], _Wish]] = []
        self._closed = False

    def submit(self, progress: Progress) -> Future[frozenset[int]]:
        """Queue a commit (any thread); the result is the set of partitions committed.

        The future raises `KafkaException` when the broker refused, or the consumer is closed.
        """
        future: Future[frozenset[int]] = Future()
        self._wishes.append((dict(progress), future))
        if self._closed:
            self.close()
        return future

    def ask(self, consumer: Consumer) -> None:
        """Send what is queued; `answered` gets the outcome (the poll thread)."""
        for wish, places in self._next():
            try:
                consumer.commit(offsets=places, asynchronous=True)
            except KafkaException as error:
                wish[1].set_exception(error)
            else:
                self._asked.append(({p.partition: p.offset for p in places}, wish))

    def answered(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        """Settle the commit that this answers (`on_commit`, on the poll thread)."""
        offsets = {place.partition: place.offset for place in places}
        for entry in self._asked:
            if entry[0] == offsets:
                self._asked.remove(entry)
                self._settle(entry[1][1], error, places)
                return

    def finish(self, consumer: Consumer) -> None:
        """Commit what is queued, and again what is not answered yet, before going on."""
        unanswered, self._asked = self._asked, []
        self._wishes.extendleft(wish for _, wish in reversed(unanswered))
        for (_, future), places in self._next():
            try:
                self._settle(future, None, consumer.commit(offsets=places, asynchronous=False))
            except KafkaException as error:
                future.set_exception(error)

    def close(self) -> None:
        """Refuse what is not committed: the consumer is closed."""
        self._closed = True
        self._wishes.extend(wish for _, wish in self._asked)
        self._asked = []
        while self._wishes:
            future = self._wishes.popleft()[1]
            if future.running() or future.set_running_or_notify_cancel():
                future.set_exception(KafkaException(KafkaError(KafkaError._DESTROY)))  # noqa: SLF001

    def _next(self) -> Iterable[tuple[_Wish, list[TopicPartition]]]:
        """Yield what is queued, with the places that are still owned."""
        while self._wishes:
            progress, future = self._wishes.popleft()
            if not (future.running() or future.set_running_or_notify_cancel()):
                continue
            places = [
                TopicPartition(self._topic, partition, *position)
                for partition, (epoch, position) in progress.items()
                if self._ownership.owns(partition, epoch)
            ]
            if places:
                yield (progress, future), places
            else:
                future.set_result(frozenset())

    def _settle(
        self,
        future: Future[frozenset[int]],
        error: KafkaError | None,
        places: list[TopicPartition],
    ) -> None:
        errors = [error, *(place.error for place in places)]
        refused = next((error for error in errors if error is not None), None)
        if refused is not None:
            future.set_exception(KafkaException(refused))
        else:
            self._cursors.commit({place.partition: place.offset for place in places})
            future.set_result(frozenset(place.partition for place in places))
