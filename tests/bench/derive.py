"""`./run bench derive`: our engine and its peers on one broker, on the same records, in one run.

Two tables: `reference`, a small job that every engine has, and `product`, the product's own
pipeline with the demo shop's records and four connections. One engine after another works off its
own copy of the records, all of them again for each repetition; figures are medians. An engine's
outputs are compared with what one thread makes of the records: a figure whose outputs differ is
WRONG, and the bench fails.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka.admin import AdminClient

from streams.demo.broker import Broker
from tests.bench.comparison import STEADY, aims
from tests.bench.engines import ENGINES, Run
from tests.bench.measure import Figure, compared, median
from tests.bench.outputs import differences, written
from tests.bench.peers.quix_home import NotAvailable
from tests.bench.targets import print_targets
from tests.bench.trial import TrialFailed, log_tail, trial
from tests.bench.workloads import Workload, product_workload, reference_workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.engines import Engine

TABLES = ("reference", "product")
TITLES = {
    "reference": "reference job: Avro in, durable rows with a changelog, encoded once, 4 outputs",
    "product": "the product's pipeline: the demo shop's records, 4 connections",
}


class Bench(NamedTuple):
    """What all runs have in common."""

    options: argparse.Namespace
    broker: Broker
    directory: Path


def main(arguments: Sequence[str]) -> int:
    """Run the bench; 1 if outputs were wrong or an engine failed.

    With `STREAMS_REQUIRE_ALL` set, also if one was skipped.
    """
    options = _options(arguments)
    wrong = False
    with tempfile.TemporaryDirectory(prefix="streams-bench-") as place:
        directory = Path(place)
        with Broker(directory / "kafka") as broker:
            for table in TABLES if options.table == "all" else (options.table,):
                wrong |= _table(Bench(options, broker, directory), table)
    return int(wrong)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench derive", description=__doc__)
    parser.add_argument("--table", choices=("all", *TABLES), default="all")
    parser.add_argument("--peers", default=",".join(ENGINES), help=f"of {','.join(ENGINES)}")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--slow-events", type=int, default=30_000, help="for Faust and Quix")
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--subscribers", type=int, default=10_000, help="of the reference job")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="processes, or stream threads")
    options = parser.parse_args(arguments)
    options.peers = options.peers.split(",")
    for name in options.peers:
        if name not in ENGINES:
            parser.error(f"no engine {name}")
    return options


def _table(bench: Bench, table: str) -> bool:
    """Run one table and print it; true if something was wrong."""
    options = bench.options
    print(f"\n== {TITLES[table]}\n{machine()}", flush=True)
    workload = _workload(bench, table)
    figures: dict[str, list[Figure]] = defaultdict(list)
    failed: set[str] = set()
    skipped: set[str] = set()
    engines = [ENGINES[name] for name in options.peers if table in ENGINES[name].tables]
    for number in range(options.repeat):
        for engine in engines:
            if engine.name in failed | skipped:
                continue
            try:
                figure = measured(bench, workload, engine, number)
                if figure is not None:
                    figures[engine.name].append(figure)
            except NotAvailable as error:
                print(f"  {engine.name}: skipped: {error}", flush=True)
                skipped.add(engine.name)
            except (TrialFailed, WrongOutputs) as error:
                print(f"  {engine.name}: {error}", flush=True)
                failed.add(engine.name)
    medians = {name: median(each) for name, each in figures.items() if name not in failed}
    _print(bench, workload, medians)
    return bool(failed or (skipped and os.environ.get("STREAMS_REQUIRE_ALL")))


class WrongOutputs(Exception):
    """An engine's outputs are not the truth: its figure is worth nothing."""


def _workload(bench: Bench, table: str) -> Workload:
    options = bench.options
    if table == "reference":
        return reference_workload(options.partitions, options.events, options.subscribers)
    place = bench.directory / "shop"
    place.mkdir()
    return product_workload(bench.broker.bootstrap, options.partitions, options.events, place)


def measured(bench: Bench, workload: Workload, engine: Engine, number: int) -> Figure | None:
    """One engine, once: its own topics, the run, and what it wrote; None if it was too quick."""
    options, bootstrap = bench.options, bench.broker.bootstrap
    events = workload.clip(options.slow_events if engine.slow else options.events)
    prefix = f"{workload.table}-{engine.name}-{number}"
    directory = bench.directory / prefix
    directory.mkdir()
    run = Run(
        bootstrap=bootstrap,
        prefix=prefix,
        partitions=options.partitions,
        table=workload.table,
        workers=options.workers,
        directory=directory,
    )
    truth = workload.truth(events).under(prefix)
    job = workload.job(prefix)
    workload.fill(bootstrap, prefix, events)
    try:
        figure = trial(engine, run, job.source, events)
        wrong = differences(truth, written(bootstrap, prefix, job.outputs))
        if wrong:
            log = log_tail(directory / "0.log")
            raise WrongOutputs(f"WRONG, does not count: {'; '.join(wrong)}\n{log}")
    finally:
        _clear(bootstrap, prefix)
        shutil.rmtree(directory)
    if figure is None:
        print(
            f"  {engine.name}: {events:,} events are too few to measure, they were committed at"
            " once; outputs as they should be",
            flush=True,
        )
        return None
    print(
        f"  {engine.name}: {figure.per_second:,.0f} events/s, {figure.cpu_per_million:,.1f} CPU-s a"
        f" million, {figure.peak_mib:,.0f} MiB; {events:,} events, warm-up {figure.excluded:,};"
        " outputs as they should be",
        flush=True,
    )
    return figure


def _clear(bootstrap: str, prefix: str) -> None:
    """Delete a run's topics, the engine's own as well."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = [name for name in admin.list_topics(timeout=10).topics if prefix in name]
    for deleted in admin.delete_topics(topics, request_timeout=30).values():
        deleted.result()


def _print(bench: Bench, workload: Workload, medians: dict[str, Figure]) -> None:
    options = bench.options
    if not medians:
        return
    print(
        f"\nmedians of {options.repeat}; {options.workers} worker(s), {options.partitions} "
        "partitions; without each run's warm-up (until a tenth is committed)"
    )
    print(compared(list(medians.values())))
    for name in medians:
        if ENGINES[name].note:
            print(f"{ENGINES[name].label}: {ENGINES[name].note}")
    java = medians.get("kafka-streams")
    if java is not None and java.events < STEADY:
        print(f"Kafka Streams still compiles: its targets need --events {2 * STEADY:,} or more")
    targets = aims(workload, options, medians)
    if targets:
        print()
        print_targets(targets)


def machine() -> str:
    """What it runs on, and the command that was given."""
    cpus = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    model = cpus[0] if cpus else platform.machine()
    return (
        f"{len(cpus)} cores ({model}), Python {platform.python_version()}, Apache Kafka 4.1.1 "
        f"beside it, confluent-kafka {metadata.version('confluent-kafka')}; "
        f"./run bench {' '.join(sys.argv[1:])}"
    )
