"""Records to Kafka until the broker has them: nothing here is ever given up or reordered away.

A delivery is finished only by the acknowledgement of its outcomes. So when the broker refuses a
record, the record is produced again, never the request to the vendor.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

from streams.delivery.reader import KafkaException, is_fatal

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.delivery.retry import Schedule

Headers = list[tuple[str, str | bytes | None]]

log = logging.getLogger(__name__)


class Producer(Protocol):
    """What is needed of an idempotent producer with `acks=all`."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        *,
        partition: int | None = None,
    ) -> asyncio.Future[tuple[int, int]]:
        """A future of (partition, offset), done when the broker has acknowledged the record.

        The future raises `KafkaException` when the broker refused it, the call `BufferError` when
        too much is queued.
        """


class Outgoing(NamedTuple):
    """A record to be produced; `partition` None leaves the choice to the partitioner."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int | None = None


class Publisher:
    """Produces records, and again what the broker refused."""

    def __init__(
        self,
        producer: Producer,
        schedule: Schedule,
        *,
        refused: Callable[[str | None], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Take what it works with.

        Args:
            producer: idempotent.
            schedule: how long to wait before a refused record is produced again.
            refused: told a reason while the broker refuses records, None when it takes them again.
            failed: told when the producer is beyond help; the process must end.
        """
        self._producer = producer
        self._schedule = schedule
        self._refused = refused
        self._failed = failed
        self._refusals = 0

    def publish(self, record: Outgoing, acknowledged: Callable[[int], None]) -> None:
        """Produce a record; `acknowledged` is called with its offset, on the event loop."""
        self._send(record, acknowledged, 1)

    def _send(self, record: Outgoing, acknowledged: Callable[[int], None], attempt: int) -> None:
        def done(future: asyncio.Future[tuple[int, int]]) -> None:
            if future.cancelled():
                return  # the process ends
            error = future.exception()
            if error is not None:
                self._again(record, acknowledged, attempt, error)
                return
            if self._refusals:
                self._refusals = 0
                self._refused(None)
            acknowledged(future.result()[1])

        topic, key, value, headers, partition = record
        try:
            future = self._producer.send(topic, key, value, headers, partition=partition)
        except (KafkaException, BufferError) as error:  # a full queue, or a producer that is done
            self._again(record, acknowledged, attempt, error)
        else:
            future.add_done_callback(done)

    def _again(
        self,
        record: Outgoing,
        acknowledged: Callable[[int], None],
        attempt: int,
        error: BaseException,
    ) -> None:
        if is_fatal(error):
            self._failed(error)
            return
        self._refusals += 1
        reason = f"{record.topic} takes no records: {error}"
        if attempt == 1:
            log.warning("%s", reason)
        self._refused(reason)
        wait = self._schedule.backoff(attempt, 1.0)
        loop = asyncio.get_running_loop()
        loop.call_later(wait, self._send, record, acknowledged, attempt + 1)
