"""`./run bench delivery`: how much of each vendor's allowed rate is reached, and what is refused.

Real deliver workers (`worker deliver --all`), a real broker, and the vendors' simulators over real
sockets: they answer after 200 ms and enforce the published limits. Vendors run at once, as far as
two cores can serve them: attentive, klaviyo and ometria, then yespo. Their delivery topics are
filled beforehand with the demo shop's events under new customers, with more than can be sent, so
that nothing but limits holds anything back. Requests are counted by the simulators, whatever they
carry. The first minute of each run does not count: vendors' minute windows are not full before, and
a second process has only a newcomer's portion of them.

With two processes nine tenths of the load lie in the partition of one of them.

Where nothing limits, one process sends to a simulator without limits and latency that runs beside
it on the same cores.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
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
from tests.bench.measure import cpu_seconds, plain_table
from tests.bench.program import on_a_broker
from tests.bench.targets import at_least, at_most, print_targets
from tests.bench.vendors import LATENCY_SECONDS, VENDORS, Simulator, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from streams.model.enriched import EnrichedEvent
    from tests.bench.targets import Target
    from tests.bench.vendors import Count, Vendor

WARM_SECONDS = 60.0
START_SECONDS = 40.0
"""Until all workers send, at most: so much more is filled in."""
MORE = 1.1
AT_ONCE = 400.0
"""Requests a second, of all vendors that run at once, at their allowed rates."""
PARTITIONS = 2
EVENT = "subscription.cancel"
"""The type of all events: all vendors take it, in one request (Attentive: and one of attributes),
Ometria by the hundred."""

SHARE = 95.0
FREE_RATE = 1_200.0
FREE_WARM_SECONDS = 5.0
FREE_SECONDS = 20.0
FREE_VENDOR = "klaviyo"

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
HEADING = (
    "vendor", "processes", "allowed/s", "reached/s", "share", "429", "by the busier process",
)  # fmt: skip


class Reached(NamedTuple):
    """What one vendor got in the steady state of one run.

    Attributes:
        vendor: whose simulator it was.
        processes: workers.
        rate: requests a second that were not refused.
        throttled: 429s.
        busier: share of what was accepted since the start that one worker sent.
    """

    vendor: str
    processes: int
    rate: float
    throttled: int
    busier: float

    @property
    def share(self) -> float:
        """Percent of the allowed rate."""
        return 100.0 * self.rate / VENDORS[self.vendor].allowed


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench delivery",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short: ./run bench delivery --vendors klaviyo,ometria --processes 1 --minutes 1",
    )
    parser.add_argument("--vendors", default=",".join(VENDORS), help="of them, by commas")
    parser.add_argument("--processes", type=int, choices=(1, 2), help="only this many")
    parser.add_argument("--skew", default="90/10", help="of the load, with two processes")
    parser.add_argument("--minutes", type=float, default=3.0, help="measured, after the first")
    parser.add_argument("--unlimited", action="store_true", help="only where nothing limits")
    options = parser.parse_args(arguments)
    vendors = options.vendors.split(",")
    first, _, second = options.skew.partition("/")
    if unknown := set(vendors) - set(VENDORS):
        parser.error(f"--vendors: {', '.join(unknown)}; known are {', '.join(VENDORS)}")
    if not (first.isdecimal() and second.isdecimal() and int(first) + int(second) == 100):
        parser.error("--skew: two numbers that make 100, like 90/10")
    targets: list[Target] = []
    with on_a_broker() as (place, bootstrap):
        events = _templates()
        if not options.unlimited:
            for processes in (options.processes,) if options.processes else (1, 2):
                found: list[Reached] = []
                for number, group in enumerate(_groups(vendors)):
                    home = place / f"p{processes}-{number}"
                    run = _Run(home, bootstrap, events, processes, int(second))
                    found += _limited(run, group, options.minutes)
                targets += _targets(found, f"two, {options.skew}" if processes > 1 else "one")
        if options.unlimited or options.processes is None:
            targets += _free(_Run(place / "free", bootstrap, events, 1, 50))
    print_targets(targets)
    return 0


class _Run(NamedTuple):
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


def _groups(vendors: Sequence[str]) -> list[list[str]]:
    """The vendors that run at once: with more, the machine would be the limit."""
    groups: list[list[str]] = []
    left = 0.0
    for name in vendors:
        rate = VENDORS[name].allowed * VENDORS[name].parts
        if rate > left:
            groups.append([])
            left = AT_ONCE
        groups[-1].append(name)
        left -= rate
    return groups


def _targets(found: Sequence[Reached], how: str) -> list[Target]:
    worst = min(found, key=lambda each: each.share)
    refused = sum(each.throttled for each in found)
    return [
        at_least(
            f"share of the allowed rate, processes: {how}; {worst.vendor}", SHARE, worst.share, " %"
        ),
        at_most(f"429s in steady state, processes: {how}", 0, refused),
    ]


def _limited(run: _Run, vendors: Sequence[str], minutes: float) -> list[Reached]:
    """Run against the published limits, print what was reached, and return it."""
    seconds = WARM_SECONDS + minutes * 60 + START_SECONDS
    with ExitStack() as stack:
        simulators, environment = _prepared(run, vendors, stack, limited=True)
        for name in vendors:
            vendor = VENDORS[name]
            _fill(run, name, int(vendor.allowed * vendor.records * seconds * MORE))
        workers = _start(run, environment, len(vendors), stack)
        time.sleep(WARM_SECONDS)
        before = {name: each.count() for name, each in simulators.items()}
        time.sleep(minutes * 60)
        after = {name: each.count() for name, each in simulators.items()}
        accepted = [each.accepted() for each in workers]
        for each in workers:
            each.check()
    found = [
        _reached(name, run.processes, before[name], after[name], [a.get(name, 0) for a in accepted])
        for name in vendors
    ]
    print(
        f"{run.processes} process{'es' * (run.processes > 1)}, these at once, answers after "
        f"{LATENCY_SECONDS * 1_000:.0f} ms; {minutes:g} min after the first, which does not count"
    )
    print(plain_table(HEADING, map(_row, found)), flush=True)
    return found


def _free(run: _Run) -> list[Target]:
    """Run where nothing limits, print the rate, and return the target."""
    seconds = FREE_WARM_SECONDS + FREE_SECONDS
    with ExitStack() as stack:
        simulators, environment = _prepared(run, [FREE_VENDOR], stack, limited=False)
        _fill(run, FREE_VENDOR, int(3 * FREE_RATE * seconds))
        [worker] = _start(run, environment, 1, stack)
        simulator = simulators[FREE_VENDOR]
        began = time.monotonic()
        while not simulator.count().requests and time.monotonic() < began + START_SECONDS:
            worker.check()
            time.sleep(0.1)
        time.sleep(FREE_WARM_SECONDS)
        before, cpu = simulator.count(), cpu_seconds(worker.pid)
        time.sleep(FREE_SECONDS)
        after, cpu = simulator.count(), cpu_seconds(worker.pid) - cpu
    rate = (after.requests - before.requests) / (after.at - before.at)
    print(
        f"nothing limits: {rate:,.0f} requests/s of one process, which took "
        f"{cpu / (after.at - before.at):.0%} of a core; simulator and broker share the machine"
    )
    return [at_least("requests/s of a process where nothing limits", FREE_RATE, rate)]


def _prepared(
    run: _Run, vendors: Sequence[str], stack: ExitStack, *, limited: bool
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
    Child("topics", ("topics", "create"), run.place, environment).wait(WARM_SECONDS)
    return simulators, environment


def _concurrency(vendor: Vendor) -> int:
    """Twice what is under way at the allowed rate, but not less than by default."""
    return max(64, int(2 * vendor.allowed * vendor.parts * LATENCY_SECONDS))


def _start(
    run: _Run, environment: dict[str, str], connections: int, stack: ExitStack
) -> list[Worker]:
    """Start the workers together, and wait until each has its partitions."""
    workers: list[Worker] = []
    stack.callback(Worker.stop, workers)
    for number, port in enumerate(free_ports(run.processes), 1):
        workers.append(Worker(f"deliver-{number}", port, run.place, environment))
    for each in workers:
        each.ready(PARTITIONS * connections // len(workers))
    return workers


def _reached(
    vendor: str, processes: int, before: Count, after: Count, accepted: Sequence[float]
) -> Reached:
    throttled = after.throttled - before.throttled
    taken = after.requests - before.requests - throttled
    rate = taken / (after.at - before.at)
    return Reached(vendor, processes, rate, throttled, max(accepted) / max(1.0, sum(accepted)))


def _row(reached: Reached) -> tuple[str, ...]:
    return (
        reached.vendor,
        str(reached.processes),
        f"{VENDORS[reached.vendor].allowed:,.1f}",
        f"{reached.rate:,.1f}",
        f"{reached.share:.1f} %",
        str(reached.throttled),
        f"{reached.busier:.0%}",
    )


def _templates() -> list[EnrichedEvent]:
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


def _fill(run: _Run, vendor: str, count: int) -> None:
    fill(run.bootstrap, run.names.deliveries(vendor), _deliveries(run, count))


def _deliveries(run: _Run, count: int) -> Iterator[tuple[bytes, bytes, int, int]]:
    """So many deliveries, each of a customer of its own, in the partition of its load."""
    encode = struct_writer(codec("events/enriched"))
    at = int(time.time() * 1_000)
    for number, event in zip(range(count), _over_and_over(run.events), strict=False):
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


def _over_and_over(events: Sequence[EnrichedEvent]) -> Iterable[EnrichedEvent]:
    while True:
        yield from events
