"""Feeds the shop's webhooks to `streams produce`, and keeps the books of what must come of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from streams.demo.disorder import BrokenRecord, broken_records
from streams.demo.expected import Bookkeeping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.demo.shop import Shop

BROKEN_RECORDS = 12
"""Records put straight onto the topic that are no Avro of ours."""


class Books:
    """What was fed, and what must arrive at the vendor."""

    def __init__(self, shop: Shop, connection: str) -> None:
        self._shop = shop
        self.expected = Bookkeeping(connection)
        self.broken: list[BrokenRecord] = []

    def day(self) -> Iterator[bytes]:
        """The day's bodies, each booked as it leaves."""
        for body in self._shop:
            self.expected.arrive(body)
            yield body + b"\n"

    def trickle(self) -> Iterator[bytes]:
        """What comes after the day, without end."""
        for body in self._shop.trickle():
            self.expected.arrive(body)
            yield body + b"\n"

    def break_some(self, bootstrap: str, topic: str, seed: int) -> None:
        """Put records onto the topic that nobody can read."""
        self.broken = broken_records(seed, BROKEN_RECORDS)
        producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
        for record in self.broken:
            producer.produce(topic, record.value, record.key)
        producer.flush(30)

    def dead_letters(self) -> Counter[str]:
        """Dead letters by reason that must be there."""
        return self.expected.dead_letters + Counter(record.reason for record in self.broken)
