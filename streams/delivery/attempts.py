"""One attempt: a request, its answer or the lack of one, and what that means."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from streams.delivery.http import TransportFailure
from streams.delivery.rendering import describe
from streams.model.delivery import Accepted, Rejected, Repair, Retry, Unauthorized

if TYPE_CHECKING:
    from streams.delivery.clock import Clock
    from streams.delivery.http import Http
    from streams.delivery.pending import Step
    from streams.delivery.statistics import Statistics
    from streams.model.delivery import Destination, Response, Verdict

log = logging.getLogger(__name__)


class Attempts:
    """Makes one connection's attempts and counts them."""

    def __init__(
        self, destination: Destination, http: Http, statistics: Statistics, clock: Clock
    ) -> None:
        """Take what it works with."""
        self._destination = destination
        self._http = http
        self._statistics = statistics
        self._clock = clock

    async def make(self, step: Step) -> Verdict:
        """Send a part's request once; its attempts, status and latency are noted in the step."""
        step.attempts += 1
        step.status = None
        began = self._clock.monotonic()
        try:
            response = await self._http.send(step.request, step.body)
        except TransportFailure as failure:
            self._statistics.failures[failure.reason] += 1
            verdict: Verdict = Retry(failure.reason)
        else:
            step.status = response.status
            verdict = self._classify(step, response)
        finally:
            step.latency = self._clock.monotonic() - began
            self._statistics.latency.observe(step.latency)
        self._statistics.attempts[_word(verdict)] += 1
        return verdict

    def _classify(self, step: Step, response: Response) -> Verdict:
        try:
            return self._destination.classify(step.request, response)
        except Exception as error:  # noqa: BLE001 - one answer's bug must not stop the others
            log.error("%s: classify raised %s", self._destination.name, describe(error))  # noqa: TRY400
            return Rejected("unreadable_answer")


def _word(verdict: Verdict) -> str:
    match verdict:
        case Accepted():
            return "accepted"
        case Retry(throttled=True):
            return "throttled"
        case Retry():
            return "retry"
        case Rejected():
            return "rejected"
        case Unauthorized():
            return "unauthorized"
        case Repair():
            return "repair"
