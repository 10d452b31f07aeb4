"""How far a long command is, where somebody looks; elsewhere nothing. And durations in words."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from streams.model import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

duration_text = wording.duration


@contextmanager
def counting(what: str, total: int | None = None) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar; gives the function that is told how much is done in all, and of how much."""
    if not sys.stderr.isatty():
        yield _nobody
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)

        def told(done: int, of: int | None = None) -> None:
            bars.update(task, completed=done, total=total if of is None else of)

        yield told


@contextmanager
def adding(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar; gives the function that is told how much more is done."""
    done = 0
    with counting(what, total) as told:

        def add(some: int) -> None:
            nonlocal done
            done += some
            told(done, None)

        yield add


def _nobody(_done: int, _of: int | None = None) -> None:
    """Nobody looks."""
