"""Time without records: when may an idle partition's stream time follow the clock?

Stream time is the largest record timestamp seen in a partition, so a partition without records
would never fire a timer. If at some moment the partition's position is its high watermark, every
record appended until then has been handed over, and stream time may move to that moment less a
margin for replication and clocks. A replay then concludes the same facts. The high watermark is
asked for, not taken from the consumer's cache: a consumer that is cut off from the broker would
take an old one for the present. And it is asked without regard to transactions: behind the last
stable offset older records may be waiting for their commit.
The clock is the broker's, as far as its stamps tell it (`broker_clock`): a worker whose own is
minutes ahead would else conclude what no replay does.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Future

__all__ = ["IDLE_LAG_MS", "IdleWatch"]

IDLE_LAG_MS = 2_000
"""How far behind the clock an idle partition's stream time stays (DESIGN §5)."""

_REQUEST_SECONDS = 5.0
_LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


class IdleWatch:
    """Asks for high watermarks now and then; one question at a time, never waiting for it."""

    def __init__(
        self,
        admin: AdminClient,
        topic: str,
        *,
        interval_seconds: float,
        clock: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admin = admin
        self._topic = topic
        self._interval = interval_seconds
        self._clock = clock
        self._steady = steady
        self._next_at = 0.0
        self._asked_at = 0.0
        self._pending: dict[int, Future[object]] = {}
        self._refused = False

    def until(self) -> int | None:
        """The stream time to which idle partitions could be moved now; None: too early to ask."""
        if self._pending or self._steady() < self._next_at:
            return None
        return int(self._clock() * 1_000) - IDLE_LAG_MS

    def ask(self, partitions: Collection[int]) -> None:
        """Ask for the high watermarks of these partitions."""
        self._asked_at, self._next_at = self._clock(), self._steady() + self._interval
        if self._refused:
            self._look_up_leaders()
        answers = self._admin.list_offsets(
            {TopicPartition(self._topic, p): OffsetSpec.latest() for p in partitions},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=_REQUEST_SECONDS,
        )
        self._pending = {tp.partition: answer for tp, answer in answers.items()}

    def answer(self) -> tuple[int, dict[int, int]] | None:
        """The answer when it is complete: stream time, and partition → high watermark then."""
        if not self._pending or not all(future.done() for future in self._pending.values()):
            return None
        answers, self._pending = self._pending, {}
        marks = {}
        self._refused = False
        for partition, future in answers.items():
            try:
                marks[partition] = future.result().offset  # type: ignore[attr-defined]
            except KafkaException as error:
                log.info("no high watermark of %s[%d]: %s", self._topic, partition, error)
                self._refused = True
        return int(self._asked_at * 1_000) - IDLE_LAG_MS, marks

    def _look_up_leaders(self) -> None:
        """Have the client know the leaders anew: by itself it goes on asking those of before."""
        with suppress(KafkaException):
            self._admin.list_topics(self._topic, timeout=_LOOK_SECONDS)
