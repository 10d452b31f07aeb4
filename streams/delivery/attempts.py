"""One attempt: a request, its answer or the lack of one, and what that means."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from streams.delivery.excerpt import Answer
from streams.delivery.http import TransportFailure
from streams.delivery.rendering import describe
from streams.model.delivery import Accepted, Rejected, Repair, Retry, Spared, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    async def make(self, steps: Sequence[Step], trace: str | None = None) -> Sequence[Verdict]:
        """Send these parts' records once, in one call: what the answer means for each.

        `trace`: the trace context that the call is part of, if it is one's.
        Attempts, status, latency and answer are noted in the steps.
        """
        for step in steps:
            step.attempts += 1
            step.status = step.answer = None
        request = steps[0].request
        began = self._clock.monotonic()
        try:
            body = request.framed(each.body for each in steps)
            response = await self._http.send(request, body, trace)
        except TransportFailure as failure:
            self._statistics.failures[failure.reason] += 1
            verdicts: Sequence[Verdict] = [Retry(failure.reason)] * len(steps)
        else:
            answer = Answer(response.body, [each.request.body for each in steps])
            for step in steps:
                step.status, step.answer = response.status, answer
            verdicts = self._classify(steps, response)
        finally:
            latency = self._clock.monotonic() - began
            for step in steps:
                step.latency = latency
            self._statistics.latency.observe(latency)
        for verdict in verdicts:
            self._statistics.attempts[_word(verdict)] += 1
        return verdicts

    def _classify(self, steps: Sequence[Step], response: Response) -> Sequence[Verdict]:
        try:
            return self._destination.classify([each.request for each in steps], response)
        except Exception as error:  # noqa: BLE001 - one answer's bug must not stop the others
            log.error("%s: classify raised %s", self._destination.name, describe(error))  # noqa: TRY400
            return [Rejected("unreadable_answer")] * len(steps)


def _word(verdict: Verdict) -> str:
    match verdict:
        case Accepted():
            return "accepted"
        case Retry(throttled=True):
            return "throttled"
        case Retry():
            return "retry"
        case Rejected() | Spared():
            return "rejected"
        case Unauthorized():
            return "unauthorized"
        case Repair():
            return "repair"
