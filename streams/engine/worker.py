"""The process: runs a Faust app until it is asked to stop, fails or stands, and says how it ended.

A stop (SIGTERM, SIGINT) finishes or abandons the work under way and leaves the group; if that takes
too long, the process ends hard, as it does when it stands still (`watchdog`). What is abandoned was
not committed, so nothing is lost.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

import faust
from typing_extensions import override

from streams.engine.client_log import log_seldom
from streams.engine.failure import describe
from streams.engine.garbage import collect_seldom
from streams.engine.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from signal import Signals

    from streams.engine.shell import EngineApp
    from streams.engine.watchdog import Stall

__all__ = ["EXIT_FAILED", "EXIT_HARD", "EXIT_STALLED", "run_worker"]

EXIT_FAILED = 70
"""The engine could not go on (EX_SOFTWARE)."""

EXIT_HARD = 75
"""A stop took too long and was cut short (EX_TEMPFAIL)."""

EXIT_STALLED = 71
"""It stood still; what stood is in the log, with the stacks of all threads."""

_SHOWN_SECONDS = 6.0
"""How long a stall is shown before the process ends: a scrape each five seconds sees it."""

_DUMP_SECONDS = 2.0
"""… or, where nobody can be shown anything, how long the log may take."""

_LEFTOVERS_SECONDS = 0.5

log = logging.getLogger(__name__)


class _Worker(faust.Worker):
    """Faust's worker with one way to stop, and no debugger on a signal."""

    app: EngineApp

    def __init__(self, app: EngineApp, grace: float) -> None:
        super().__init__(app, override_logging=False, quiet=True)
        self.spinner = None
        self._grace = grace
        self._watchdog = Watchdog(app.stall_timeout, app.pollers, stalled=self._stalled)
        app.on_failure = self._on_failure

    async def run(self) -> None:
        """Start, and return when everything has stopped.

        Raises:
            Exception: the start failed.
        """
        self._watchdog.start(asyncio.get_running_loop())
        self._starting_fut = asyncio.ensure_future(self.start())
        try:
            await self._starting_fut
        except asyncio.CancelledError:
            log.info("stopped while starting")
        finally:
            self._limit_stop()
            await (self._signal_stop_future or self.stop())
        if self.crash_reason is not None and self.app.failure is None:
            self.app.failure = self.crash_reason

    def _on_failure(self) -> None:
        self._limit_stop()
        self._signal_stop_future = asyncio.ensure_future(self.stop())

    @override
    def _schedule_shutdown(self, signal: Signals) -> None:
        self._limit_stop()
        super()._schedule_shutdown(signal)

    @override
    def _on_sigusr1(self) -> None:
        # where each thread is; Faust's own dump would show local variables, and so records
        faulthandler.dump_traceback(sys.stderr)

    @override
    def _on_sigusr2(self) -> None:
        log.warning("SIGUSR2 is ignored: no debugger in a worker")

    def _stalled(self, stalls: Sequence[Stall]) -> None:
        """Say what stands, and where every thread is; then end, for nothing else would help.

        In the watchdog's thread. The end does not wait for the log, which may be what stands.
        """
        looped = any(stall.lane is None for stall in stalls)  # then no page can be asked for
        limit = threading.Timer(_DUMP_SECONDS if looped else _SHOWN_SECONDS, self._end_stalled)
        limit.daemon = True
        limit.start()
        for stall in stalls:
            if stall.lane is not None:
                self.app.pollers[stall.lane].stalled = f"{stall.name} stands still"
        told = "; ".join(stall.text for stall in stalls)
        log.critical("the process ends, it stands still: %s", told)
        faulthandler.dump_traceback(sys.stderr)

    def _end_stalled(self) -> None:
        os._exit(EXIT_STALLED)

    def _limit_stop(self) -> None:
        """End the process hard if the stop takes too long; from now on."""
        self._watchdog.stop()
        if self._grace:
            limit = threading.Timer(self._grace, self._end_hard)
            limit.daemon = True
            limit.start()
            self._grace = 0.0

    def _end_hard(self) -> None:
        log.error("the stop took too long; what was under way is abandoned")
        os._exit(EXIT_HARD if self.app.failure is None else EXIT_FAILED)


def run_worker(app: EngineApp, *, grace: float = 4.5) -> int:
    """Run the app in this process and return its exit code.

    Args:
        app: from `build_app`.
        grace: seconds that a stop may take before the process ends hard (`EXIT_HARD`).

    Returns:
        0 after a clean stop, `EXIT_FAILED` when it failed; the reason is logged. When it stands
        still the process ends with `EXIT_STALLED` instead (`watchdog`).
    """
    log_seldom()
    collect_seldom()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = _Worker(app, grace)
    try:
        loop.run_until_complete(worker.run())
    except Exception as error:  # noqa: BLE001 - it is told, and becomes the exit code
        app.failure = app.failure or error
        log.critical("the worker could not start: %s", describe(error))
    loop.run_until_complete(_end_leftovers())
    loop.close()
    return 0 if app.failure is None else EXIT_FAILED


async def _end_leftovers() -> None:
    """Cancel what Faust left behind, so that closing the loop finds nothing pending."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_LEFTOVERS_SECONDS)
