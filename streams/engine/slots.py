"""Back-pressure: how many batches may be on their way, and what wakes the poll thread."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Slots"]


class Slots:
    """A bounded number of slots, and requests to the poll thread that waits for one.

    A request ends the wait at once, so that a commit is never behind a full pipeline.
    """

    def __init__(self, number: int) -> None:
        self._number = self._free = number
        self._requests: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()

    def take(self, timeout: float, *, alone: bool = False) -> bool:
        """Take a slot; False when there was none in time or a request came first.

        Args:
            timeout: seconds.
            alone: wait until all are free.
        """
        wanted = self._number if alone else 1
        with self._changed:
            self._changed.wait_for(lambda: self._free >= wanted or self._requests, timeout)
            if self._free < wanted:
                return False
            self._free -= 1
            return True

    def free(self) -> None:
        """Give a slot back (any thread)."""
        with self._changed:
            self._free += 1
            self._changed.notify()

    def ask(self, request: Callable[[], None]) -> None:
        """Have the poll thread run this soon (any thread)."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify()

    def serve(self) -> None:
        """Run the requests that are there (the poll thread)."""
        while self._requests:
            self._requests.popleft()()
