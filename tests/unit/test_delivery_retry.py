"""When an attempt is made again, and when no more: `streams.delivery.retry`."""

from __future__ import annotations

import pytest

from streams.delivery.retry import Schedule


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
