"""How much a lane has yet to process: looked at by its poll thread, told by metrics and health.

While records are consumed, the broker says with each answer where a partition ends. A lane that
consumes nothing (a paused connection, all slots taken) has no answers: then it asks now and then.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from confluent_kafka import TopicPartition

from streams.engine.idle import IdleWatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka import Consumer
    from confluent_kafka.admin import AdminClient

    from streams.engine.lane_state import LaneState

__all__ = ["LeftToDo"]

_LOOK_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 5.0


class LeftToDo:
    """What is left in one lane's partitions. Written by the poll thread, read by any.

    Attributes:
        lag: records not yet committed, by partition; of one that does not run, when it last did.
        oldest: the oldest such record's time when a partition was set back (`Cursors.oldest`).
    """

    def __init__(self, state: LaneState) -> None:
        """Begin without a look."""
        self.lag: Mapping[int, int] = {}
        self.oldest: Mapping[int, int] = {}
        self._topic = state.lane.topic
        self._ownership = state.ownership
        self._cursors = state.cursors
        self._looked_at = 0.0

    def attach(self, consumer: Consumer, admin: AdminClient) -> None:
        """Take the lane's clients; on the poll thread, before all else."""
        self._consumer = consumer
        self._ends = IdleWatch(admin, self._topic, interval_seconds=_ASK_SECONDS, clock=time.time)

    def keep(self, partitions: Iterable[int]) -> None:
        """Note what is seen of these until they run again, which may be long: they are set back."""
        self.lag = {**self.lag, **self._lag_of(partitions)}
        self.oldest = {**self.oldest, **self._cursors.oldest()}

    def look(self) -> None:
        """Look at the partitions that run, once a second."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        loading = self._ownership.loading()  # or stopped by a breaker: as it was seen last
        lag = {p: records for p, records in self.lag.items() if p in loading}
        self.lag = lag | self._lag_of(self._ownership.running())

    def look_idly(self) -> None:
        """Ask where the partitions that run end now, since nothing is consumed that would say."""
        answer = self._ends.answer()
        running = self._ownership.running()
        if answer is not None:
            owned = self._ownership.owned()
            lag = {p: records for p, records in self.lag.items() if p in owned}
            ends = {p: end for p, end in answer[1].items() if p in running}
            self.lag = lag | {p: self._cursors.lag(p, end) for p, end in ends.items()}
        elif running and self._ends.until() is not None:
            self._ends.ask(running.keys())

    def _lag_of(self, partitions: Iterable[int]) -> dict[int, int]:
        lag = {}
        for partition in partitions:
            place = TopicPartition(self._topic, partition)
            _, high = self._consumer.get_watermark_offsets(place, cached=True)
            lag[partition] = self._cursors.lag(partition, high)
        return lag
