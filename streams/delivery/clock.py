"""The clocks and the dice of delivery, in one place, so that tests can hold them still."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Where time and chance come from.

    Attributes:
        now: epoch milliseconds, for what is written down.
        monotonic: seconds, for what is measured.
        random: uniform in [0, 1), for jitter.
    """

    now: Callable[[], int] = _epoch_ms
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
