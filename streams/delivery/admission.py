"""When a request may start: as the account's limits, the low lane's share and 429s let it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.delivery.pace import Pace
    from streams.delivery.pending import Step


class Admission:
    """One connection's. For one event loop."""

    def __init__(self, pace: Pace) -> None:
        """Take what it works with."""
        self._limiter = pace.limiter
        self._low = pace.low
        self._schedules = pace.schedule
        self._clock = pace.clock
        self._throttles: Counter[str] = Counter()

    def take(self, endpoint: str, *, low: bool) -> float:
        """Count a request that starts now and return 0, or return the seconds until it may."""
        wait = self._low.wait(endpoint) if low else 0.0
        wait = wait or self._limiter.take(endpoint)
        if low and not wait:
            self._low.note(endpoint)
        return wait

    def throttled(self, step: Step, after: float | None) -> None:
        """Pause an endpoint as the vendor asks; if it does not say for how long, back off."""
        endpoint = step.request.endpoint
        if after is None and self._limiter.paused(endpoint):
            return  # the others of one crowd: they were under way when the first was refused
        self._throttles[endpoint] += 1
        schedule = self._schedules.of("throttled")
        wait = schedule.wait(self._throttles[endpoint], self._clock.random(), after)
        self._limiter.throttled(endpoint, wait, step.latency or 0.0)

    def passed(self, step: Step) -> None:
        """Note an answer that was no refusal for a limit."""
        self._throttles.pop(step.request.endpoint, None)
