"""The Kafka client's log, without its repetitions.

While no broker can be reached, librdkafka tries again some ten times a second, for each client, and
logs each try. Once in half a minute says as much.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Seldom", "log_seldom"]

_AGAIN_SECONDS = 30.0
_MOST_TEXTS = 1_000


class Seldom(logging.Filter):
    """Lets a text pass that did not in the last half minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._passed: dict[str, float] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is to be logged; times that a text ends with make it no other text."""
        text, _, _ = record.getMessage().partition(" (after ")
        now = self._clock()
        if now - self._passed.get(text, float("-inf")) < _AGAIN_SECONDS:
            return False
        if len(self._passed) >= _MOST_TEXTS:
            self._passed.clear()
        self._passed[text] = now
        return True


_seldom = Seldom()


def log_seldom() -> None:
    """Have this process log so; twice is harmless."""
    logging.getLogger("streams.kafka").addFilter(_seldom)
