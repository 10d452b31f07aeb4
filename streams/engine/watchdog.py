"""The watchdog: finds out that the process stands still, which nothing in it would notice.

Progress is three things: the event loop takes turns, each lane's poll thread takes turns, and no
runnable work is older than the timeout (`Handler.runnable_since`). Work that waits for something is
not runnable: a connection that is paused or stopped by its breaker, a vendor's limit, a registry or
a broker that is away, a table that is being restored. So whatever stands for longer than the
timeout is a fault of ours, and a new process is the only remedy.

It sees what keeps the event loop busy, or blocked without the interpreter's lock. C code that keeps
that lock stops every thread, this one too: then `/livez` does not answer.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Judge", "Stall", "Watchdog", "WatchedLane"]

_LOOKS = 10
"""Looks in the time after which something stands …"""

_LONGEST_PAUSE_SECONDS = 1.0
"""… and at least one in so many seconds."""

log = logging.getLogger(__name__)


class WatchedLane(Protocol):
    """What is asked of a lane (`streams.engine.poller.Poller`), from the watchdog's thread."""

    @property
    def ticked(self) -> float:
        """`time.monotonic()` of the poll thread's last turn; 0 before the first."""

    @property
    def runnable_since(self) -> float | None:
        """`time.monotonic()` since when the oldest runnable work waits; None: there is none."""


class Part(NamedTuple):
    """What can stand: of which lane (None: of the process), and what."""

    lane: str | None
    name: str


class Stall(NamedTuple):
    """What stands, and for how many seconds."""

    lane: str | None
    name: str
    seconds: float

    @property
    def text(self) -> str:
        """In words."""
        said = f"{self.name} stands for {self.seconds:.0f} s"
        return said if self.lane is None else f"{self.lane}: {said}"


LOOP = Part(None, "the event loop")
POLL_THREAD = "the poll thread"
WORK = "work"


class Judge:
    """Says what stands. Pure: time and what was seen are given in.

    Of each part it sees a mark, which another one replaces when the part moves on. What it counts
    is the time between its own looks, and of a long gap only the usual part: while the process was
    stopped (SIGSTOP, a suspended machine) or got no processor, nothing could have moved.
    """

    def __init__(self, timeout: float, step: float) -> None:
        """Begin.

        Args:
            timeout: seconds after which a part stands.
            step: seconds that count of the time between two looks at most.
        """
        self._timeout = timeout
        self._step = step
        self._looked: float | None = None
        self._seen: dict[Part, tuple[float, float]] = {}

    def look(self, now: float, marks: Mapping[Part, float | None]) -> list[Stall]:
        """Look once.

        Args:
            now: seconds of a clock that never goes back.
            marks: by part; None where there is nothing that could stand.

        Returns:
            What stands by now.
        """
        passed = 0.0 if self._looked is None else min(now - self._looked, self._step)
        self._looked = now
        before, self._seen = self._seen, {}
        for part, mark in marks.items():
            if mark is not None:
                then, age = before.get(part, (None, 0.0))
                self._seen[part] = (mark, age + passed if then == mark else 0.0)
        return [Stall(*part, age) for part, (_, age) in self._seen.items() if age > self._timeout]


class Watchdog:
    """Looks at one process from a thread of its own, until it finds a stall or is stopped."""

    def __init__(
        self,
        timeout: float,
        lanes: Mapping[str, WatchedLane],
        *,
        stalled: Callable[[Sequence[Stall]], None],
    ) -> None:
        """Prepare.

        Args:
            timeout: seconds after which something stands; 0: never.
            lanes: by name.
            stalled: told once, in the watchdog's thread, what stands.
        """
        self._lanes = lanes
        self._stalled = stalled
        self._pause = min(_LONGEST_PAUSE_SECONDS, timeout / _LOOKS)
        self._judge = Judge(timeout, 2 * self._pause)
        self._stopping = threading.Event()
        self._turned = 0.0
        self._asked = False
        if not timeout:
            self.stop()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look; once."""
        self._loop = loop
        if not self._stopping.is_set():
            threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Look no more: the process ends, and who stops it limits its time."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                self._ask()
                stalls = self._judge.look(time.monotonic(), self._marks())
            except Exception:  # a lane that cannot answer must not go unwatched for good
                log.exception("the watchdog could not look")
                continue
            if stalls:
                self._stalled(stalls)
                return

    def _ask(self) -> None:
        """Have the event loop say that it takes turns, unless it has not answered yet."""
        if not self._asked:
            self._asked = True
            with suppress(RuntimeError):  # the loop is closed: the process ends
                self._loop.call_soon_threadsafe(self._turn)

    def _marks(self) -> dict[Part, float | None]:
        marks: dict[Part, float | None] = {LOOP: self._turned}
        for name, lane in self._lanes.items():
            marks[Part(name, POLL_THREAD)] = lane.ticked
            marks[Part(name, WORK)] = lane.runnable_since
        return marks

    def _turn(self) -> None:
        self._turned = time.monotonic()
        self._asked = False
