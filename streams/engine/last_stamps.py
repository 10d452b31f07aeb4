"""The last stamps of partitions, for a worker that takes over where no record comes any more.

It has heard nothing that tells the broker's clock, and its own may be minutes off: behind, its
timers would fire as late; ahead, too early. The stamp of a partition's last record is a bound
(`broker_clock`), where stamps are the broker's at all (`message.timestamp.type`).
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Future

    from streams.engine.broker_clock import BrokerClock

__all__ = ["LastStamps"]

_REQUEST_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_TRIES = 5

log = logging.getLogger(__name__)


class LastStamps:
    """Asks for the last stamps of a topic's partitions, without waiting; one thread only."""

    def __init__(
        self,
        admin: AdminClient,
        topic: str,
        clock: BrokerClock,
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admin = admin
        self._topic = topic
        self._clock = clock
        self._steady = steady
        self._wanted: set[int] = set()
        self._kind: Future[Any] | None = None
        self._pending: dict[int, Future[Any]] = {}
        self._again_at = 0.0
        self._tries = 0

    def want(self, partitions: Collection[int]) -> None:
        """Have the stamps of these looked up, if no record has told the time by then."""
        if not self._clock.knows:
            self._wanted.update(partitions)

    def known(self) -> bool:
        """Go on asking, as far as it goes now; whether all that was wanted is known.

        What cannot be known after some tries is given up: then our own clock counts.
        """
        if self._clock.knows or self._tries >= _TRIES:
            self._wanted, self._pending, self._kind = set(), {}, None
            return True
        if self._pending or self._kind is not None:
            self._answered()
        elif self._wanted and self._steady() >= self._again_at:
            resource = ConfigResource(ConfigResource.Type.TOPIC, self._topic)
            [self._kind] = self._admin.describe_configs(
                [resource], request_timeout=_REQUEST_SECONDS
            ).values()
        return not self._wanted

    def _answered(self) -> None:
        """Take the answer that is due, and ask on."""
        try:
            if self._kind is not None and self._kind.done():
                kind, self._kind = self._kind.result()["message.timestamp.type"].value, None
                if kind != "LogAppendTime":
                    self._wanted = set()  # stamps are the producers'
                    return
                self._pending = self._ask()
            elif self._pending and all(each.done() for each in self._pending.values()):
                answers, self._pending = self._pending, {}
                for answer in answers.values():
                    self._clock.at_least(answer.result().timestamp)
                self._wanted -= answers.keys()
        except KafkaException as error:
            log.info("no last stamps of %s: %s", self._topic, error)
            self._kind, self._pending = None, {}
            self._again_at, self._tries = self._steady() + _AGAIN_SECONDS, self._tries + 1

    def _ask(self) -> dict[int, Future[Any]]:
        answers = self._admin.list_offsets(
            {TopicPartition(self._topic, p): OffsetSpec.max_timestamp() for p in self._wanted},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=_REQUEST_SECONDS,
        )
        return {place.partition: answer for place, answer in answers.items()}
