"""The load of a round: delivery records at a steady pace, until it is told that it is enough."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Self

from confluent_kafka import Producer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from streams.engine.kafka import KafkaSettings
    from streams.names import Names
    from tests.chaos.delivery.judge import Expected
    from tests.chaos.delivery.stock import Goods

_SLICE_SECONDS: Final = 0.02
_BURST_SECONDS: Final = 0.2
_FLUSH_SECONDS: Final = 60.0


class Load:
    """Feeds one round in a thread of its own; a context manager that leaves nothing running.

    Attributes:
        fed: identity → when it was fed, epoch seconds.
        expected: connection → what must arrive, of what was fed.
        exhausted: whether there was nothing left to feed.
    """

    def __init__(
        self, kafka: KafkaSettings, names: Names, goods: Iterator[Goods], pace: float
    ) -> None:
        """Prepare. `pace`: records a second, all connections together."""
        self.fed: dict[str, float] = {}
        self.expected: defaultdict[str, Expected] = defaultdict(dict)
        self.exhausted = False
        self._producer = Producer(kafka.producer())
        self._names = names
        self._goods = goods
        self._pace = pace
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it; raises `TimeoutError` if the broker did not take everything."""
        self._enough.set()
        self._thread.join()
        if self._producer.flush(_FLUSH_SECONDS) and error is None:
            raise TimeoutError("the broker did not take the load")

    def _run(self) -> None:
        last, due = time.monotonic(), 0.0
        while not self._enough.wait(_SLICE_SECONDS):
            now = time.monotonic()
            # what a busy machine left undone is not made up for
            due += min(now - last, _BURST_SECONDS) * self._pace
            last = now
            while due >= 1 and not self.exhausted:
                due -= 1
                self._feed_one()
            self._producer.poll(0)

    def _feed_one(self) -> None:
        goods = next(self._goods, None)
        if goods is None:
            self.exhausted = True
            return
        topic = self._names.deliveries(goods.connection)
        self._producer.produce(topic, goods.value, goods.key)
        if goods.identity is not None:
            customers = self.expected[goods.connection]
            customers.setdefault(goods.key.decode(), []).append(goods.identity)
            self.fed[goods.identity] = time.time()
