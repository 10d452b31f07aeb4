"""`./run bench derive`: the product's own derive worker, exactly-once, on the real broker.

The source topic is filled first with the demo shop's webhooks; then one worker, started as in
production, works it off. Time and CPU count from its first committed batch to its last, so that
start-up is left out; both are the worker process's own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from streams.demo.broker import Broker, free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Metrics
from streams.demo.shop import Shop, opens_for

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 600.0
TICKS = os.sysconf("SC_CLK_TCK")

SETTINGS = """\
prefix = "bench"
[kafka]
bootstrap = "{bootstrap}"
[topics]
partitions = {partitions}
replication = 1
[derive]
guarantee = "{guarantee}"
[connections.klaviyo]
"""


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print a line for each repetition."""
    parser = argparse.ArgumentParser(prog="./run bench derive", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--guarantee", choices=("exactly_once", "at_least_once"), default="exactly_once"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="streams-bench-") as place:
        directory = Path(place)
        with Broker(directory / "kafka") as broker:
            return _bench(options, directory, broker.bootstrap)


def _bench(options: argparse.Namespace, directory: Path, bootstrap: str) -> int:
    settings = SETTINGS.format(
        bootstrap=bootstrap, partitions=options.partitions, guarantee=options.guarantee
    )
    (directory / "streams.toml").write_text(settings)
    Child("topics", ("topics", "create"), directory, {}).wait(60)
    bodies = directory / "bodies.jsonl"
    shop = Shop(options.seed, events=options.events, opens=opens_for(time.time()))
    with bodies.open("wb") as file:
        file.writelines(body + b"\n" for body in shop)
    produce = Child("produce", ("produce", "ordergroove", str(bodies)), directory, {})
    produce.wait(PATIENCE)
    records = int(produce.tail(1).split()[0])
    (port,) = free_ports(1)
    worker = Child("derive", ("worker", "derive", "--port", str(port)), directory, {})
    try:
        return _measure(options, worker, Metrics(f"http://127.0.0.1:{port}"), records)
    finally:
        stop([worker])


def _measure(options: argparse.Namespace, worker: Child, metrics: Metrics, records: int) -> int:
    deadline = time.monotonic() + PATIENCE
    began = first = spent = 0.0
    numbers: dict[str, float] = {}
    while (done := numbers.get("streams_records_total", 0.0)) < records:
        worker.check()
        if time.monotonic() > deadline:
            print(f"only {done:.0f} of {records} records in time")
            return 1
        time.sleep(0.02)
        numbers = metrics.read()
        if not began and (first := numbers.get("streams_records_total", 0.0)):
            began, spent = time.monotonic(), _cpu_seconds(worker)
    seconds, cpu = time.monotonic() - began, _cpu_seconds(worker) - spent
    counted = records - first
    if counted <= 0:
        print(f"{records} records are too few to measure: they came in one batch")
        return 1
    print(
        f"derive, {options.guarantee}, 1 worker, {options.partitions} partitions, "
        f"{records:,} records of which {counted:,.0f} measured: {counted / seconds:,.0f} events/s, "
        f"{cpu / counted * 1e6:.1f} CPU µs an event, "
        f"{numbers.get('streams_transactions_total', 0):.0f} transactions, "
        f"{_peak_mib(worker):.0f} MiB peak"
    )
    return 0


def _cpu_seconds(child: Child) -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _peak_mib(child: Child) -> float:
    """Largest resident size of the process so far."""
    for line in Path(f"/proc/{child.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
