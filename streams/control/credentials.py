"""Credentials in a file: looked at every few seconds, told of when they have changed.

Kubernetes swaps a link, others write over the file, some copy it with its old time: so it is read
at each look, it is small. What is new counts when two looks in a row agree on it, since a file may
be met half written.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0


class CredentialsFile:
    """One file that credentials came from. For one event loop."""

    def __init__(self, file: Path, known: str, *, every: float = LOOK_SECONDS) -> None:
        """Describe it.

        Args:
            file: holds nothing else.
            known: what was read of it so far.
            every: seconds between two looks.
        """
        self._file = file
        self._known = known
        self._every = every
        self._readable = True
        self._task: asyncio.Task[None] | None = None

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with the credentials whenever they are others; from now on."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch(changed))

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _watch(self, changed: Callable[[str], None]) -> None:
        last = self._known
        while True:
            await asyncio.sleep(self._every)
            now = await asyncio.to_thread(self._read)
            if now and now == last and now != self._known:
                self._known = now
                changed(now)
            last = now

    def _read(self) -> str:
        """What the file holds; empty while it cannot be read: the former credentials stay."""
        try:
            text = self._file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            if self._readable:
                log.warning("the credentials file cannot be read: %s", type(error).__name__)
            self._readable = False
            return ""
        self._readable = True
        return text
