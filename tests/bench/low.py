"""`./run bench low`: what is live beside a low lane that is full, and without one.

A real deliver worker, a real broker and Klaviyo's simulator over real sockets, which answers after
200 ms and enforces the published limits. Deliveries come live at a steady rate, each of a customer
of its own; their latency is from the append until their outcome is readable, so it has the vendor's
200 ms in it, and what the worker adds is the rest. First nothing else happens, then the low lane
holds more than can be sent meanwhile.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from streams.avro import codec
from tests.bench.deliveries import Run, deliveries, prepared, start, templates
from tests.bench.filling import fill
from tests.bench.measure import plain_table
from tests.bench.open_loop import Feeder, Watcher, percentile
from tests.bench.program import on_a_broker
from tests.bench.targets import at_most, print_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.vendors import Simulator

VENDOR = "klaviyo"
RATIO = 1.5
WARM_SECONDS = 5.0
PATIENCE = 60.0
HEADING = ("low lane", "live", "p50 ms", "p95 ms", "p99 ms", "low lane's requests/s")


class Phase(NamedTuple):
    """One phase: latencies in seconds, in order, and requests a second of the low lane."""

    name: str
    latencies: list[float]
    low: float

    def at(self, percent: float) -> float:
        """A percentile, in milliseconds."""
        return percentile(self.latencies, percent) * 1_000


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench low",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short: ./run bench low --seconds 10",
    )
    parser.add_argument("--rate", type=float, default=10.0, help="live deliveries a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each phase")
    options = parser.parse_args(arguments)
    with on_a_broker() as (place, bootstrap), ExitStack() as stack:
        run = Run(place / "low", bootstrap, templates(), 1, 50)
        simulators, environment = prepared(run, [VENDOR], stack, limited=True)
        start(run, environment, 1, stack)
        live = int(options.rate * (options.seconds + WARM_SECONDS))
        beside = int(60 * (options.seconds + WARM_SECONDS))
        told = deliveries(run, 2 * live + beside)
        feeder = Feeder(bootstrap, run.names.deliveries(VENDOR))
        phases = []
        for name in ("empty", "full"):
            if name == "full":
                fill(bootstrap, run.names.low(VENDOR), islice(told, beside))
            pairs = [(key, value) for key, value, *_ in islice(told, live)]
            phases.append(_phase(run, simulators[VENDOR], feeder, pairs, options.rate, name))
    print(plain_table(HEADING, map(_row, phases)))
    empty, full = phases
    print_targets(
        [
            at_most(f"live latency, p{percent}, low lane full", RATIO, full.at(percent) / at, "x")
            for percent, at in ((50, empty.at(50)), (95, empty.at(95)))
        ]
    )
    return 0


def _phase(
    run: Run,
    simulator: Simulator,
    feeder: Feeder,
    pairs: list[tuple[bytes, bytes]],
    rate: float,
    name: str,
) -> Phase:
    """Feed at a rate, wait for the outcomes, and measure all but the first seconds'."""
    watcher = Watcher(run.bootstrap, run.names.outcomes)
    before = simulator.count()
    sent = feeder.feed(pairs, rate)
    topic, decode = run.names.deliveries(VENDOR), codec("outcome").decode
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = {
            outcome["customer_id"]: at
            for at, values in list(watcher.seen)
            for outcome in map(decode, values)
            if outcome["topic"] == topic and outcome["final"]
        }
        if len(seen) >= len(pairs):
            break
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(seen)} of {len(pairs)} live deliveries have an outcome")
        time.sleep(0.2)
    after = simulator.count()
    watcher.stop()
    warm = int(rate * WARM_SECONDS)
    latencies = sorted(
        seen[key.decode().rpartition(":")[2]] - each.appended
        for (key, _), each in list(zip(pairs, sent, strict=True))[warm:]
    )
    low = (after.requests - before.requests - len(pairs)) / (after.at - before.at)
    return Phase(name, latencies, low)


def _row(phase: Phase) -> tuple[str, ...]:
    figures = (f"{phase.at(percent):,.0f}" for percent in (50, 95, 99))
    return phase.name, f"{len(phase.latencies):,}", *figures, f"{phase.low:,.1f}"
