"""One look at the flow for everybody who watches, however many pages are open."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from streams.console.asking import Trouble, ask
from streams.console.sight import Moving

if TYPE_CHECKING:
    from streams.console.desks import FlowDesk
    from streams.console.sight import Sight

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 2.0
_IDLE_SECONDS: Final = 15.0
"""Between two looks while nobody watches."""
_WATCHED_SECONDS: Final = 5.0
"""Whoever asked so lately watches."""


class Poller:
    """Looks again and again; `run` is a task of the event loop, all else is asked on it.

    Attributes:
        sight: the newest that was seen; None: nothing yet.
        trouble: why the last look failed; None: it did not.
        moving: the last minutes.
    """

    def __init__(self, desk: FlowDesk) -> None:
        self.sight: Sight | None = None
        self.trouble: Trouble | None = None
        self.moving = Moving()
        self._desk = desk
        self._asked_at = float("-inf")
        self._asked = asyncio.Event()

    def watch(self) -> None:
        """Say that somebody watches: looks are frequent then."""
        self._asked_at = time.monotonic()
        self._asked.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(EVERY_SECONDS)
            if time.monotonic() - self._asked_at > _WATCHED_SECONDS:
                self._asked.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), _IDLE_SECONDS)

    async def _look(self) -> None:
        found = await ask(self._desk.look)
        if isinstance(found, Trouble):
            if self.trouble is None:  # once, until it works again
                log.warning("the flow cannot be looked at for now: %s", found.problem)
            self.trouble = found
            return
        self.sight, self.trouble = found, None
        self.moving.saw(found)
