"""An open loop: records sent when they are due, whatever becomes of them, and when they come out.

Each record has its time beforehand, so a program that falls behind is seen to (no coordinated
omission). All times are of one machine's wall clock, which its broker stamps records with as well.
"""

from __future__ import annotations

import math
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from streams.engine.kafka import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import KafkaError, Message

__all__ = ["Feeder", "Sent", "Watcher", "percentile"]

_FLUSH_SECONDS = 30.0
_POLL_SECONDS = 0.2
_MOST = 10_000


class Sent(NamedTuple):
    """A record's times, epoch seconds: when it was due, when it was sent, its broker's stamp.

    The stamp (`LogAppendTime`) is cut to the millisecond, so it is never later than the append.
    """

    due: float
    sent: float
    appended: float


class Feeder:
    """Sends records at a steady rate."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._producer = Producer(KafkaSettings(bootstrap=bootstrap).producer())
        self._topic = topic
        self._stamps: dict[int, int] = {}

    def feed(self, pairs: Sequence[tuple[bytes, bytes]], rate: float) -> list[Sent]:
        """Send pairs of key and value, so many a second, and return when each one was.

        Raises:
            KafkaException: the broker refused one, or does not answer.
        """
        self._stamps.clear()
        times: list[tuple[float, float]] = []
        began = time.time()
        for number, (key, value) in enumerate(pairs):
            due = began + number / rate
            while (wait := due - time.time()) > 0:
                self._producer.poll(0)
                time.sleep(wait)
            report = partial(self._report, number)
            self._producer.produce(self._topic, value, key, on_delivery=report)
            times.append((due, time.time()))
        self._producer.flush(_FLUSH_SECONDS)
        if len(self._stamps) < len(pairs):
            raise KafkaException(f"{self._topic} does not take what it was given")
        return [Sent(*each, self._stamps[number] / 1_000) for number, each in enumerate(times)]

    def _report(self, number: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._stamps[number] = message.timestamp()[1]


class Watcher:
    """Reads what is committed to a topic from its end on, in a thread, and notes when it came.

    It keeps the bytes and looks into them later, to take as little of the machine as it can.

    Attributes:
        seen: epoch seconds at which values were in our hands, and these values.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.seen: list[tuple[float, list[bytes]]] = []
        properties = KafkaSettings(bootstrap=bootstrap).reader(isolation="read_committed")
        self._consumer = Consumer(
            properties | {"enable.partition.eof": False, "fetch.wait.max.ms": 500}
        )
        known = self._consumer.list_topics(topic, _FLUSH_SECONDS).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in known]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, _FLUSH_SECONDS)[1]
        self._consumer.assign(places)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            first = self._consumer.poll(_POLL_SECONDS)
            if first is None:
                continue
            messages = [first, *self._consumer.consume(_MOST, 0)]
            now = time.time()  # after the last of them: later than the truth, if anything
            values = [m.value() for m in messages if m.error() is None]
            self.seen.append((now, values))  # type: ignore[arg-type]


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of some ordered numbers that so many percent of them do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
