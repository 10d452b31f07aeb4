"""`./run bench restore`: a worker's start over a changelog of so many rows, until it is ready.

The rows are a demo day's, copied under new customers (`tests.bench.copies`), so sizes are spread
like the product's. Figures from generous to strict: rows a second of the restore itself, as the
worker counts it; rows a second of what a start takes longer than over an empty changelog; seconds
from the start of the process until it is ready; and its CPU for a row, which a busy machine changes
least. Several starts, whose median counts: the first finds a broker that has not served such a read
yet, and memory that a virtual machine still has to get from its host. With RocksDB, also a start
after a kill, which reads only what its own files lack.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import copies
from tests.bench.measure import cpu_seconds, peak_mib, resident_mib
from tests.bench.program import STATES, Program, Worker, on_a_broker
from tests.bench.targets import at_least, print_targets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.targets import Target

ROWS_A_SECOND = 200_000
TAIL = 5_000
"""Events between the two starts with files of its own."""


class Start(NamedTuple):
    """Seconds until a worker was ready, its CPU until then, and rows and seconds of its restore."""

    seconds: float
    cpu: float
    rows: float = 0
    restore: float = 0


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench restore",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short, for CI: ./run bench restore --rows 20000 --day 2000",
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--state", choices=STATES, default="memory", help="the store of the rows")
    parser.add_argument(
        "--shape", choices=("day", "median"), default="day",
        help="rows as large as the day's, or all about as large as their median",
    )  # fmt: skip
    parser.add_argument("--starts", type=int, default=5, help="over all rows")
    parser.add_argument("--day", type=int, default=10_000, help="webhooks of the day to copy")
    options = parser.parse_args(arguments)
    with on_a_broker() as (place, bootstrap):
        print_targets(_bench(options, place, bootstrap))
    return 0


def _bench(options: argparse.Namespace, place: Path, bootstrap: str) -> list[Target]:
    program = Program(
        place / "program", bootstrap, partitions=options.partitions, state=options.state
    )
    with program.worker() as worker:
        empty = Start(worker.ready(), cpu_seconds(worker.pid, tree=False))
    print(
        f"start over an empty changelog: ready after {empty.seconds:.1f} s, "
        f"{empty.cpu:.1f} s of CPU"
    )
    day = copies.day(options.day)
    if options.shape == "median":
        day = copies.middle(day)
    sizes = [row.size for _, row in day.rows]
    began = time.monotonic()
    size = program.fill_rows(copies.rows(day, options.rows))
    print(
        f"changelog: {options.rows:,} rows of {len(sizes):,} shapes, median "
        f"{statistics.median(sizes):,.0f} and mean {statistics.mean(sizes):,.0f} bytes, "
        f"{size / 2**20:,.0f} MiB with keys, {options.partitions} partitions; "
        f"filled in {time.monotonic() - began:.0f} s"
    )
    starts = []
    for number in range(options.starts):
        with program.worker() as worker:
            starts.append(_start(worker, empty, options.state))
            if options.state == "rocksdb" and number == options.starts - 1:
                program.fill_records(copies.records(day, TAIL, options.rows))
                worker.processed(TAIL)
                worker.kill()
        if options.state == "rocksdb" and number < options.starts - 1:
            program.forget()
    if options.state == "rocksdb":
        with program.worker() as worker:
            ready = worker.ready()
            print(
                f"start over its own files, {TAIL:,} events and a kill -9 later: ready after "
                f"{ready:.1f} s, {worker.read('streams_restored_rows_total'):,.0f} rows read"
            )
    return _targets(starts, empty, options.state)


def _start(worker: Worker, empty: Start, state: str) -> Start:
    """Print and return what a start over all rows came to."""
    ready, cpu = worker.ready(), cpu_seconds(worker.pid, tree=False)
    read = worker.metrics.read()
    rows, seconds = read["streams_restored_rows_total"], read["streams_restore_seconds_total"]
    print(
        f"start over all rows, {state}: ready after {ready:.1f} s, of which the restore "
        f"{seconds:.1f} s for {rows:,.0f} rows; {cpu:.1f} s of CPU, "
        f"{(cpu - empty.cpu) / rows * 1e6:.1f} µs a row; "
        f"{resident_mib(worker.pid):,.0f} MiB resident, {peak_mib(worker.pid):,.0f} at most"
    )
    return Start(ready, cpu, rows, seconds)


def _targets(starts: Sequence[Start], empty: Start, state: str) -> list[Target]:
    """The medians; on a busy machine the empty start may be slower than one with rows."""
    restored = statistics.median(each.rows / each.restore for each in starts)
    ready = statistics.median(
        each.rows / max(each.seconds - empty.seconds, each.restore) for each in starts
    )
    return [
        at_least(f"restore, {state}", ROWS_A_SECOND, restored, " rows/s"),
        at_least(f"until ready, {state}, less an empty start", ROWS_A_SECOND, ready, " rows/s"),
    ]
