"""How far a run of `streams replay` is, said on the command line."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

import click

from streams.cli.progress import counting
from streams.cli.replay.lines import gone_text
from streams.replay.transaction import TakenOver

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.replay.report import Happened, Report
    from streams.replay.runs import Run

_LOOK_SECONDS: Final = 0.5
_STILL: Final = 10
"""Looks without anything new after which it is asked how far the low lane is."""


class Refused(click.ClickException):
    """Another command took over."""

    exit_code = 75


class Following:
    """Says on the command line how far a run is."""

    def __init__(self, run: Run | None = None) -> None:
        """Begin; `run`: one that is gone on with."""
        self._run = run
        self._bar: Callable[[int, int | None], None] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: object
    ) -> None:
        self._stack.close()
        if isinstance(error, TakenOver):
            appended = self._run.appended if self._run is not None else 0
            raise Refused(f"{error}: {appended:,} are appended") from None

    def told(self, run: Run) -> None:
        """Show it; the first time, also whether it begins."""
        if self._bar is None and not run.ended:
            done = "goes on" if run.position else "begins"
            click.echo(f"{run.id}: {done}", err=True)
            self._bar = self._stack.enter_context(counting("appending", run.deliveries))
        if self._bar is not None:
            self._bar(run.appended, None)
        self._run = run

    def ended(self, low: str) -> None:
        """Say what was done."""
        self._stack.close()
        run = self._run
        if run is None:
            return
        if self._bar is None:
            click.echo(f"{run.id}: all of it is appended already")
            return
        click.echo(f"{run.id}: {run.appended:,} deliveries appended to {low}")
        if run.gone:
            click.echo(gone_text(run))
        click.echo(f"What comes of them: streams replay report {run.id}")


def drained(follower: Report, found: Run) -> Happened:
    """Wait until the low lane has passed all of a run."""
    still, before = 0, -1
    with counting(f"{found.connection} sends") as bar:
        while True:
            happened = follower.look(positions=False)
            still = still + 1 if happened.concluded == before else 0
            before = happened.concluded
            bar(happened.concluded, happened.records)
            if happened.concluded == happened.records or still % _STILL == _STILL - 1:
                happened = follower.look(positions=True)
                if happened.drained:
                    return happened
            time.sleep(_LOOK_SECONDS)
