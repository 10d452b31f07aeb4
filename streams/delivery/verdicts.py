"""What follows from a verdict: pure, given the part's history and a random number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.delivery.pending import Conclusion
from streams.model.delivery import (
    Accepted,
    Outcome,
    Rejected,
    Repair,
    Retry,
    Spared,
    Unauthorized,
)

if TYPE_CHECKING:
    from streams.delivery.pending import Step
    from streams.delivery.retry import Schedules
    from streams.model.delivery import Request, Verdict


class Wait(NamedTuple):
    """The same again after so many seconds."""

    seconds: float
    reason: str


class Throttled(NamedTuple):
    """The same again once the vendor lets the connection go on; `after`: seconds, if it said so."""

    after: float | None


class Resend(NamedTuple):
    """Another request instead, at once."""

    request: Request
    reason: str


class Halt(NamedTuple):
    """The credentials do not work: nothing more on this connection."""

    reason: str


Next = Conclusion | Wait | Throttled | Resend | Halt


_SPARED = Retry("spared")
"""What is refused for another's sake, should nobody send it again at once, waits like any other."""


def judge(step: Step, verdict: Verdict, schedules: Schedules, random: float) -> Next:
    """What to do with a part whose latest request came to this verdict.

    How patiently a failure is met, its reason says (`schedules`). Keeps the part's count of
    failures and its time under attempt, which decide how long it waits and when it is given up as
    `expired`. Being throttled is no failure of its own.
    """
    match verdict:
        case Accepted(note):
            return Conclusion(step.accepted_as, note or step.repaired or step.remark)
        case Rejected(reason, field):
            return Conclusion(Outcome.REJECTED, reason, field)
        case Unauthorized(reason):
            return Halt(reason)
        case Repair(request, reason):
            once = step.repaired is None
            return Resend(request, reason) if once else Conclusion(Outcome.REJECTED, reason)
        case Retry():
            return _retry(step, verdict, schedules, random)
        case Spared():
            return _retry(step, _SPARED, schedules, random)


def _retry(step: Step, verdict: Retry, schedules: Schedules, random: float) -> Next:
    reason, after, throttled = verdict.reason, verdict.after, verdict.throttled
    schedule = schedules.of(reason)
    if throttled:
        return Throttled(after)
    step.failures += 1
    seconds = schedule.wait(step.failures, random, after)
    step.under_attempt += step.latency or 0.0
    if schedule.spent(step.under_attempt):
        return Conclusion(Outcome.EXPIRED, reason)
    step.under_attempt += seconds
    return Wait(seconds, reason)
