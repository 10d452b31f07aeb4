"""The engines that are compared, and how each is started: processes, measured from outside.

All are started with `--bootstrap HOST:PORT --prefix P --partitions N`, and their group is
`P-<engine>`; the product's own worker has its command line and settings file instead.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.names import Names
from tests.bench.peers import kafka_streams, quix_home
from tests.bench.workloads import worker_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["ENGINES", "Engine", "Run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: where, under which prefix, on what table, with how many workers."""

    bootstrap: str
    prefix: str
    partitions: int
    table: str
    workers: int
    directory: Path

    @property
    def arguments(self) -> list[str]:
        """What every engine is started with."""
        return [
            "--bootstrap", self.bootstrap,
            "--prefix", self.prefix,
            "--partitions", str(self.partitions),
        ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine.

    Attributes:
        name: `--peers` has it, and its group.
        label: what tables call it.
        guarantee: likewise.
        commands: what to start for a run, one for each process; raises `NotAvailable`.
        slow: it may get fewer events.
        tables: those that it has a job for.
        note: how it was set up, for those who read the table.
    """

    name: str
    label: str
    guarantee: str
    commands: Callable[[Run], Sequence[Sequence[str]]]
    slow: bool = False
    tables: Sequence[str] = ("reference", "product")
    note: str = ""

    def group(self, run: Run) -> str:
        """The consumer group that its progress is read from."""
        if run.table == "product" and self.name.startswith("ours"):
            return Names(run.prefix).derive_group
        return f"{run.prefix}-{self.name}"


def _ours(guarantee: str) -> Callable[[Run], Sequence[Sequence[str]]]:
    def commands(run: Run) -> Sequence[Sequence[str]]:
        python = [sys.executable, "-P", "-m"]
        if run.table == "reference":
            job = [*python, "tests.bench.reference.ours", *run.arguments]
            return [[*job, "--guarantee", guarantee]] * run.workers
        settings = worker_settings(run.bootstrap, run.prefix, run.partitions, guarantee)
        (run.directory / "streams.toml").write_text(settings)
        return [[*python, "streams", "worker", "derive", "--port", "0"]] * run.workers

    return commands


def _faust(run: Run) -> Sequence[Sequence[str]]:
    command = [sys.executable, "-P", "-m", "tests.bench.peers.faust", *run.arguments]
    return [[*command, "--table", run.table]] * run.workers


def _quix(run: Run) -> Sequence[Sequence[str]]:
    python = str(quix_home.interpreter())
    command = [python, "-P", "-m", "tests.bench.peers.quix", *run.arguments, "--table", run.table]
    return [[*command, "--state", f"state-{number}"] for number in range(run.workers)]


def _kafka_streams(run: Run) -> Sequence[Sequence[str]]:
    return [
        kafka_streams.command(run.bootstrap, run.prefix, run.partitions, run.workers, run.directory)
    ]


_ALL = (
    Engine(
        name="ours",
        label="ours",
        guarantee="exactly-once",
        commands=_ours("exactly_once"),
    ),
    Engine(
        name="ours-alo",
        label="ours",
        guarantee="at-least-once",
        commands=_ours("at_least_once"),
    ),
    Engine(
        name="faust",
        label="stock Faust 0.15.3",
        guarantee="at-least-once",
        commands=_faust,
        slow=True,
        note="uvloop, Cython paths, large buffers, commits every 0.25 s",
    ),
    Engine(
        name="quix",
        label="Quix Streams 3.28.1",
        guarantee="exactly-once",
        commands=_quix,
        slow=True,
        note="commits every 10,000 records or 1 s",
    ),
    Engine(
        name="kafka-streams",
        label="Kafka Streams 4.1.1",
        guarantee="exactly-once v2",
        commands=_kafka_streams,
        tables=("reference",),
        note="Java, RocksDB; a stream thread for each worker",
    ),
)
ENGINES = {engine.name: engine for engine in _ALL}
"""By name, in the order in which they run."""
