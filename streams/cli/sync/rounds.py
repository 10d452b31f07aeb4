"""Runs of a sync: one of each merchant, or one after another for as long as the process stays."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from streams.cli.confirmation import confirm
from streams.cli.sync.lines import advice, ended_lines, plan_lines, window_text
from streams.cli.sync.progress import showing
from streams.engine.producer import REFUSED
from streams.errors import ConfigurationError, StreamsError
from streams.ingest.server import serve
from streams.metrics import metrics_page, registry_of
from streams.sync.forecast import Forecast
from streams.sync.gauges import sync_metrics
from streams.sync.planning import Asked, first_pages, of_turn
from streams.sync.web import application

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.cli.sync.syncing import Prepared, Syncing
    from streams.ingest.ordergroove_api import OrdergrooveApi

log = logging.getLogger(__name__)

STOPPED: Final = 75
"""Exit status of a run that was stopped: the same command goes on with it."""

_AGAIN_SECONDS: Final = 60.0
"""Until a run that failed is tried again, if its turn does not come earlier."""


class Wish(NamedTuple):
    """What is to be done.

    Attributes:
        asked: which run.
        changes_only: leave out what has no filter by time.
        yes: the number that confirms the first run.
    """

    asked: Asked
    changes_only: bool
    yes: int | None


async def once(syncing: Syncing, merchants: Sequence[str], wish: Wish) -> int:
    """One run of each merchant, confirmed where somebody said since when; the exit status.

    Raises:
        NotConfirmed: nothing was done.
        ConfigurationError, ApiAway, ApiUnexpected, SyncTakenOver, KafkaException: as `Syncing`.
    """
    async with AsyncExitStack() as stack:
        apis = {m: await stack.enter_async_context(syncing.api(m)) for m in merchants}
        prepared = [await syncing.prepare(m, wish.asked, apis[m]) for m in merchants]
        await _confirmed(syncing, prepared, apis, wish)
        stopping = _signalled()
        for each in prepared:
            done = await _perform(syncing, each, apis[each.merchant], stopping, wish)
            if not done:
                click.echo("stopped; the same command goes on with it", err=True)
                return STOPPED
    return 0


async def stay(
    syncing: Syncing, merchants: Sequence[str], wish: Wish, every: float, place: tuple[str, int]
) -> int:
    """Runs every so many seconds until a signal ends them; the exit status.

    What fails is said on `/readyz` and tried again; only where nothing was ever read of a merchant
    a `ConfigurationError` ends the process.
    """
    stopping = _signalled()
    metrics = partial(metrics_page, registry_of(partial(sync_metrics, syncing.counts)))
    app = application(syncing.counts, metrics, oldest=3 * every + wish.asked.behind / 1_000)
    async with serve(app, *place) as url:
        log.info("health on %s", url)
        while not stopping.is_set():
            began = time.monotonic()
            for merchant in merchants:
                await _turn(syncing, merchant, wish, stopping)
            left = max(0.0, began + every - time.monotonic())
            wait = min(left, _AGAIN_SECONDS) if syncing.counts.failing else left
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), wait)
    return 0


async def _turn(syncing: Syncing, merchant: str, wish: Wish, stopping: asyncio.Event) -> None:
    """One run of one merchant among others."""
    counts = syncing.counts
    try:
        standing = await asyncio.to_thread(syncing.standing, merchant)
        if standing.watermark is not None:
            counts.watermarks.setdefault(merchant, standing.watermark)
        async with syncing.api(merchant) as api:
            prepared = await syncing.prepare(merchant, of_turn(standing, wish.asked), api)
            await _perform(syncing, prepared, api, stopping, wish)
    except (StreamsError, *REFUSED) as error:
        if isinstance(error, ConfigurationError) and merchant not in counts.watermarks:
            raise
        log.warning("merchant %s: the run ends, and goes on later: %s", merchant, error)
        counts.failed[merchant] += 1
        counts.failing[merchant] = type(error).__name__
    else:
        counts.failing.pop(merchant, None)


async def _confirmed(
    syncing: Syncing,
    prepared: Sequence[Prepared],
    apis: dict[str, OrdergrooveApi],
    wish: Wish,
) -> None:
    """Show what new runs will read, and have the number of what is certain to come typed."""
    new = [each for each in prepared if not each.resumed]
    if wish.asked.since is None or not new:
        return
    number, more = 0, False
    for each in new:
        pages = await first_pages(apis[each.merchant], each.run.window, syncing.zone)
        for line in plan_lines(each, pages, syncing.zone, syncing.topic):
            click.echo(line)
        number += sum(len(page.results) for page in pages)
        more = more or any(page.more for page in pages)
    hint = advice(new[0].run.started, syncing.zone)
    if hint is not None:
        click.echo(f"  {hint}")
    least = "records at least" if more else "records"
    confirm(number, f"{least} go to {syncing.topic}, as state that starts no flows", wish.yes)


async def _perform(
    syncing: Syncing,
    prepared: Prepared,
    api: OrdergrooveApi,
    stopping: asyncio.Event,
    wish: Wish,
) -> bool:
    """Do a run, and show how far it is and what it came to."""
    run, merchant, began = prepared.run, prepared.merchant, time.monotonic()
    words = "goes on with" if prepared.resumed else "reads"
    log.info("merchant %s: %s %s", merchant, words, window_text(run.since, syncing.zone))
    abandoned = prepared.standing.run
    if abandoned is not None and not prepared.resumed:
        log.warning("merchant %s: a run that was cut short is given up for it", merchant)
    forecast = Forecast(
        run, prepared.standing.whole, syncing.zone, run.started, reads_all=prepared.is_all
    )
    with showing(forecast, merchant) as heard:
        ended = await syncing.perform(
            prepared, api, stopping, heard, changes_only=wish.changes_only
        )
    if ended is None:
        return False
    for line in ended_lines(merchant, ended, forecast.read_before, time.monotonic() - began):
        click.echo(line)
    return True


def _signalled() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set from now on."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
