"""How fast one connection sends, what goes together, and when something goes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.delivery.batching import Batching
    from streams.delivery.clock import Clock
    from streams.delivery.limits import Limiter
    from streams.delivery.low_pace import LowPace
    from streams.delivery.retry import Schedules


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, and when again.

    Attributes:
        concurrency: requests under way at most.
        batching: what travels together.
        limiter: the account's limits.
        schedule: of retries.
        clock: time and chance.
        request_seconds: how long a request may take.
        low: what the low lane may have of all this.
    """

    concurrency: int
    batching: Batching
    limiter: Limiter
    schedule: Schedules
    clock: Clock
    request_seconds: float
    low: LowPace
