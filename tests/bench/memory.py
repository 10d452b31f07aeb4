"""`./run bench memory`: how much a worker holds over so many rows.

Resident size (VmRSS) and its largest so far (VmHWM) of the worker's process: once it has restored
the rows, and once it has worked off events that come to these rows at random. The rows are a demo
day's, copied under new customers (`tests.bench.copies`): those about as large as their median, or
all. What is aimed at is the largest size at the end, for that is what a machine must have.
"""

from __future__ import annotations

import argparse
import statistics
from typing import TYPE_CHECKING

from tests.bench import copies
from tests.bench.measure import peak_mib, plain_table, resident_mib
from tests.bench.program import STATES, Program, on_a_broker
from tests.bench.targets import at_most, print_targets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.targets import Target

MOST_MIB = {"memory": 1.2 * 1024, "rocksdb": 400.0}
"""Store → what 1 M median rows may take."""
AIMED_ROWS = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short, for CI: ./run bench memory --rows 20000 --events 2000 --day 2000",
    )
    parser.add_argument("--rows", type=int, default=AIMED_ROWS)
    parser.add_argument("--events", type=int, default=50_000, help="worked off over the rows")
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument(
        "--state", default=",".join(STATES), help="stores of the rows, such as memory,rocksdb"
    )
    parser.add_argument(
        "--shape", choices=("median", "day"), default="median",
        help="rows all about as large as the day's median, or spread like the day's",
    )  # fmt: skip
    parser.add_argument("--day", type=int, default=10_000, help="webhooks of the day to copy")
    options = parser.parse_args(arguments)
    states = options.state.split(",")
    if not set(states) <= set(STATES):
        parser.error(f"--state: choose from {', '.join(STATES)}")
    day = copies.day(options.day)
    if options.shape == "median":
        day = copies.middle(day)
    sizes = [row.size for _, row in day.rows]
    print(
        f"{options.rows:,} rows: median {statistics.median(sizes):,.0f} and mean "
        f"{statistics.mean(sizes):,.0f} bytes, keys of {day.rows[0][0].size}; "
        f"{options.events:,} events over them; {options.partitions} partitions"
    )
    with on_a_broker() as (place, bootstrap):
        print_targets([_bench(options, day, state, place, bootstrap) for state in states])
    return 0


def _bench(
    options: argparse.Namespace, day: copies.Day, state: str, place: Path, bootstrap: str
) -> Target:
    """Print what one store takes, and return how that compares with what is aimed at."""
    program = Program(
        place / state, bootstrap, prefix=state, partitions=options.partitions, state=state
    )
    with program.worker() as worker:
        worker.ready()
        lines = [_line("no rows", worker.pid)]
    program.fill_rows(copies.rows(day, options.rows))
    with program.worker() as worker:
        worker.ready()
        lines.append(_line("rows restored", worker.pid))
        program.fill_records(copies.records(day, options.events, options.rows))
        worker.processed(options.events)
        lines.append(_line("events worked off", worker.pid))
        peak = peak_mib(worker.pid)
    print(f"{state}:")
    print(plain_table(("when", "resident MiB", "largest MiB"), lines))
    return at_most(
        f"{state}, largest at {options.rows:,} {options.shape} rows", MOST_MIB[state], peak, " MiB"
    )


def _line(when: str, pid: int) -> tuple[str, str, str]:
    return when, f"{resident_mib(pid):,.0f}", f"{peak_mib(pid):,.0f}"
