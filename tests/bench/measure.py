"""What the benches measure with: a process's CPU and memory from /proc, figures, and plain tables.

Everything is measured from outside of what is measured, the same for every engine.
"""

from __future__ import annotations

import os
import statistics
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Figure",
    "compared",
    "cpu_seconds",
    "family",
    "median",
    "peak_mib",
    "plain_table",
    "resident_mib",
]

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one run of an engine came to, from the end of its warm-up to its last event.

    Attributes:
        engine: whose it is.
        guarantee: `exactly-once` or `at-least-once`, and what else tells its runs apart.
        events: how many were measured.
        seconds: of the clock, for these.
        cpu_seconds: user and system, of all the engine's processes, for these.
        peak_mib: largest resident size, the engine's processes added up, start-up included.
        excluded: events of the warm-up, which are not in `events`.
    """

    engine: str
    guarantee: str
    events: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    excluded: int = 0

    @property
    def per_second(self) -> float:
        """Events a second of the clock."""
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds a million events."""
        return self.cpu_seconds / self.events * 1e6


def cpu_seconds(pid: int, *, tree: bool = True) -> float:
    """User and system seconds of a process so far, with all that descend from it if `tree`.

    A child that ended counts as soon as its parent took note. Raises `OSError` when `pid` is gone.
    """
    total = _ticks(pid, children=tree)
    for each in family(pid)[1:] if tree else ():
        with suppress(OSError):  # it ended just now
            total += _ticks(each, children=True)
    return total / TICKS


def peak_mib(pid: int) -> float:
    """Largest resident size of a process so far (VmHWM), MiB; 0 when it is gone."""
    return _status_mib(pid, "VmHWM")


def resident_mib(pid: int) -> float:
    """Resident size of a process now (VmRSS), MiB; 0 when it is gone."""
    return _status_mib(pid, "VmRSS")


def family(pid: int) -> list[int]:
    """A process and all that descend from it now, itself first."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def _status_mib(pid: int, name: str) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _ticks(pid: int, *, children: bool) -> int:
    """Clock ticks of a process; with `children` also those of children that it has waited for."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, stat[11:15] if children else stat[11:13]))


def median(figures: Sequence[Figure]) -> Figure:
    """The median of an engine's repetitions, of each quantity by itself."""
    one = figures[0]
    events = int(statistics.median(each.events for each in figures))
    return Figure(
        engine=one.engine,
        guarantee=one.guarantee,
        events=events,
        seconds=statistics.median(each.seconds / each.events for each in figures) * events,
        cpu_seconds=statistics.median(each.cpu_seconds / each.events for each in figures) * events,
        peak_mib=statistics.median(each.peak_mib for each in figures),
        excluded=int(statistics.median(each.excluded for each in figures)),
    )


def compared(figures: Sequence[Figure]) -> str:
    """A table of figures, with ratios to the first, which is ours.

    The ratios say how many times as fast ours is, how many times its CPU the other takes, and how
    much of the other's memory ours takes.
    """
    ours = figures[0]
    rows = [
        (
            each.engine,
            each.guarantee,
            f"{each.events:,}",
            f"{each.per_second:,.0f}",
            f"{each.cpu_per_million:,.1f}",
            f"{each.peak_mib:,.0f}",
            f"{ours.per_second / each.per_second:.2f}x",
            f"{each.cpu_per_million / ours.cpu_per_million:.2f}x",
            f"{ours.peak_mib / each.peak_mib:.2f}x",
        )
        for each in figures
    ]
    header = (
        "engine", "guarantee", "events", "events/s", "CPU-s/million", "peak MiB",
        "ours is faster", "its CPU to ours", "our memory to its",
    )  # fmt: skip
    return plain_table(header, rows)


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of text: those of which every cell starts with a digit to the right."""
    rows = list(rows)
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [bool(rows) and all(cell[:1].isdigit() for cell in column[1:]) for column in columns]
    lines = (
        "  ".join(
            cell.rjust(width) if numbers else cell.ljust(width)
            for cell, width, numbers in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in (header, *rows)
    )
    return "\n".join(lines)
