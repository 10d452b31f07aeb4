"""Feeds the shop's webhooks to `streams produce`, and keeps the books of what must come of them.

What is concluded depends on when Kafka recorded each webhook. So the books are written after the
feed, over the source topic's records: those only lend their times and must hold the very bodies
that were fed, each customer's in the order of the feed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from streams.demo.disorder import BrokenRecord, broken_records
from streams.demo.expected import Bookkeeping
from streams.demo.reading import Unreadable, read
from streams.demo.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confluent_kafka import Message

    from streams.demo.shop import Shop
    from streams.demo.world import World

BROKEN_RECORDS = 12
"""Records put straight onto the topic that are no Avro of ours."""


class Books:
    """What was fed, and what must arrive at the vendors.

    Attributes:
        fed: bodies so far.
        expected: the bookkeeping; whole after `write`.
        broken: records put straight onto the topic.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._waiting: Waiting[bytes] = Waiting()
        self.fed = 0
        self.expected = Bookkeeping()
        self.broken: list[BrokenRecord] = []

    @property
    def records(self) -> int:
        """Records that the source topic must come to hold."""
        return len(self._waiting) + self.expected.records + len(self.broken)

    @property
    def world(self) -> World:
        """The shop's people and goods, as they stand."""
        return self._shop.world

    @property
    def strays(self) -> list[str]:
        """Records that should not be on the source topic, and those that should."""
        return self._waiting.strays

    @property
    def last_at(self) -> int:
        """The time of the newest record, epoch milliseconds."""
        return self._waiting.last_at

    def day(self) -> Iterator[bytes]:
        """The day's bodies, each noted as it leaves."""
        for body in self._shop:
            self.fed += 1
            self._note(body)
            yield body + b"\n"

    def trickle(self) -> Iterator[bytes]:
        """What comes after the day, without end and without books."""
        for body in self._shop.trickle():
            self.fed += 1
            yield body + b"\n"

    def _note(self, body: bytes) -> None:
        try:
            hook = read(body)
        except Unreadable:
            self.expected.arrive(body, 0)
        else:
            self._waiting.add(f"{hook.merchant}:{hook.customer}", body, body)

    def break_some(self, bootstrap: str, topic: str, seed: int) -> None:
        """Put records onto the topic that nobody can read."""
        self.broken = broken_records(seed, BROKEN_RECORDS)
        put(self.broken, bootstrap, topic)

    def write(self, records: Iterable[Message]) -> None:
        """Write the books, over the source topic's records, each partition's in order."""
        for body, at in self._waiting.find(records, {record.key for record in self.broken}):
            self.expected.arrive(body, at)
        self.expected.end()

    def dead_letters(self) -> Counter[str]:
        """Dead letters of the source by reason that must be there."""
        return self.expected.dead_letters + Counter(record.reason for record in self.broken)


def put(broken: Iterable[BrokenRecord], bootstrap: str, topic: str) -> None:
    """Put records straight onto a topic."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
    for record in broken:
        producer.produce(topic, record.value, record.key)
    producer.flush(30)
