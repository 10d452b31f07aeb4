"""When an attempt is made again, and when no more: `streams.delivery.retry`."""

from __future__ import annotations

from typing import get_args

import pytest

from streams.delivery.http import FailureReason
from streams.delivery.retry import Policies, Schedule
from streams.destinations import DESTINATIONS
from streams.destinations.answers import verdict_of
from streams.model.delivery import Response, Retry
from streams.model.retries import DAY, OTHERWISE, RETRIES


@pytest.mark.parametrize(
    ("attempt", "random", "seconds"),
    [
        pytest.param(1, 0.0, 0.0, id="full jitter begins at nothing"),
        pytest.param(1, 0.5, 0.25, id="half of the base"),
        pytest.param(2, 0.5, 0.5, id="the bound doubles"),
        pytest.param(7, 1.0, 32.0, id="and doubles"),
        pytest.param(8, 1.0, 60.0, id="up to the cap"),
        pytest.param(10_000, 0.5, 30.0, id="for ever"),
    ],
)
def test_the_backoff_doubles_under_full_jitter(attempt: int, random: float, seconds: float) -> None:
    """The wait is uniform between zero and a bound that doubles from 0.5 s up to 60 s."""
    assert seconds == Schedule().backoff(attempt, random)


@pytest.mark.parametrize(
    ("after", "random", "seconds"),
    [
        pytest.param(7.0, 0.0, 7.0, id="never undercut"),
        pytest.param(7.0, 0.5, 7.25, id="spread a little"),
        pytest.param(86_400.0, 0.0, 3_600.0, id="an hour at most"),
        pytest.param(None, 0.5, 0.5, id="none: backoff"),
        pytest.param(0.0, 0.5, 0.5, id="zero says nothing: backoff"),
        pytest.param(-3.0, 0.5, 0.5, id="in the past: backoff"),
    ],
)
def test_retry_after_is_honoured(after: float | None, random: float, seconds: float) -> None:
    """What the vendor asks for is waited for, within reason; otherwise the backoff decides."""
    assert seconds == Schedule().wait(2, random, after)


@pytest.mark.parametrize(
    ("under_attempt", "spent"), [(0.0, False), (86_399.9, False), (86_400.0, True)]
)
def test_a_day_under_attempt_is_enough(under_attempt: float, spent: bool) -> None:
    """A part is given up after 24 hours in which it could be tried."""
    assert spent is Schedule().spent(under_attempt)


REASONS = {
    *get_args(FailureReason),
    *(
        verdict.reason
        for status in range(100, 1_000)
        if isinstance(verdict := verdict_of(Response(status)), Retry)
    ),
}
"""Every class of failure that any vendor knows."""


def test_every_class_of_failure_has_a_row() -> None:
    """What may come has a row, and no row is of what never comes."""
    assert REASONS | {OTHERWISE} == set(RETRIES)
    assert len(REASONS) >= 8


@pytest.mark.parametrize("name", sorted(DESTINATIONS))
def test_the_vendors_row_goes_first(name: str) -> None:
    """Then the shared one; for a reason that nobody knows, the row for all others."""
    own = DESTINATIONS[name].rules.retries
    policies = Policies(own)
    for reason in [*REASONS, *own, "never heard of"]:
        row = own.get(reason) or RETRIES.get(reason) or RETRIES[OTHERWISE]
        found = policies.of(reason)

        assert (row.first, row.cap, row.longest_after, row.budget) == (
            found.base,
            found.cap,
            found.longest_after,
            found.budget,
        )


@pytest.mark.parametrize("name", ["", *sorted(DESTINATIONS)])
def test_every_row_makes_sense(name: str) -> None:
    """It says where it is from, its waits grow, and each part has a day."""
    rows = DESTINATIONS[name].rules.retries if name else RETRIES
    for reason, row in rows.items():
        assert 0 < row.first <= row.cap <= row.longest_after < row.budget, reason
        assert row.budget == DAY, reason
        assert row.source.startswith("our choice") != row.source.startswith("§"), reason


def test_one_schedule_serves_for_all_reasons() -> None:
    """Where nothing needs telling apart."""
    schedule = Schedule(base=3.0)

    assert schedule is schedule.of("timeout")
