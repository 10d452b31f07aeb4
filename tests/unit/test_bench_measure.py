"""What benches measure with: figures, tables, targets; never how fast anything is."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.bench.comparison import STEADY, aims
from tests.bench.measure import Figure, compared, cpu_seconds, family, median, peak_mib, plain_table
from tests.bench.targets import at_least, at_most, print_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.workloads import Workload

SPEND = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint(); sys.stdin.read()"


def figure(engine: str = "ours", **changes: Any) -> Figure:
    """A figure of 1,000 events in 2 s, 1 s of CPU and 100 MiB, but for what is changed."""
    told = {"events": 1_000, "seconds": 2.0, "cpu_seconds": 1.0, "peak_mib": 100.0}
    return Figure(**({"engine": engine, "guarantee": "exactly-once"} | told | changes))


@pytest.fixture
def child() -> Iterator[int]:
    """A process of ours that has spent 0.3 s of CPU, and lives on."""
    command = [sys.executable, "-c", SPEND]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.communicate()


def test_what_children_spend_is_their_parents_too(child: int) -> None:
    """An engine of several processes costs what they all cost."""
    own, all_of_it = cpu_seconds(os.getpid(), tree=False), cpu_seconds(os.getpid())

    assert child in family(os.getpid())
    assert cpu_seconds(child) >= 0.28
    assert all_of_it >= own + 0.28


def test_what_ended_children_spent_is_still_counted() -> None:
    """A worker that was replaced has cost something."""
    before = cpu_seconds(os.getpid()) - cpu_seconds(os.getpid(), tree=False)
    subprocess.run([sys.executable, "-c", SPEND], input=b"", stdout=subprocess.PIPE, check=True)
    after = cpu_seconds(os.getpid()) - cpu_seconds(os.getpid(), tree=False)

    assert after >= before + 0.28


def test_a_process_that_is_gone_has_no_peak_and_no_cpu() -> None:
    """A figure of nothing must not pass for a small one."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()

    assert peak_mib(process.pid) == 0
    with pytest.raises(OSError, match=str(process.pid)):
        cpu_seconds(process.pid)


def test_repetitions_come_to_the_median_of_each_quantity() -> None:
    """One slow repetition moves no figure, whatever its number of events."""
    repetitions = [
        figure(events=1_000, seconds=2.0, cpu_seconds=1.0, peak_mib=90, excluded=100),
        figure(events=4_000, seconds=8.0, cpu_seconds=4.0, peak_mib=100, excluded=200),
        figure(events=1_000, seconds=9.0, cpu_seconds=5.0, peak_mib=110, excluded=300),
    ]
    middle = median(repetitions)

    assert (500.0, 1_000.0) == (middle.per_second, middle.cpu_per_million)
    assert (1_000, 100.0, 200) == (middle.events, middle.peak_mib, middle.excluded)


def test_a_table_compares_with_ours() -> None:
    """Ratios above one speak for ours, but for memory."""
    peer = figure("peer", events=100, cpu_seconds=0.5, peak_mib=400)

    lines = [line.split() for line in compared([figure(), peer]).splitlines()]
    assert [
        ["ours", "exactly-once", "1,000", "500", "1,000.0", "100", "1.00x", "1.00x", "1.00x"],
        ["peer", "exactly-once", "100", "50", "5,000.0", "400", "10.00x", "5.00x", "0.25x"],
    ] == lines[1:]


def test_numbers_stand_at_the_right_of_a_column() -> None:
    """So that their sizes are seen."""
    rows = [("ours", "1,000", "-"), ("another", "9", "1")]

    assert [
        "engine   events  note",
        "ours      1,000  -",
        "another       9  1",
    ] == plain_table(("engine", "events", "note"), rows).splitlines()


def test_each_target_says_whether_it_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """A bound itself is reached; one that is not makes the whole not reached."""
    targets = [at_least("speed", 4, 4.0, "x"), at_most("memory", 0.5, 0.514, "x")]
    reached = print_targets(targets)

    assert not reached
    assert capsys.readouterr().out.splitlines() == [
        "target  wanted   figure",
        "speed   ≥ 4x         4x  reached yes",
        "memory  ≤ 0.50x   0.51x  reached no",
    ]


class _Pipeline:
    """Stands for a workload of a table."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.cpu_micros = 61.0

    def truth(self, events: int) -> _Pipeline:  # noqa: ARG002
        """The truth."""
        return self


FIGURES = {
    "ours": figure(),
    "faust": figure(seconds=32.0),
    "quix": figure(seconds=7.0),
    "kafka-streams": figure(events=STEADY, cpu_seconds=600, seconds=400, peak_mib=250),
}
AIMS = [
    pytest.param("reference", 1, FIGURES, [True, False, True, True], id="one worker"),
    pytest.param("reference", 2, FIGURES, [False, True], id="whole machine"),
    pytest.param("product", 1, {k: FIGURES[k] for k in ("ours", "faust", "quix")},
                 [True, True, False], id="product"),
    pytest.param("reference", 1, FIGURES | {"kafka-streams": figure()}, [True, False],
                 id="a JVM that still compiles"),
    pytest.param("reference", 1, {"faust": FIGURES["faust"]}, [], id="nothing of ours"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "workers", "figures", "reached"), AIMS)
def test_targets_follow_from_ratios_to_each_peer(
    table: str, workers: int, figures: dict[str, Figure], reached: list[bool]
) -> None:
    """15 and 4 of the reference job, 10 and 3 of the product's; Java by CPU, or by the clock."""
    options = argparse.Namespace(workers=workers)
    found = aims(cast("Workload", _Pipeline(table)), options, figures)

    assert reached == [target.reached for target in found]
