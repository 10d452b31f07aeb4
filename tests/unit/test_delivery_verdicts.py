"""What follows from a verdict: `streams.delivery.verdicts`."""

from __future__ import annotations

from typing import Any

import pytest

from streams.delivery.pending import Conclusion, Step
from streams.delivery.retry import Policies, Schedule
from streams.delivery.verdicts import Halt, Resend, Throttled, Wait, judge
from streams.model.delivery import (
    Accepted,
    Outcome,
    Rejected,
    Repair,
    Request,
    Retry,
    Spared,
    Unauthorized,
    Verdict,
)
from streams.model.retries import RetryPolicy

REQUEST = Request("POST", "/events", {}, {"phone": "+1"}, "events")
OTHER = Request("POST", "/events", {}, {}, "events")
HOUR = 3_600.0


def step(**fields: Any) -> Step:
    """A part that was just tried for 2 s."""
    accepted_as = fields.pop("accepted_as", Outcome.DELIVERED)
    return Step("event", REQUEST, b"{}", accepted_as, latency=2.0, **fields)


@pytest.mark.parametrize(
    ("tried", "verdict", "following"),
    [
        pytest.param(step(), Accepted(), Conclusion(Outcome.DELIVERED), id="accepted"),
        pytest.param(
            step(accepted_as=Outcome.DELIVERED_NO_TRIGGER),
            Accepted("phone_number"),
            Conclusion(Outcome.DELIVERED_NO_TRIGGER, "phone_number"),
            id="accepted in part",
        ),
        pytest.param(
            step(repaired="phone refused"),
            Accepted(),
            Conclusion(Outcome.DELIVERED, "phone refused"),
            id="accepted after repair",
        ),
        pytest.param(
            step(), Rejected("invalid", "time"), Conclusion(Outcome.REJECTED, "invalid", "time"),
            id="rejected",
        ),
        pytest.param(step(), Unauthorized("HTTP 401"), Halt("HTTP 401"), id="unauthorized"),
        pytest.param(step(), Repair(OTHER, "phone"), Resend(OTHER, "phone"), id="repair"),
        pytest.param(
            step(repaired="phone"),
            Repair(OTHER, "again"),
            Conclusion(Outcome.REJECTED, "again"),
            id="repaired once already",
        ),
        pytest.param(step(), Retry("http_503"), Wait(0.25, "http_503"), id="retry"),
        pytest.param(step(), Spared(), Wait(0.25, "spared"), id="spared, should nobody resend it"),
        pytest.param(step(failures=2), Retry("http_503"), Wait(1.0, "http_503"), id="third retry"),
        pytest.param(step(), Retry("http_503", 9.0), Wait(9.25, "http_503"), id="retry after"),
        pytest.param(step(), Retry("busy", 9.0, throttled=True), Throttled(9.0), id="throttled"),
        pytest.param(
            step(under_attempt=24 * HOUR - 2),
            Retry("http_503"),
            Conclusion(Outcome.EXPIRED, "http_503"),
            id="a day under attempt",
        ),
        pytest.param(
            step(under_attempt=24 * HOUR - 2),
            Retry("busy", throttled=True),
            Throttled(None),
            id="throttling expires nothing",
        ),
    ],
)  # fmt: skip
def test_what_follows(tried: Step, verdict: Verdict, following: object) -> None:
    """Each verdict, with what came before, has one consequence."""
    assert following == judge(tried, verdict, Schedule(), 0.5)


def test_only_its_own_failures_count() -> None:
    """Requests and waits of its own use up a part's time; being throttled does not."""
    tried = step()
    for verdict in (Retry("timeout"), Retry("busy", throttled=True), Retry("timeout", 7.0)):
        judge(tried, verdict, Schedule(), 0.0)

    assert (2, 2.0 + 0.0 + 2.0 + 7.0) == (tried.failures, tried.under_attempt)


PATIENT = Policies({"locked": RetryPolicy(first=40.0, cap=80.0, longest_after=7.0, budget=100.0)})


@pytest.mark.parametrize(
    ("tried", "verdict", "following"),
    [
        pytest.param(step(), Retry("locked"), Wait(20.0, "locked"), id="its first wait"),
        pytest.param(step(failures=5), Retry("locked"), Wait(40.0, "locked"), id="its cap"),
        pytest.param(step(), Retry("locked", 900.0), Wait(27.0, "locked"), id="its longest after"),
        pytest.param(
            step(under_attempt=98.0),
            Retry("locked"),
            Conclusion(Outcome.EXPIRED, "locked"),
            id="its budget",
        ),
        pytest.param(step(), Retry("server_error"), Wait(0.25, "server_error"), id="another's"),
        pytest.param(
            step(under_attempt=98.0), Retry("timeout"), Wait(0.5, "timeout"), id="another's budget"
        ),
    ],
)
def test_a_failure_is_met_as_its_reason_says(
    tried: Step, verdict: Verdict, following: object
) -> None:
    """Each error class has a row; the vendor's own goes before the shared one."""
    assert following == judge(tried, verdict, PATIENT, 0.5)
