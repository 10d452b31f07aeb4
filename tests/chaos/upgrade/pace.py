"""The pace of the feed: slow enough that webhooks come in for as long as workers are replaced."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import IO, Self

FASTEST: Final = 80.0
"""Webhooks a second: more would only need more of them."""
_GUESS: Final = 6.0
"""Seconds that a step takes, until one has shown it."""


class Pace:
    """Spreads what is to be fed over the steps that are left.

    Attributes:
        fed: how many came in so far.
    """

    def __init__(
        self, webhooks: int, steps: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare: so many of each."""
        self.fed = 0
        self._left = webhooks
        self._steps = steps
        self._done = 0
        self._clock = clock
        self._began = clock()
        self._moved = threading.Condition()

    def step(self) -> None:
        """A step is over."""
        with self._moved:
            self._done += 1
            self._moved.notify_all()

    def end(self) -> None:
        """No further step comes: what is left goes at once."""
        with self._moved:
            self._done = self._steps
            self._moved.notify_all()

    def until(self, fed: int) -> None:
        """Wait until so many came in."""
        with self._moved:
            self._moved.wait_for(lambda: self.fed >= fed or self._done >= self._steps)

    @property
    def pause(self) -> float:
        """Seconds to wait before the next one."""
        left = self._steps - self._done
        if not left:
            return 0.0
        each = (self._clock() - self._began) / self._done if self._done else _GUESS
        return max(1 / FASTEST, left * each / max(1, self._left))

    def turn(self) -> None:
        """Wait for the next one's turn."""
        deadline = self._clock() + self.pause
        with self._moved:
            while (wait := min(deadline - self._clock(), self.pause)) > 0:
                self._moved.wait(wait)
            self.fed += 1
            self._left -= 1
            self._moved.notify_all()


class PacedInput:
    """A child's standard input, at a pace: each webhook goes on at once when its turn has come."""

    def __init__(self, stream: IO[bytes], pace: Pace) -> None:
        self._stream = stream
        self._pace = pace

    def write(self, body: bytes) -> int:
        """Hand one on in its turn."""
        self._pace.turn()
        count = self._stream.write(body)
        self._stream.flush()
        return count

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing more comes."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
