"""A shop's topics in memory, and the console's index filled from them as its thread does it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from streams.avro import codec, registry
from streams.avro_structs import struct_writer
from streams.cli.console.index import readers_for_index
from streams.console.index import Index
from streams.console.index_rows import Progress
from streams.console.index_tidying import Tidying
from streams.console.index_writing import Identified, Writer
from streams.console.kept import DAY_MS
from streams.console.reading import IndexTopic, Limits, Read
from streams.control.erased import Erased, encode_erased
from streams.model.fact import CUSTOMER_ERASED
from streams.model.ids import customer_hash, customer_key
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Profile, Subscriber
from streams.names import ORDERGROOVE
from streams.registry import Schemas
from streams.replay.erase_records import erase_record
from streams.sources.ordergroove import record_of
from tests.support.enriched import bare
from tests.support.webhooks import MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random

HASH_KEY = "sixteen bytes and more"
NOW = START * 1_000 + 10 * DAY_MS
SOURCE, OUTCOME, ENRICHED = codec("sources/ordergroove"), codec("outcome"), codec("events/enriched")
EVENTS, TABLE, OUTCOMES, LIVE, LOW, ERASED = (
    "og.ordergroove.events", "og.subscribers.changelog", "og.outcomes", "og.deliveries.klaviyo",
    "og.deliveries.klaviyo.low", "og.erased",
)  # fmt: skip
TOPICS = {
    EVENTS: IndexTopic(EVENTS, "source", ORDERGROOVE),
    TABLE: IndexTopic(TABLE, "table", ORDERGROOVE),
    OUTCOMES: IndexTopic(OUTCOMES, "outcomes"),
    LIVE: IndexTopic(LIVE, "deliveries", "klaviyo"),
    LOW: IndexTopic(LOW, "deliveries", "klaviyo"),
    ERASED: IndexTopic(ERASED, "erased"),
}
READERS = readers_for_index(Schemas(registry()))
ENCODE_EVENT = struct_writer(ENRICHED)
SEEN = {20_000: b"123456"}


class ShopTopics:
    """Topics of one partition each; a record is (time, key, value)."""

    def __init__(self) -> None:
        self.records: dict[str, list[tuple[int, bytes, bytes | None]]] = {
            each: [] for each in TOPICS
        }

    def event(self, customer: str, at: int) -> None:
        """Somebody subscribes; times are epoch milliseconds."""
        seconds = at // 1_000
        told = subscription(f"{customer}-{seconds}", seconds) | {"customer": customer}
        record = record_of(webhook("subscription.create", told, seconds), at)
        self._append(EVENTS, customer, at, SOURCE.encode(record))

    def delivery(self, customer: str, at: int, topic: str = LIVE, **more: Any) -> None:
        """A delivery of theirs, and its outcome a second later."""
        self.delivered("order.success", customer, at, topic, **more)

    def delivered(
        self, event_type: str, customer: str, at: int, topic: str = LIVE, **more: Any
    ) -> None:
        """A delivery of a type, and its outcome."""
        event = replace(bare(event_type), customer_id=customer, occurred_at=at, **more)
        self._append(topic, customer, at, ENCODE_EVENT(event))
        offset = len(self.records[topic]) - 1
        told = outcome(customer, at, event_type, topic, offset)
        self._append(OUTCOMES, customer, at + 1_000, OUTCOME.encode(told))

    def row(
        self, customer: str, email: str | None, phone: str | None = None, at: int = NOW
    ) -> None:
        """What the table says of them from then on."""
        value = encode_row(Subscriber(profile=Profile(email, phone), seen=SEEN))
        self._append(TABLE, customer, at, value)

    def erase(self, customer: str, at: int) -> None:
        """They are erased: as the command and derive write it."""
        key = customer_key(MERCHANT, customer)
        told = encode_erased(Erased(erased_at=at, run="r"))
        self.records[ERASED].append((at, customer_hash(HASH_KEY.encode(), key).encode(), told))
        self.erase_record(customer, at)
        self._append(TABLE, customer, at, encode_row(Subscriber(erased_at=at)))
        self.delivered(CUSTOMER_ERASED, customer, at)

    def erase_record(self, customer: str, at: int) -> None:
        """Only the record of the source's topic."""
        value = SOURCE.encode(erase_record(ORDERGROOVE, MERCHANT, customer, at))
        self._append(EVENTS, customer, at, value)

    def _append(self, topic: str, customer: str, at: int, value: bytes | None) -> None:
        self.records[topic].append((at, customer_key(MERCHANT, customer), value))


class Following:
    """The index, filled from a shop's topics."""

    def __init__(
        self,
        path: Path,
        *,
        at: Callable[[str], None] = lambda _: None,
        limits: Limits | None = None,
        now: int = NOW,
        topics: Sequence[IndexTopic] = (*TOPICS.values(),),
        identity: str = "1",
    ) -> None:
        self.index = Index(path, HASH_KEY)
        kept = limits or Limits(400 * DAY_MS, 400 * DAY_MS)
        self.writer = Writer(self.index, READERS, kept, at=at, clock=lambda: now / 1_000)
        described = [Identified(each, identity, 1) for each in topics]
        self.numbers, known = self.writer.begin(described)
        self.next = {number: known.get((number, 0), 0) for number in self.numbers.values()}

    def fill(self, shop: ShopTopics, chance: Random | None = None, most: int = 1_000) -> None:
        """Read all there is, some of each topic at a time; `chance` says how much, in which order.

        Without, all at once.
        """
        while batch := self._batch(shop, chance, most):
            ahead = {number: self.next[number] + len(some) for number, some in batch.items()}
            ends = {number: len(shop.records[name]) for name, number in self.numbers.items()}
            progress = {
                (number, 0): Progress(self.next[number], at, ends[number])
                for number, at in ahead.items()
            }
            self.writer.write([each for some in batch.values() for each in some], progress)
            self.next |= ahead

    def tidy(self) -> None:
        """Until there is nothing to do."""
        tidying = Tidying(self.writer)
        while tidying.step():
            pass

    def _batch(self, shop: ShopTopics, chance: Random | None, most: int) -> dict[int, list[Read]]:
        batch: dict[int, list[Read]] = {}
        left = {
            name: len(every) - self.next[self.numbers[name]]
            for name, every in shop.records.items()
            if name in self.numbers
        }
        names = [name for name, count in left.items() if count]
        if chance is not None and names:
            names = chance.sample(names, chance.randint(1, len(names)))
        for name in names:
            number = self.numbers[name]
            start = self.next[number]
            count = left[name] if chance is None else chance.randint(1, min(most, left[name]))
            batch[number] = [
                Read(number, 0, offset, at, key, value, [("streams-run", b"7")])
                for offset, (at, key, value) in enumerate(
                    shop.records[name][start : start + count], start
                )
            ]
        return batch


def outcome(customer: str, at: int, event_type: str, topic: str, offset: int) -> dict[str, Any]:
    """What became of a delivery, a second later."""
    return {
        "delivery_id": f"d-{topic}-{offset}", "part": "event", "connection": "klaviyo",
        "destination": "klaviyo", "event_id": f"e-{offset}", "type": event_type,
        "merchant": MERCHANT, "customer_id": customer, "outcome": "delivered", "reason": None,
        "field": None, "final": True, "attempts": 1, "status": 202, "latency_ms": 9,
        "request_digest": None, "field_hashes": {"a.b": b"12345678"}, "topic": topic,
        "partition": 0, "offset": offset, "occurred_at": at, "recorded_at": at + 1_000,
        "excerpt": None, "corrects": None,
    }  # fmt: skip


def contents(
    index: Index, customers: Sequence[str], searches: Sequence[str] = ()
) -> dict[str, Any]:
    """All that the index answers."""
    keys = {each: customer_key(MERCHANT, each) for each in customers}
    return {
        "came": {each: index.came(ORDERGROOVE, key) for each, key in keys.items()},
        "outcomes": {each: index.outcomes(key) for each, key in keys.items()},
        "deliveries": {each: index.deliveries(key) for each, key in keys.items()},
        "found": {text: sorted(index.find(text)) for text in (*customers, *searches)},
        "minutes": index.minutes(0),
        "tried": index.tried(),
        "standing": index.standing()[:2],
    }


def files_of(path: Path) -> bytes:
    """All bytes of the index's files."""
    found = b""
    for each in sorted(path.parent.glob(f"{path.name}*")):
        with contextlib.suppress(FileNotFoundError):
            found += each.read_bytes()
    return found
