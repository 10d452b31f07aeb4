"""Feeds the programme's webhooks to `streams produce okendo`, and keeps the books of them.

As `streams.demo.shopkeeping` does for the shop: the books are written after the feed, over the
source topic's records. What must arrive is written into the shop's own ledgers, for a connection
has both sources on one topic.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from streams.demo.disorder import BrokenRecord, broken_records
from streams.demo.loyalty_expected import LoyaltyBookkeeping
from streams.demo.loyalty_reading import read
from streams.demo.reading import Unreadable
from streams.demo.shopkeeping import put
from streams.demo.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confluent_kafka import Message

    from streams.demo.ledger import Ledger
    from streams.demo.loyalty_programme import Programme
    from streams.demo.loyalty_webhooks import Sent

BROKEN_RECORDS = 4
"""Records put straight onto the topic that are no Avro of ours."""
_SCHEMA_ID = 5
"""Of the source's schema in `avro_schemas/ids.json`."""


class LoyaltyBooks:
    """What was fed, and what must arrive at the vendors.

    Args:
        programme: whose webhooks are fed.
        ledgers: where what must arrive is written.

    Attributes:
        fed: webhooks so far.
        expected: the bookkeeping; whole after `write`.
        broken: records put straight onto the topic.
    """

    def __init__(self, programme: Programme, ledgers: Mapping[str, Ledger]) -> None:
        self._programme = programme
        self._waiting: Waiting[Sent] = Waiting()
        self.fed = 0
        self.expected = LoyaltyBookkeeping(ledgers)
        self.broken: list[BrokenRecord] = []

    @property
    def records(self) -> int:
        """Records that the source topic must come to hold."""
        return len(self._waiting) + self.expected.records + len(self.broken)

    @property
    def strays(self) -> list[str]:
        """Records that should not be on the source topic, and those that should."""
        return self._waiting.strays

    @property
    def last_at(self) -> int:
        """The time of the newest record, epoch milliseconds."""
        return self._waiting.last_at

    def upto(self, share: float) -> Iterator[bytes]:
        """The lines that come until that share of the day is over, each noted as it leaves."""
        for sent in self._programme.upto(share):
            self.fed += 1
            self._note(sent)
            yield sent.line

    def trickle(self) -> Iterator[bytes]:
        """What comes after the day, without end and without books."""
        for sent in self._programme.trickle():
            self.fed += 1
            yield sent.line

    def _note(self, sent: Sent) -> None:
        try:
            hook = read(sent)
        except Unreadable:
            self.expected.arrive(sent, 0)
        else:
            self._waiting.add(f"{hook.store}:{hook.member}", sent.body, sent)

    def break_some(self, bootstrap: str, topic: str, seed: int) -> None:
        """Put records onto the topic that nobody can read."""
        self.broken = broken_records(seed, BROKEN_RECORDS, schema_id=_SCHEMA_ID)
        put(self.broken, bootstrap, topic)

    def write(self, records: Iterable[Message]) -> None:
        """Write the books, over the source topic's records, each partition's in order."""
        for sent, at in self._waiting.find(records, {record.key for record in self.broken}):
            self.expected.arrive(sent, at)

    def dead_letters(self) -> Counter[str]:
        """Dead letters of the source by reason that must be there."""
        return self.expected.dead_letters + Counter(record.reason for record in self.broken)
