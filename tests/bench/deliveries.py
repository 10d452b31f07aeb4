"""What the benches of delivery run on: vendors, workers, and topics full of a demo day's events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from streams.avro import codec
from streams.avro_structs import struct_writer
from streams.demo.broker import free_ports
from streams.demo.children import Child
from streams.demo.shop import Shop, opens_for
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.errors import BadRecord
from streams.model.ids import customer_key
from streams.names import Names
from streams.pipeline import Pipeline, enriched_of
from streams.route import Route
from streams.sources.ordergroove import record_of
from tests.bench.filling import NOW, fill
from tests.bench.vendors import LATENCY_SECONDS, VENDORS, Simulator, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from streams.model.enriched import EnrichedEvent
    from tests.bench.vendors import Vendor

__all__ = ["PARTITIONS", "Run", "deliveries", "fill_deliveries", "prepared", "start", "templates"]

PARTITIONS = 2
EVENT = "subscription.cancel"
"""The type of all events: all vendors take it, in one request (Attentive: and one of attributes),
Ometria by the hundred."""
_TOPICS_SECONDS = 60.0

SETTINGS = """\
prefix = "{prefix}"

[kafka]
bootstrap = "{bootstrap}"

[topics]
partitions = {partitions}
replication = 1

"""
CONNECTION = """\
[connections.{name}]
mode = "live"
start = "beginning"
url = "{url}"
concurrency = {concurrency}
limits = {limits}

"""


class Run(NamedTuple):
    """One run: its directory, the broker, the events to copy, workers, percent for the second."""

    place: Path
    bootstrap: str
    events: Sequence[EnrichedEvent]
    processes: int
    second: int

    @property
    def names(self) -> Names:
        """Of its topics."""
        return Names(self.place.name)


def prepared(
    run: Run, vendors: Sequence[str], stack: ExitStack, *, limited: bool
) -> tuple[dict[str, Simulator], dict[str, str]]:
    """Start the simulators, write the settings, create the topics; return the environment, too."""
    run.place.mkdir()
    simulators = {
        name: stack.enter_context(Simulator(name, port, run.place, limited=limited))
        for name, port in zip(vendors, free_ports(len(vendors)), strict=True)
    }
    text = SETTINGS.format(
        prefix=run.place.name, bootstrap=run.bootstrap, partitions=PARTITIONS
    ) + "".join(
        CONNECTION.format(
            name=name,
            url=each.url,
            concurrency=_concurrency(VENDORS[name]),
            limits="1.0" if limited else '"off"',
        )
        for name, each in simulators.items()
    )
    (run.place / "streams.toml").write_text(text)
    environment = {
        f"STREAMS_CONNECTIONS__{name.upper()}__CREDENTIALS": "pk_bench5c1d" for name in vendors
    } | {"PYTHONWARNINGS": "ignore"}
    Child("topics", ("topics", "create"), run.place, environment).wait(_TOPICS_SECONDS)
    return simulators, environment


def _concurrency(vendor: Vendor) -> int:
    """Twice what is under way at the allowed rate, but not less than by default."""
    return max(64, int(2 * vendor.allowed * vendor.parts * LATENCY_SECONDS))


def start(
    run: Run, environment: dict[str, str], connections: int, stack: ExitStack
) -> list[Worker]:
    """Start the workers together, and wait until each has its partitions."""
    workers: list[Worker] = []
    stack.callback(Worker.stop, workers)
    for number, port in enumerate(free_ports(run.processes), 1):
        workers.append(Worker(f"deliver-{number}", port, run.place, environment))
    for each in workers:
        each.ready(PARTITIONS * connections // len(workers))
    return workers


def templates() -> list[EnrichedEvent]:
    """The events of a demo day that are of the type to be sent."""
    now = time.time()
    at = int(now * 1_000)
    encode, enriched = codec("sources/ordergroove").encode, codec("events/enriched")
    routes = [Route(name, each.takes) for name, each in sorted(DESTINATIONS.items())]
    options = DeriveOptions(history="complete")
    pipeline = Pipeline(codec("sources/ordergroove"), enriched, routes, options)
    rows: dict[bytes, bytes] = {}
    found = []
    for body in Shop(7, events=3_000, opens=opens_for(now)):
        try:
            record = record_of(body, at)
            key = customer_key(record["merchant"], record["customer_id"])
            processed = pipeline.process(encode(record), rows.get, at, key, at)
        except BadRecord:
            continue
        if processed.value is not None:
            rows[processed.key] = processed.value
        events = [enriched_of(enriched, told.value) for told in processed.told if told.value]
        found += [each for each in events if each.type == EVENT and each.profile.email]
    return found


def fill_deliveries(run: Run, vendor: str, count: int) -> None:
    """Write so many to a vendor's delivery topic."""
    fill(run.bootstrap, run.names.deliveries(vendor), deliveries(run, count))


def deliveries(run: Run, count: int) -> Iterator[tuple[bytes, bytes, int, int]]:
    """So many deliveries, each of a customer of its own, in the partition of its load."""
    encode = struct_writer(codec("events/enriched"))
    at = int(time.time() * 1_000)
    for number, event in zip(range(count), over_and_over(run.events), strict=False):
        customer = f"{number:08x}"
        told = replace(
            event,
            event_id=f"{customer}{event.event_id[8:]}",
            customer_id=customer,
            occurred_at=at,
            late=False,
            profile=replace(event.profile, email=f"{customer}@shop-demo.io", phone_number=None),
        )
        key = customer_key(event.merchant, customer)
        # in turn by the percentage, so that both partitions last equally long
        yield key, encode(told), int(number * 37 % 100 < run.second), NOW


def over_and_over(events: Sequence[EnrichedEvent]) -> Iterable[EnrichedEvent]:
    while True:
        yield from events
