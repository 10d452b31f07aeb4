"""Timers of one partition: at most one a key, fired on stream time."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Timers"]

_SLACK = 1_000
"""Outdated heap entries that are put up with before the heap is built anew."""


class Timers:
    """A heap of (due, key); an entry counts only while it is the key's present timer.

    Attributes:
        earliest: a lower bound of all due times in epoch milliseconds, 0 without timers. Exact
            after each `pop`; read by the poll thread.
    """

    __slots__ = ("_due", "_heap", "earliest")

    def __init__(self, timers: Iterable[tuple[int, bytes]] = ()) -> None:
        """Begin with these (due, key)."""
        self._due = {key: due for due, key in timers}
        self._rebuild()

    def __len__(self) -> int:
        return len(self._due)

    def of(self, key: bytes) -> int:
        """Return the key's timer, 0 for none."""
        return self._due.get(key, 0)

    def set(self, key: bytes, due: int) -> None:
        """Set the key's timer to this epoch millisecond, in place of any earlier one; 0: none."""
        if not due:
            if self._due:
                self._due.pop(key, None)
            return
        if self._due.get(key) != due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))
            self.earliest = self._heap[0][0]
            if len(self._heap) > 2 * len(self._due) + _SLACK:
                self._rebuild()

    def pop(self, now: int) -> tuple[int, bytes] | None:
        """Take the earliest timer that is due by `now`; equal times in the order of their keys."""
        heap = self._heap
        while heap and (heap[0][0] <= now or self._due.get(heap[0][1]) != heap[0][0]):
            due, key = heapq.heappop(heap)
            if self._due.get(key) == due:
                del self._due[key]
                self._look()
                return due, key
        self._look()
        return None

    def _rebuild(self) -> None:
        self._heap = [(due, key) for key, due in self._due.items()]
        heapq.heapify(self._heap)
        self._look()

    def _look(self) -> None:
        self.earliest = self._heap[0][0] if self._heap else 0
