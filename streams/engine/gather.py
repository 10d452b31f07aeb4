"""How many records make a batch: what is there on a quiet topic, a large batch on a busy one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

__all__ = ["Gatherer"]

_BUSY = 200
"""A batch of at least so many records makes the topic busy: the next one may wait to grow."""

_FIRST_RECORD_SECONDS = 0.05
"""The longest wait for a first record, and so for anything else that the poll thread does."""

_STRAGGLERS_SECONDS = 0.002
"""On a quiet topic: records that are already fetched come without any wait; this is for their
neighbours of the same fetch."""


class Gatherer:
    """Takes batches from a consumer; sized by how busy the topic was just now.

    Attributes:
        busy: whether the last batch was a large one.
    """

    def __init__(self, consumer: Consumer, *, max_batch: int, gather_seconds: float) -> None:
        self._consumer = consumer
        self._max_batch = max_batch
        self._gather_seconds = gather_seconds
        self.busy = False

    def gather(self, *, wait: bool = True) -> list[Message]:
        """Return records and events, none after a short wait in vain, or at once."""
        messages = self._consumer.consume(1, _FIRST_RECORD_SECONDS if wait else 0)
        if messages and self._max_batch > 1:
            seconds = self._gather_seconds if self.busy else _STRAGGLERS_SECONDS
            messages += self._consumer.consume(self._max_batch - 1, seconds)
        self.busy = len(messages) >= min(_BUSY, self._max_batch)
        return messages
