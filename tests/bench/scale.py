"""`./run bench scale`: does an event cost more with more partitions, or with more subscribers?

Three of the product's derive workers, exactly-once, stand side by side: few partitions and few
subscribers, many partitions, many subscribers. Their rows come from their changelogs, copied from a
demo day (`tests.bench.copies`). Then each in turn, again and again, is given events that come to
its rows at random, the same number for each, and its CPU until all are committed is divided by
them; while one works the others have nothing to do. The ratio of two workers is the median of the
rounds' own ratios, so that a machine that is slow for a while changes little; the first round warms
up. With few subscribers rows grow by an event a round on average, which the ratio owes them.
"""

from __future__ import annotations

import argparse
import statistics
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import copies
from tests.bench.measure import cpu_seconds, plain_table
from tests.bench.program import Program, Worker, on_a_broker
from tests.bench.targets import at_most, print_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.bench.targets import Target

MOST = 1.2
"""How many times as much an event may cost."""


class Case(NamedTuple):
    """How many of each, and its prefix."""

    name: str
    partitions: int
    subscribers: int


class Running(NamedTuple):
    """A case's worker, and what it is going to be told."""

    case: Case
    program: Program
    worker: Worker
    pairs: Iterator[tuple[bytes, bytes]]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short, for CI: ./run bench scale --partitions 2 8 --subscribers 1000 5000"
        " --events 1000 --rounds 1 --day 2000",
    )
    parser.add_argument("--partitions", type=int, nargs=2, default=(4, 64), metavar=("FEW", "MANY"))
    parser.add_argument(
        "--subscribers", type=int, nargs=2, default=(10_000, 1_000_000), metavar=("FEW", "MANY")
    )
    parser.add_argument("--events", type=int, default=10_000, help="of a round, for each worker")
    parser.add_argument("--rounds", type=int, default=5, help="after the one that warms up")
    parser.add_argument("--day", type=int, default=10_000, help="webhooks of the day to copy")
    options = parser.parse_args(arguments)
    with on_a_broker() as (place, bootstrap):
        print_targets(_bench(options, place, bootstrap))
    return 0


def _bench(options: argparse.Namespace, place: Path, bootstrap: str) -> list[Target]:
    (few, many), (small, large) = options.partitions, options.subscribers
    cases = [
        Case("base", few, small),
        Case("partitions", many, small),
        Case("subscribers", few, large),
    ]
    day = copies.day(options.day)
    with ExitStack() as started:
        running = [_start(case, day, options, place, bootstrap, started) for case in cases]
        rounds = [
            [_round(each, options.events) for each in running] for _ in range(options.rounds + 1)
        ]
    rounds = rounds[1:]
    table = [
        (
            f"{case.partitions}",
            f"{case.subscribers:,}",
            f"{statistics.median(spent):.1f}",
            f"{min(spent):.1f}",
            f"{max(spent):.1f}",
        )
        for case, spent in zip(cases, zip(*rounds, strict=True), strict=True)
    ]
    print(f"derive, exactly-once, {options.rounds} rounds of {options.events:,} events each")
    print(plain_table(("partitions", "subscribers", "CPU µs/event", "least", "most"), table))
    ratios = [ratio(rounds, number) for number in (1, 2)]
    return [
        at_most(f"an event's cost, {few} to {many} partitions", MOST, ratios[0], "x"),
        at_most(f"an event's cost, {small:,} to {large:,} subscribers", MOST, ratios[1], "x"),
    ]


def _start(
    case: Case, day: copies.Day, options: argparse.Namespace, place: Path, bootstrap: str,
    started: ExitStack,
) -> Running:  # fmt: skip
    """Start a case's worker over its rows, and wait until it has them."""
    program = Program(place / case.name, bootstrap, prefix=case.name, partitions=case.partitions)
    program.fill_rows(copies.rows(day, case.subscribers))
    worker = started.enter_context(program.worker())
    worker.ready()
    events = options.events * (options.rounds + 1)
    return Running(case, program, worker, copies.records(day, events, case.subscribers))


def _round(running: Running, events: int) -> float:
    """Give a worker so many events, and return its CPU for one of them, microseconds."""
    pairs = [next(running.pairs) for _ in range(events)]
    done, spent = running.worker.read("streams_records_total"), _cpu(running)
    running.program.fill_records(pairs)
    running.worker.processed(done + events)
    return (_cpu(running) - spent) / events * 1e6


def _cpu(running: Running) -> float:
    return cpu_seconds(running.worker.pid, tree=False)


def ratio(rounds: Sequence[Sequence[float]], number: int) -> float:
    """How many times what the first case costs a case costs: the median of the rounds' ratios."""
    return statistics.median(each[number] / each[0] for each in rounds)
