"""The plain producer: idempotent, acknowledged, outside any transaction.

For outcomes, dead letters of deliveries, the control topic, the command line, and Faust's own
`topic.send`. The broker's acknowledgement comes as a future on the event loop, or all together by
`flush`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.engine.publication import ROOM_SECONDS, flush

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.engine.job import Headers
    from streams.engine.kafka import KafkaSettings

__all__ = ["REFUSED", "Receipt", "RecordProducer"]

REFUSED = (KafkaException, BufferError)
"""What `RecordProducer.send`, and its futures, raise where the broker does not take a record."""

Receipt = tuple[int, int]
"""(partition, offset) of an acknowledged record."""

_POLL_SECONDS = 0.1
_FLUSH_SECONDS = 30.0

_Settled = tuple["asyncio.Future[Receipt]", KafkaError | None, Receipt]


class RecordProducer:
    """Sends single records; a thread of its own collects the acknowledgements."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer = Producer(kafka.producer())
        self._refused: list[KafkaError] = []
        self._settled: deque[_Settled] = deque()
        self._woken = False
        self._closing = threading.Event()
        self._serving = threading.Lock()
        self._may_poll = threading.Event()
        self._may_poll.set()
        self._thread = threading.Thread(target=self._poll, name="acknowledgements", daemon=True)
        self._thread.start()

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        *,
        partition: int | None = None,
    ) -> asyncio.Future[Receipt]:
        """Queue a record; on the event loop.

        Returns:
            A future of the receipt, once the broker has the record (`acks=all`); it raises
            `KafkaException` when the broker refused it or did not answer.

        Raises:
            BufferError: too much is queued already; wait for some futures first.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()

        def report(error: KafkaError | None, message: Message) -> None:
            receipt = (message.partition() or 0, message.offset() or 0)
            # many reports come at once: one of them wakes the loop for all
            self._settled.append((future, error, receipt))
            if not self._woken:
                self._woken = True
                loop.call_soon_threadsafe(self._settle)

        place = -1 if partition is None else partition
        self._producer.produce(topic, value, key, place, on_delivery=report, headers=headers)
        return future

    def produce(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers | None = None
    ) -> None:
        """Queue a record without a future; waits while the queue is full (no event loop needed).

        What the broker refuses is told by the next `flush`.
        """
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._report, headers=headers)
            except BufferError:
                self._producer.poll(ROOM_SECONDS)
            else:
                return

    def flush(self, timeout: float = _FLUSH_SECONDS) -> None:
        """Wait until the broker has everything sent so far; blocks.

        Raises:
            KafkaException: it refused a record given to `produce`, or the time is over.
        """
        self._may_poll.clear()
        try:
            # alone: a report that the thread is just handling is not outstanding any more
            with self._serving:
                flush(self._producer, timeout)
        finally:
            self._may_poll.set()
        refused, self._refused = self._refused, []
        if refused:
            raise KafkaException(refused[0])

    def close(self) -> None:
        """End the thread; what is not flushed may be lost."""
        self._closing.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._may_poll.wait()
            with self._serving:
                self._producer.poll(_POLL_SECONDS)

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error)

    def _settle(self) -> None:
        self._woken = False  # first: a report that comes from now on wakes the loop again
        while self._settled:
            future, error, receipt = self._settled.popleft()
            if future.cancelled():
                continue
            if error is not None:
                future.set_exception(KafkaException(error))
            else:
                future.set_result(receipt)
