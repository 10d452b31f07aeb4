"""How processes divide an account: `streams.delivery.shares`, which is pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.delivery.shares import (
    NOTHING,
    Delayed,
    Portion,
    Want,
    floor_of,
    portions,
    shares,
)

ALLOWED = 100.0
demands = st.floats(0.0, 10_000.0)
wanted = st.dictionaries(st.text("abcdef", min_size=1), st.builds(Want, demands, st.booleans()))


@given(wanted, st.floats(1.0, 1_000.0))
def test_shares_are_never_more_than_all(wants: dict[str, Want], allowed: float) -> None:
    """Together they are the whole account, and nobody is without a part of it."""
    found = shares(wants, allowed)

    assert wants.keys() == found.keys()
    assert not wants or pytest.approx(1.0) == sum(found.values())
    assert all(each >= floor_of(len(wants)) - 1e-9 for each in found.values())


@pytest.mark.parametrize(
    ("wants", "expected"),
    [
        ({"a": Want(0.0)}, {"a": 1.0}),
        ({"a": Want(900.0, True), "b": Want(100.0, True)}, {"a": 0.9, "b": 0.1}),
        ({"a": Want(300.0, True), "b": Want(10.0)}, {"a": 0.89, "b": 0.11}),
        ({"a": Want(300.0, True), "b": Want(0.0)}, {"a": 0.98, "b": 0.02}),
        ({"a": Want(0.0), "b": Want(0.0)}, {"a": 0.5, "b": 0.5}),
        ({"a": Want(20.0), "b": Want(10.0)}, {"a": 0.555, "b": 0.445}),
        ({"a": Want(90.0), "b": Want(90.0)}, {"a": 0.5, "b": 0.5}),
        ({"a": Want(0.0, True), "b": Want(0.0, True)}, {"a": 0.5, "b": 0.5}),
    ],
    ids=["alone", "skew", "unused goes to the backlog", "idle", "nobody", "calm", "full", "new"],
)
def test_shares(wants: dict[str, Want], expected: dict[str, float]) -> None:
    """By demand where there is a backlog; what nobody needs goes to all alike."""
    assert pytest.approx(expected) == shares(wants, ALLOWED)


@given(st.lists(demands, min_size=1, max_size=12), st.integers(1, 4_000))
def test_portions_are_whole_and_never_too_many(weights: list[float], count: int) -> None:
    """However the shares fall, a window gets no more than it allows, and everybody something."""
    wants = {str(n): Want(each, backlog=True) for n, each in enumerate(weights)}
    found = portions(count, shares(wants, ALLOWED))

    assert sum(each.rate for each in found.values()) <= count + 1e-9
    assert all(each.requests >= 1 for each in found.values())
    assert count < len(weights) or count == sum(each.requests for each in found.values())


@pytest.mark.parametrize(
    ("count", "divided", "expected"),
    [
        (8, {"a": 0.9, "b": 0.1}, {"a": Portion(7), "b": Portion(1)}),
        (8, {"a": 0.98, "b": 0.02}, {"a": Portion(7), "b": Portion(1)}),
        (350, {"a": 0.9, "b": 0.1}, {"a": Portion(315), "b": Portion(35)}),
        (1, {"a": 0.9, "b": 0.1}, {"a": Portion(1, 2.0), "b": Portion(1, 2.0)}),
    ],
)
def test_portions(count: int, divided: dict[str, float], expected: dict[str, Portion]) -> None:
    """Nine tenths of eight are seven."""
    assert expected == portions(count, divided)


def test_a_portion_grows_late_and_shrinks_at_once() -> None:
    """It grows when what others started under their larger ones has left the vendor's window."""
    delayed = Delayed(63.0, Portion(100), 0.0)
    seen = {}
    for now, told in {10.0: 40, 20.0: 60, 50.0: 90, 52.0: 80}.items():
        delayed.tell(Portion(told), now)
        seen[now] = delayed.at(now).requests
    later = {now: delayed.at(now).requests for now in (82.9, 83.0, 112.9, 113.0, 200.0)}

    assert {10.0: 40, 20.0: 40, 50.0: 40, 52.0: 40} == seen
    assert {82.9: 40, 83.0: 60, 112.9: 60, 113.0: 80, 200.0: 80} == later


@given(st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(0, 100)), max_size=30))
def test_growth_is_always_delayed(steps: list[tuple[float, int]]) -> None:
    """At any time it is no more than what was told at any moment of the last so many seconds."""
    delay, now = 10.0, 0.0
    delayed, told = Delayed(delay, NOTHING, now), [(float("-inf"), 0)]
    for passed, requests in steps:
        now += passed
        delayed.tell(Portion(requests), now)
        told.append((now, requests))
        ends = [*(since for since, _ in told[1:]), float("inf")]
        within = [each for (_, each), end in zip(told, ends, strict=True) if end > now - delay]

        assert min(within) == delayed.at(now).requests
