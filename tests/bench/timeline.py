"""`./run bench timeline`: the console's index at so many deliveries, and a customer's page by it.

A demo day goes through the pipeline with four connections. Its records, deliveries and outcomes are
then told of any number of other customers (`tests.bench.copies`), spread over a month, in the order
in which they would come; a few customers have thousands. They are filed by the index's own writer,
decoded and compressed as its thread does it, without Kafka. Measured is what a page needs: all
records of the customer, decoded, and the whole story; **cold** is after the system has let go of
the file. Rows a second are the clock's; CPU for a row changes least on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.avro import codec, registry
from streams.cli.console.index import readers_for_index
from streams.console.index import Index
from streams.console.index_file import settle
from streams.console.index_rows import Progress
from streams.console.index_tidying import Tidying
from streams.console.index_writing import Identified, Writer
from streams.console.kept import DAY_MS
from streams.console.reading import IndexTopic, Limits, Read
from streams.demo.shop import Shop, opens_for
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.errors import BadRecord
from streams.model.ids import customer_key, delivery_id
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Profile, Subscriber
from streams.names import ORDERGROOVE, Names
from streams.pipeline import Pipeline
from streams.registry import Schemas
from streams.route import Route
from streams.sources.ordergroove import record_of
from streams.timeline.story import Story, ends_of, told
from tests.bench.copies import Template
from tests.bench.targets import at_most, print_targets
from tests.support.webhooks import order, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.targets import Target

PAGE_SECONDS = 1.0
FILL_MINUTES = 10
DAYS = 30
BUSY_CUSTOMERS = 20
BUSY_EVENTS = 1_250
BATCH = 20_000
HASH_KEY = "sixteen bytes and more"
PAGES = 200


class Real(NamedTuple):
    """An event: its customer's key, its record, and for each connection delivery and outcome."""

    owner: bytes
    record: bytes
    sent: list[tuple[str, bytes, bytes]]


class Event(NamedTuple):
    """An event of the day: its customer, and as templates its record, deliveries and outcomes."""

    owner: bytes
    record: Template
    sent: list[tuple[str, Template, Template]]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench timeline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short, for CI: ./run bench timeline --deliveries 50000 --day 500",
    )
    parser.add_argument("--deliveries", type=int, default=10_000_000)
    parser.add_argument("--day", type=int, default=5_000, help="webhooks of the day to copy")
    parser.add_argument("--place", type=Path, help="where the index is made; then it is deleted")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="streams-timeline-", dir=options.place) as place:
        print_targets(_bench(options, Path(place) / "console.sqlite"))
    return 0


class Filling:
    """Fills an index with copies of a day."""

    def __init__(self, path: Path, day: Sequence[Event], copies: int) -> None:
        self.index = Index(path, HASH_KEY)
        limits = Limits(400 * DAY_MS, 400 * DAY_MS)
        self.writer = Writer(self.index, readers_for_index(Schemas(registry())), limits)
        names = Names("og")
        topics = [
            IndexTopic(names.events(ORDERGROOVE), "source", ORDERGROOVE),
            IndexTopic(names.outcomes, "outcomes"),
            IndexTopic(names.subscribers_changelog, "table", ORDERGROOVE),
            *(IndexTopic(names.deliveries(each), "deliveries", each) for each in DESTINATIONS),
        ]
        self.numbers, _ = self.writer.begin([Identified(each, "1", 1) for each in topics])
        self.source, self.outcomes, self.table = (self.numbers[each.name] for each in topics[:3])
        self.live = {each: self.numbers[names.deliveries(each)] for each in DESTINATIONS}
        self.next = dict.fromkeys(self.numbers.values(), 0)
        self.day, self.copies = day, copies
        self.owners = sorted({each.owner for each in day})
        self.busy: set[bytes] = set()
        self.rows = 0

    def run(self) -> tuple[float, float]:
        """File everything; seconds that the writer took, of the clock and of CPU."""
        seconds, cpu, records, tidying = 0.0, 0.0, self.records(), Tidying(self.writer)
        while some := list(islice(records, BATCH)):
            progress = dict[tuple[int, int], Progress]()
            began, before = time.perf_counter(), time.process_time()
            for each in some:
                part = each.topic, 0
                start = progress[part].start if part in progress else each.offset
                progress[part] = Progress(start, each.offset + 1, each.offset + 1)
            self.writer.write(some, progress)
            tidying.step()
            seconds += time.perf_counter() - began
            cpu += time.process_time() - before
            self.rows += len(some)
        return seconds, cpu

    def records(self) -> Iterator[Read]:
        """All records, as they would come."""
        now = int(time.time() * 1_000) - DAYS * DAY_MS
        for owner in self.owners:
            merchant, _, customer = owner.decode().partition(":")
            for copy in range(self.copies):
                key = customer_key(merchant, f"{copy:08x}{customer}")
                email = f"{copy}.{customer}@shop-demo.io"
                row = encode_row(Subscriber(profile=Profile(email), seen={1: b"123456"}))
                yield self.read(self.table, now, key, row)
        step, extra = DAYS * DAY_MS / len(self.day), self.more(now)
        for number, event in enumerate(self.day):
            for copy in range(self.copies):
                at = now + int((number + copy / self.copies) * step)
                yield from self.told(event, copy, at)
            while extra and extra[-1][0] <= now + (number + 1) * step:
                at, key, real = extra.pop()
                yield from self.filed(at, key, real)

    def more(self, since: int) -> list[tuple[int, bytes, Real]]:
        """What busy customers have: orders all over the month; the newest first."""
        pipeline, found = _pipeline(), list[tuple[int, bytes, Real]]()
        for number in range(BUSY_CUSTOMERS):
            rows: dict[bytes, bytes] = {}
            customer = f"busy{number:04}"
            for count in range(BUSY_EVENTS):
                at = since + count * DAYS * DAY_MS // BUSY_EVENTS
                body = _order(customer, count, at // 1_000)
                real = _real(body, at, pipeline, rows)
                self.busy.add(real.owner)
                found.append((at, real.owner, real))
        return sorted(found, key=lambda each: -each[0])

    def told(self, event: Event, copy: int, at: int) -> Iterator[Read]:
        """A copy of an event, its deliveries and their outcomes."""
        merchant, _, customer = event.owner.partition(b":")
        key = merchant + b":%08x" % copy + customer
        sent = [(of, told.copy(copy), outcome.copy(copy)) for of, told, outcome in event.sent]
        yield from self.filed(at, key, Real(key, event.record.copy(copy), sent))

    def filed(self, at: int, key: bytes, real: Real) -> Iterator[Read]:
        """The records of an event on the topics."""
        yield self.read(self.source, at, key, real.record)
        for connection, delivery, _ in real.sent:
            yield self.read(self.live[connection], at + 40, key, delivery)
        for _, _, outcome in real.sent:
            yield self.read(self.outcomes, at + 300, key, outcome)

    def key(self, chance: Random) -> bytes:
        """Any customer's but a busy one's."""
        owner = chance.choice(self.owners)
        merchant, _, customer = owner.partition(b":")
        return merchant + b":%08x" % chance.randrange(self.copies) + customer

    def read(self, topic: int, at: int, key: bytes, value: bytes) -> Read:
        """The next record of a topic."""
        offset = self.next[topic]
        self.next[topic] = offset + 1
        return Read(topic, 0, offset, at, key, value, None)


class Taken(NamedTuple):
    """Seconds that pages took, of the clock and of CPU, and the most deliveries of one."""

    seconds: list[float]
    cpu: list[float]
    most: int = 0


def _bench(options: argparse.Namespace, path: Path) -> list[Target]:
    pipeline = _pipeline()
    day = _day(options.day, pipeline)
    each_day = sum(len(each.sent) for each in day)
    copies = max(1, options.deliveries // each_day)
    filling = Filling(path, day, copies)
    written, cpu = filling.run()
    settle(filling.writer.file)
    deliveries = sum(filling.next[number] for number in filling.live.values())
    customers = len(filling.owners) * copies
    print(
        f"{deliveries:,} deliveries of {customers:,} customers and {len(filling.busy)} busy ones: "
        f"{filling.rows:,} records of topics filed in {written:,.0f} s, "
        f"{filling.rows / written:,.0f} a second, {cpu / filling.rows * 1e6:.1f} µs of CPU each",
        flush=True,
    )
    size = path.stat().st_size
    print(f"file: {size / 2**30:.2f} GiB, {size / deliveries:,.0f} bytes a delivery with all else")
    chance = Random(7)
    keys = [filling.key(chance) for _ in range(PAGES)]
    busy = sorted(filling.busy)
    targets = []
    for name, some in (("a customer", keys), (f"busy, {BUSY_EVENTS:,} events", busy)):
        for cold in (True, False):
            taken = _pages(filling.index, pipeline, some, cold=cold)
            how = "cold" if cold else "warm"
            print(f"page of {name}, {how}, of up to {taken.most:,} deliveries:")
            print(f"  {_spread(taken.seconds)}; of CPU {_spread(taken.cpu)}")
            bound = f"page of {name}, {how}, max"
            targets.append(at_most(bound, PAGE_SECONDS, max(taken.seconds), " s"))
    found = _finds(filling, keys)
    print(f"find by key, id and address, cold: {_spread(found)}")
    targets.append(at_most("find, cold, max", PAGE_SECONDS, max(found), " s"))
    minutes = written * 10_000_000 / deliveries / 60
    targets.append(at_most("filling 10,000,000 deliveries", FILL_MINUTES, minutes, " min"))
    filling.writer.close()
    return targets


def _pages(index: Index, pipeline: Pipeline[Any], keys: Sequence[bytes], *, cold: bool) -> Taken:
    """Read all that a page shows of each customer, and tell their story."""
    taken, most = Taken([], []), 0
    for key in keys:
        if cold:
            _let_go(index.path)
        began, cpu = time.perf_counter(), time.process_time()
        ends = ends_of(index.outcomes(key), lambda topic: topic.endswith(".low"))
        chapters = told(index.came(ORDERGROOVE, key), lambda _: pipeline, ends, 1 << 60)
        Story(chapters, [end for some in ends.values() for end in some])
        deliveries = index.deliveries(key)
        taken.seconds.append(time.perf_counter() - began)
        taken.cpu.append(time.process_time() - cpu)
        most = max(most, len(deliveries))
        if not (chapters and deliveries):
            raise RuntimeError("a page is empty")
    return taken._replace(most=most)


def _finds(filling: Filling, keys: Sequence[bytes]) -> list[float]:
    seconds = []
    for key in keys:
        customer = key.partition(b":")[2].decode()
        address = f"{int(customer[:8], 16)}.{customer[8:]}@shop-demo.io"
        for text in (key.decode(), customer, address):
            _let_go(filling.index.path)
            began = time.perf_counter()
            found = filling.index.find(text)
            seconds.append(time.perf_counter() - began)
            if [each.key for each in found] != [key]:
                raise RuntimeError(f"found by {text[:4]}…: {len(found)} customers")
    return seconds


def _let_go(path: Path) -> None:
    """Have the system forget what it keeps in memory of a file."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _spread(seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    middle, last, most = (each * 1_000 for each in (cuts[49], cuts[98], max(seconds)))
    return f"p50 {middle:,.1f}, p99 {last:,.1f}, max {most:,.1f} ms"


def _pipeline() -> Pipeline[Any]:
    routes = [Route(name, each.takes) for name, each in sorted(DESTINATIONS.items())]
    options = DeriveOptions(history="complete")
    return Pipeline(codec("sources/ordergroove"), codec("events/enriched"), routes, options)


def _day(events: int, pipeline: Pipeline[Any]) -> list[Event]:
    """The demo shop's day, as far as it comes to deliveries at once."""
    rows, found, now = dict[bytes, bytes](), list[Event](), time.time()
    for at, body in enumerate(Shop(7, events=events, opens=opens_for(now)), int(now * 1_000)):
        try:
            real = _real(body, at, pipeline, rows)
        except BadRecord:
            continue
        owner = real.owner.partition(b":")[2].decode()
        sent = [
            (connection, Template(delivery, owner), Template(outcome, owner))
            for connection, delivery, outcome in real.sent
        ]
        found.append(Event(real.owner, Template(real.record, owner), sent))
    return found


def _real(body: bytes, at: int, pipeline: Pipeline[Any], rows: dict[bytes, bytes]) -> Real:
    """A webhook's record and what comes of it; raises `BadRecord`."""
    record = record_of(body, at)
    key = customer_key(record["merchant"], record["customer_id"])
    value = codec("sources/ordergroove").encode(record)
    processed = pipeline.process(value, rows.get, at, key, at)
    if processed.value is not None:
        rows[key] = processed.value
    decode = codec("events/enriched").decode
    sent = [
        (connection, each.value, _outcome(decode(each.value), connection))
        for each in processed.told
        if each.value
        for connection in each.connections
    ]
    return Real(key, value, sent)


def _order(customer: str, number: int, at: int) -> bytes:
    """A busy customer's webhooks: one subscription, then orders."""
    own = {"customer": customer, "merchant_user_id": customer}
    if number == 0:
        return webhook("subscription.create", subscription("a1", at, created=at) | own, at)
    type_ = ("order.reminder", "order.success")[number % 2]
    return webhook(type_, order(f"o{number:05}") | own, at)


def _outcome(event: dict[str, Any], connection: str) -> bytes:
    """What became of a delivery, as large as such outcomes are."""
    told = {
        "delivery_id": delivery_id(event["event_id"], event["type"], connection), "part": "event",
        "connection": connection, "destination": connection, "event_id": event["event_id"],
        "type": event["type"], "merchant": event["merchant"], "customer_id": event["customer_id"],
        "outcome": "delivered", "reason": None, "field": None, "final": True, "attempts": 1,
        "status": 202, "latency_ms": 180, "request_digest": "5d1b7c1e3a554c0c",
        "field_hashes": {f"properties.field_{i}": b"%08d" % i for i in range(20)},
        "topic": f"og.deliveries.{connection}", "partition": 0, "offset": 1,
        "occurred_at": event["occurred_at"], "recorded_at": event["occurred_at"], "excerpt": None,
        "corrects": None,
    }  # fmt: skip
    return codec("outcome").encode(told)
