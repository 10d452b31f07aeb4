"""`./run bench latency`: from a source record's append to a delivery record that can be read.

The product's own derive worker, exactly-once, is fed the demo shop's records at a steady rate; each
has its time beforehand, so what waits behind something slow is counted too. A consumer that reads
only what is committed notes when a connection's first event of each record is in its hands.

Latency is that moment less the broker's stamp of the source record (`LogAppendTime`), both of this
machine's wall clock. The stamp is cut to a whole millisecond and the consumer looks at the clock
after it has the record, so the figure is too large by up to a millisecond, never too small. The
figure from the moment at which a record was due also has the producer's linger (5 ms) and the
broker's answer in it. Left out: events that nothing comes of for this connection, those of a
checkout's end (they wait for `checkout_settle`), and the seconds of the warm-up.
"""

from __future__ import annotations

import argparse
import time
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from streams.avro import HEADER, codec
from streams.pipeline import enriched_of
from tests.bench import copies
from tests.bench.measure import cpu_seconds, plain_table
from tests.bench.open_loop import Feeder, Sent, Watcher, percentile
from tests.bench.peers.jobs import CONNECTIONS
from tests.bench.program import Program, Worker, on_a_broker
from tests.bench.targets import at_most, print_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

SECONDS = {10: 20.0, 5_000: 10.0}
"""Further rates, events a second, and for how long."""
WARM_SECONDS = 3.0
P50_MS, P99_MS = 60.0, 250.0
WATCHED = "klaviyo"
WAITS = "subscriber.subscriptions_created"
GRACE_SECONDS = 1.0

HEADING = (
    "events/s", "records", "delivered", "p50 ms", "p95 ms", "p99 ms", "max ms", "due: p50", "p99",
    "late feed", "CPU of a core", "CPU µs/event", "transactions/s",
)  # fmt: skip


class Phase(NamedTuple):
    """What one rate came to.

    Attributes:
        rate: events a second.
        records: measured.
        latencies: seconds from the append until an event was readable, in order of size.
        from_due: seconds from the time at which a record was due, in order of size.
        behind: seconds by which the feeder was late at most.
        cpu: of the worker, for the records measured.
        seconds: of the clock, for these.
        transactions: the worker's.
        steps: what the worker spent the time on, milliseconds a transaction by step of a batch.
    """

    rate: float
    records: int
    latencies: list[float]
    from_due: list[float]
    behind: float
    cpu: float
    seconds: float
    transactions: float
    steps: dict[str, float]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench latency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short, for CI: ./run bench latency --seconds 3 --alone --day 2000",
    )
    parser.add_argument("--rate", type=float, default=1_000.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured at that rate")
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--day", type=int, default=10_000, help="webhooks of the day to feed")
    parser.add_argument(
        "--alone", action="store_true", help="this rate only, without 10/s and 5,000/s beside it"
    )
    options = parser.parse_args(arguments)
    with on_a_broker() as (place, bootstrap):
        _bench(options, place / "program", bootstrap)
    return 0


def _bench(options: argparse.Namespace, place: Path, bootstrap: str) -> None:
    program = Program(place, bootstrap, partitions=options.partitions)
    rates = {options.rate: options.seconds}
    if not options.alone:
        rates = dict(sorted((SECONDS | rates).items()))
    day = copies.day(options.day)
    wanted = sum(int(rate * (seconds + WARM_SECONDS)) for rate, seconds in rates.items())
    told = copies.whole(day, wanted)
    print(
        f"derive, exactly-once, 1 worker, {options.partitions} partitions, {len(CONNECTIONS)} "
        f"connections of which {WATCHED} is watched"
    )
    with program.worker() as worker:
        worker.ready()
        feeder = Feeder(bootstrap, program.names.events("ordergroove"))
        phases = [
            _phase(
                program,
                worker,
                feeder,
                list(islice(told, int(rate * (seconds + WARM_SECONDS)))),
                rate,
            )
            for rate, seconds in rates.items()
        ]
    print(plain_table(HEADING, map(_row, phases)))
    for phase in phases:
        steps = ", ".join(f"{step} {each:.1f}" for step, each in phase.steps.items())
        print(f"{phase.rate:,.0f} events/s, ms a transaction: {steps}")
    aimed = next(phase for phase in phases if phase.rate == options.rate)
    at = f"at {options.rate:,.0f} events/s"
    milliseconds = [percentile(aimed.latencies, p) * 1_000 for p in (50, 99)]
    print_targets(
        [
            at_most(f"append to readable, p50 {at}", P50_MS, milliseconds[0], " ms"),
            at_most(f"append to readable, p99 {at}", P99_MS, milliseconds[1], " ms"),
        ]
    )


def _phase(
    program: Program, worker: Worker, feeder: Feeder, pairs: list[tuple[bytes, bytes]], rate: float
) -> Phase:
    """Feed at one rate: first to warm up, then to measure."""
    warm = int(rate * WARM_SECONDS)
    before = worker.read("streams_records_total")
    feeder.feed(pairs[:warm], rate)
    pairs = pairs[warm:]
    watcher = Watcher(program.bootstrap, program.names.deliveries(WATCHED))
    transactions, steps = worker.read("streams_transactions_total"), worker.steps()
    cpu, began = cpu_seconds(worker.pid, tree=False), time.monotonic()
    sent = feeder.feed(pairs, rate)
    cpu, seconds = cpu_seconds(worker.pid, tree=False) - cpu, time.monotonic() - began
    transactions = worker.read("streams_transactions_total") - transactions
    spent = {step: spent - steps.get(step, 0) for step, spent in worker.steps().items()}
    worker.processed(before + warm + len(pairs))
    time.sleep(GRACE_SECONDS)  # what the last transaction wrote is still on its way to the watcher
    watcher.stop()
    came = first_seen(watcher.seen)
    matched = matches(pairs, sent, came)
    return Phase(
        rate=rate,
        records=len(pairs),
        latencies=sorted(seen - each.appended for each, seen in matched),
        from_due=sorted(seen - each.due for each, seen in matched),
        behind=max(each.sent - each.due for each in sent),
        cpu=cpu,
        seconds=seconds,
        transactions=transactions,
        steps={step: each / transactions * 1_000 for step, each in spent.items()},
    )


def first_seen(seen: Iterable[tuple[float, Sequence[bytes]]]) -> dict[str, float]:
    """Source event → when the first event that comes of it was seen, epoch seconds."""
    enriched = codec("events/enriched")
    came: dict[str, float] = {}
    for now, values in seen:
        for value in values:
            event = enriched_of(enriched, value)
            if event.type != WAITS:
                came.setdefault(event.source_event_id, now)
    return came


def matches(
    pairs: Sequence[tuple[bytes, bytes]], sent: Sequence[Sent], came: Mapping[str, float]
) -> list[tuple[Sent, float]]:
    """The times of each record that something came of, of a repeated one those of its first."""
    matched: dict[str, tuple[Sent, float]] = {}
    for (_, value), times in zip(pairs, sent, strict=True):
        event_id = event_id_of(value)
        if event_id in came:
            matched.setdefault(event_id, (times, came[event_id]))
    return list(matched.values())


def event_id_of(record: bytes) -> str:
    """The id of a source record, which is its first field and shorter than 64 bytes."""
    size = record[HEADER] // 2
    return record[HEADER + 1 : HEADER + 1 + size].decode()


def _row(phase: Phase) -> tuple[str, ...]:
    percents = [percentile(phase.latencies, p) * 1_000 for p in (50, 95, 99, 100)]
    due = [percentile(phase.from_due, p) * 1_000 for p in (50, 99)]
    return (
        f"{phase.rate:,.0f}",
        f"{phase.records:,}",
        f"{len(phase.latencies):,}",
        *(f"{each:,.1f}" for each in (*percents, *due, phase.behind * 1_000)),
        f"{phase.cpu / phase.seconds:.0%}",
        f"{phase.cpu / phase.records * 1e6:,.0f}",
        f"{phase.transactions / phase.seconds:,.1f}",
    )
