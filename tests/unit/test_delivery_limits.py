"""The vendor's limits, kept on our side: `streams.delivery.limits`, on a clock that is moved."""

from __future__ import annotations

import pytest

from streams.delivery.limits import Limiter
from streams.model.rules import Limit

KLAVIYO = (Limit("events", 350, 1.0), Limit("events", 3_500, 60.0), Limit("profiles", 75, 1.0))


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def limiter(
    limits: tuple[Limit, ...] = KLAVIYO, *, factor: float | None = 1.0, safety: float = 1.0
) -> tuple[Limiter, Clock]:
    """A limiter and its clock."""
    clock = Clock()
    return Limiter(limits, factor=factor, safety=safety, clock=clock), clock


def starts(limiter: Limiter, clock: Clock, seconds: float, endpoint: str = "events") -> list[float]:
    """When requests start, if as many as may do so for a while."""
    begun, end = [], clock.now + seconds
    while clock.now < end:
        wait = limiter.take(endpoint)
        if wait == 0:
            begun.append(clock.now)
        else:
            clock.now += wait
    return begun


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.7])
def test_no_window_of_any_phase_holds_too_many(phase: float) -> None:
    """Whenever the vendor's windows begin, 350 a second and 3,500 a minute are never exceeded."""
    begun = starts(*limiter(), 200.0)
    full = {seconds: max(_counts(begun, seconds, phase)) for seconds in (1.0, 60.0)}

    assert {1.0: 350, 60.0: 3_500} == full


def test_the_allowed_rate_is_reached() -> None:
    """Over ten minutes as many start as the vendor allows."""
    begun = starts(*limiter(), 600.0)

    assert 35_000 == len(begun)


@pytest.mark.parametrize(
    ("factor", "safety", "most"),
    [(1.0, 0.97, 339), (10.0, 1.0, 3_500), (0.5, 1.0, 175), (0.0001, 1.0, 1)],
)
def test_the_limit_is_scaled(factor: float, safety: float, most: int) -> None:
    """The factor multiplies the limits, the safety takes a share; one is always allowed."""
    allowed, clock = limiter((Limit("events", 350, 1.0),), factor=factor, safety=safety)
    begun = starts(allowed, clock, 0.999)

    assert most == len(begun)


def test_without_limits_only_pauses_hold() -> None:
    """Factor None: everything may start at once, except in a pause."""
    allowed, clock = limiter(factor=None)
    free = [allowed.take("events") for _ in range(10_000)]
    allowed.pause("events", 3.0)
    paused = allowed.take("events")
    clock.now += 3.0

    assert ([0.0] * 10_000, 3.0, 0.0) == (free, paused, allowed.take("events"))


def test_endpoints_do_not_share() -> None:
    """A full endpoint, or a paused one, leaves the others alone."""
    allowed, _ = limiter()
    free = [allowed.take("profiles") for _ in range(75)]
    allowed.pause("events", 60.0)

    assert [0.0] * 75 == free
    assert (1.0, False) == (allowed.take("profiles"), allowed.paused("profiles"))
    assert (60.0, True) == (allowed.take("events"), allowed.paused("events"))
    assert (0.0, False) == (allowed.take("others"), allowed.paused("others"))


def test_a_pause_is_never_shortened() -> None:
    """A shorter Retry-After that comes later does not end a longer one."""
    allowed, clock = limiter()
    allowed.pause("events", 30.0)
    clock.now += 1.0
    allowed.pause("events", 2.0)

    assert 29.0 == allowed.take("events")


def test_a_refused_start_is_not_counted() -> None:
    """Asking while one must wait uses nothing up."""
    allowed, clock = limiter((Limit("events", 2, 1.0),))
    answers = [allowed.take("events") for _ in range(50)]
    clock.now += 1.0

    assert [0.0, 0.0] + [1.0] * 48 == answers
    assert [0.0, 0.0, 1.0] == [allowed.take("events") for _ in range(3)]


def _counts(begun: list[float], seconds: float, phase: float) -> list[int]:
    """How many starts each window holds, the windows beginning at this share of their length."""
    counts: dict[int, int] = {}
    for each in begun:
        window = int(each / seconds + phase)
        counts[window] = counts.get(window, 0) + 1
    return list(counts.values())
