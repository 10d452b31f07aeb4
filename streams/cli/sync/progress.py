"""How far a sync is: bars on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, Progress, TextColumn

from streams.cli.progress import duration_text
from streams.sources.ordergroove.state import FORMS
from streams.sync.forecast import BASES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.sync.forecast import Forecast
    from streams.sync.reading import Taken

log = logging.getLogger(__name__)

_EVERY: Final = 10.0


def progress_line(forecast: Forecast, seconds: float) -> str:
    """`12,300 entities of about 60,000 (20 %), 1,230/s, about 40 s left (by …)`."""
    outlook = forecast.whole()
    rate = (outlook.read - forecast.read_before) / max(seconds, 0.001)
    text = f"{outlook.read:,} entities"
    if outlook.share is not None:
        text += f" of about {outlook.total:,} ({outlook.share:.0%})"
    text += f", {rate:,.0f}/s"
    left = outlook.left(seconds, forecast.read_before)
    if left is not None:
        text += f", about {duration_text(left)} left"
    return f"{text} ({BASES[outlook.basis]})"


@contextmanager
def showing(forecast: Forecast, merchant: str) -> Iterator[Callable[[Taken], None]]:
    """Show what comes; gives the function that is told of each page."""
    began = time.monotonic()
    if not sys.stderr.isatty():
        yield _logged(forecast, merchant, began)
        return
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
    )
    with Progress(*columns, transient=True) as bars:
        whole = bars.add_task("all", total=None, text="")
        tasks = {name: bars.add_task(name, total=None, text="") for name in FORMS}

        def heard(page: Taken) -> None:
            forecast.note(page.entity, page.results, last=page.next is None)
            outlook = forecast.of(page.entity)
            told = f"{outlook.read:,}"
            bars.update(tasks[page.entity], completed=outlook.read, total=outlook.total, text=told)
            together = forecast.whole()
            line = progress_line(forecast, time.monotonic() - began)
            bars.update(whole, completed=together.read, total=together.total, text=line)

        yield heard


def _logged(forecast: Forecast, merchant: str, began: float) -> Callable[[Taken], None]:
    said = began

    def heard(page: Taken) -> None:
        nonlocal said
        forecast.note(page.entity, page.results, last=page.next is None)
        now = time.monotonic()
        if now - said >= _EVERY:
            said = now
            log.info("merchant %s: %s", merchant, progress_line(forecast, now - began))

    return heard
