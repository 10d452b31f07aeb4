"""The load of a round: the shop's webhooks through `streams produce`, at a steady pace.

It lasts until it is told that it is enough, and at least for as many events as were asked for: a
fault without records around it proves nothing.
"""

from __future__ import annotations

import subprocess
import threading
import time
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Self

from streams.demo.children import Child, ChildFailed
from streams.demo.shop import Shop, opens_for

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_SLICE_SECONDS: Final = 0.05
_BURST_SECONDS: Final = 0.2
_LONGEST_SECONDS: Final = 120.0


class Load:
    """Feeds one round in a thread of its own; a context manager that leaves nothing running.

    Args:
        directory: with the settings file.
        seed: of the shop.
        events: bodies at least.
        seconds: in which so many are fed; then it goes on at this pace.
    """

    def __init__(self, directory: Path, seed: int, events: int, seconds: float) -> None:
        shop = Shop(seed, events=events, opens=opens_for(time.time()))
        self._bodies = chain(shop, shop.trickle())
        self._events = events
        self._pace = events / seconds
        self._enough = threading.Event()
        self._child = Child(
            "produce", ("produce", "ordergroove", "-"), directory, {}, subprocess.PIPE
        )
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """It feeds already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it at once, if it has not ended."""
        self._child.process.kill()
        self._child.process.wait()
        self._thread.join()

    def enough(self) -> None:
        """Let it end once all events that were asked for are out."""
        self._enough.set()

    def wait(self, seconds: float) -> None:
        """Wait until everything is acknowledged; raises `ChildFailed`."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise ChildFailed("the load does not end")
        if self._failure is not None:
            raise ChildFailed(f"the load failed:\n{self._child.tail()}") from self._failure
        self._child.wait(seconds)

    def _run(self) -> None:
        began, fed = time.monotonic(), 0
        last = began
        try:
            with self._child.stdin as pipe:
                while fed < self._events or not self._enough.is_set():
                    time.sleep(_SLICE_SECONDS)
                    now = time.monotonic()
                    if now - began > _LONGEST_SECONDS:
                        return
                    # what a busy machine left undone is not made up for
                    passed, last = min(now - last, _BURST_SECONDS), now
                    for body in islice(self._bodies, round(passed * self._pace)):
                        pipe.write(body + b"\n")
                        fed += 1
                    pipe.flush()
        except BaseException as failure:  # noqa: BLE001 - a thread's exception would vanish
            self._failure = failure
