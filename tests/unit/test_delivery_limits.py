"""The vendor's limits, kept on our side: `streams.delivery.limits`, on a clock that is moved."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from streams.delivery.limits import Limiter, WindowKey
from streams.delivery.shares import Portion
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
            clock.now = min(end, clock.now + wait)
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
    ("factor", "safety", "rate"),
    [(1.0, 0.97, 339.5), (10.0, 1.0, 3_500), (0.5, 1.0, 175), (0.0001, 1.0, 1)],
)
def test_the_limit_is_scaled(factor: float, safety: float, rate: float) -> None:
    """The factor multiplies the limits, the safety takes a share; one is always allowed."""
    allowed, clock = limiter((Limit("events", 350, 1.0),), factor=factor, safety=safety)
    begun = starts(allowed, clock, 100.0)

    assert pytest.approx(rate, rel=0.01) == len(begun) / 100.0


@pytest.mark.parametrize("count", [8, 150, 350])
def test_requests_that_are_late_by_chance_break_no_window(count: int) -> None:
    """Up to 15 ms of jitter on the way, either way: no window of the vendor's gets too many."""
    chance = Random(7)
    begun = starts(*limiter((Limit("events", count, 1.0),), safety=0.97), 120.0)
    arrived = [each + chance.uniform(0.0, 0.03) for each in begun]
    fullest = max(max(_counts(arrived, 1.0, phase / 10)) for phase in range(10))

    assert fullest <= count
    assert len(begun) / 120.0 >= 0.95 * count


def test_a_moment_s_requests_are_spread() -> None:
    """What could all start at once starts over most of the shortest window."""
    begun = starts(*limiter((Limit("events", 100, 1.0), Limit("events", 1_000, 60.0))), 1.0)
    tenths = Counter(int((each - begun[0]) * 10) for each in begun)

    assert max(tenths.values()) <= 16


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
    allowed, clock = limiter()
    full = starts(allowed, clock, 0.9, "profiles")
    allowed.pause("events", 60.0)

    assert 75 == len(full)
    assert (True, False) == (allowed.take("profiles") > 0, allowed.paused("profiles"))
    assert pytest.approx(60.0) == allowed.take("events")
    assert allowed.paused("events")
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
    first = starts(allowed, clock, 0.9)
    answers = [allowed.take("events") for _ in range(50)]

    assert 2 == len(first)
    assert 0.0 not in answers
    assert 2 == len(starts(allowed, clock, 0.9))


def test_a_long_wait_is_looked_at_again() -> None:
    """A wait for a limit is told as a second at most: the portion may grow meanwhile."""
    allowed, clock = limiter((Limit("events", 3, 60.0),), safety=1.0)
    begun = starts(allowed, clock, 59.0)
    waits = allowed.take("events")
    allowed.grant(WindowKey("events", 60.0), Portion(2))
    clock.now = begun[0] + 60.0

    assert (3, 1.0) == (len(begun), waits)
    assert allowed.take("events") > 0, "two were started within the minute"


@pytest.mark.parametrize(
    ("portion", "expected"), [(Portion(7), 70), (Portion(1), 10), (Portion(1, 4.0), 2)]
)
def test_a_portion_is_kept(portion: Portion, expected: int) -> None:
    """Only so many start, be it one in several of the vendor's windows."""
    allowed, clock = limiter((Limit("push", 8, 1.0),))
    allowed.grant(WindowKey("push", 1.0), portion)
    begun = starts(allowed, clock, 10.0, "push")

    assert expected <= len(begun) <= expected + portion.requests
    assert max(_counts(begun, 1.0, 0.3)) <= portion.requests


def test_nothing_granted_is_nothing_started() -> None:
    """Who has not joined yet starts nothing, and is asked again soon."""
    allowed, _ = limiter((Limit("push", 8, 1.0),))
    allowed.grant(WindowKey("push", 1.0), Portion(0))

    assert 1.0 == allowed.take("push")


def test_a_crowd_of_refusals_counts_once() -> None:
    """What was under way when the rate was lowered lowers it no further; what comes after does."""
    allowed, clock = limiter()
    once = [allowed.throttled("events", 1.0, latency=0.2) for _ in range(20)]
    clock.now += 0.1
    late = allowed.throttled("events", 1.0, latency=0.2)
    after_one = allowed.level("events")
    clock.now += 5.0
    again = allowed.throttled("events", 1.0, latency=0.2)

    assert ([True] + [False] * 19, False, True) == (once, late, again)
    assert pytest.approx(0.95, abs=0.001) == after_one
    assert (True, 1.0) == (allowed.paused("events"), allowed.level("profiles"))
    assert pytest.approx((0.95 + 4.1 / 600) * 0.85) == allowed.level("events")


def test_the_rate_grows_back_to_all_of_it() -> None:
    """A while after the last refusal nothing is lost any more."""
    allowed, clock = limiter((Limit("events", 100, 1.0),))
    for _ in range(10):
        allowed.throttled("events", 0.0)
        clock.now += 0.01
    lowered = allowed.level("events")
    clock.now += 100.0

    assert lowered < 0.25
    assert (1.0, 1_000) == (allowed.level("events"), len(starts(allowed, clock, 10.0)))


def _counts(begun: list[float], seconds: float, phase: float) -> list[int]:
    """How many starts each window holds, the windows beginning at this share of their length."""
    counts: dict[int, int] = {}
    for each in begun:
        window = int(each / seconds + phase)
        counts[window] = counts.get(window, 0) + 1
    return list(counts.values())
