"""Which faults come in which order, and how soon commits come again: the pure parts of chaos."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.plan import Plan, known_kinds, plans
from tests.chaos.progress import Commit, Resumption, resumption

KINDS = known_kinds(1)


def first(seed: int, count: int) -> list[Plan]:
    """The first rounds of a seed."""
    return list(islice(plans(seed, KINDS), count))


def test_the_same_seed_gives_the_same_rounds() -> None:
    """Kinds, steps, moments, clocks: everything that is drawn; another seed draws otherwise."""
    assert first(7, 40) == first(7, 40)
    assert first(7, 40) != first(8, 40)


def test_every_fault_comes_before_any_comes_again() -> None:
    """However few rounds there are, their faults differ as much as they can."""
    kinds = [plan.kind for plan in first(3, 2 * len(KINDS))]

    assert set(KINDS) == set(kinds[: len(KINDS)]) == set(kinds[len(KINDS) :])


@pytest.mark.parametrize("brokers", [1, 3])
def test_every_fault_is_known(brokers: int) -> None:
    """What a schedule may name can be done."""
    unknown = set(known_kinds(brokers)) - FAULTS.keys()

    assert set() == unknown


def test_clocks_are_wrong_only_where_that_is_the_fault() -> None:
    """Then by minutes, and in both directions."""
    skewed = [plan.clocks for plan in first(1, 200) if plan.kind == "skew"]
    others = {plan.clocks for plan in first(1, 200) if plan.kind != "skew"}

    assert {(0, 0, 0)} == others
    assert all(120 <= abs(seconds) <= 900 for clocks in skewed for seconds in clocks)
    assert all(clocks[0] == -clocks[1] for clocks in skewed)


@pytest.mark.parametrize(
    ("commits", "resumed"),
    [
        pytest.param([], None, id="nothing is committed"),
        pytest.param([Commit(8, 9, 0, 1)], None, id="only before"),
        pytest.param([Commit(9.9, 10.1, 0, 1)], None, id="perhaps before"),
        pytest.param([Commit(10, 11, 0, 1)], Resumption(1, 1), id="one partition"),
        pytest.param(
            [Commit(10, 11, 0, 1), Commit(11, 12, 0, 2), Commit(15, 16, 1, 1)],
            Resumption(1, 6),
            id="each partition's first",
        ),
    ],
)
def test_resumption(commits: list[Commit], resumed: Resumption | None) -> None:
    """Counted from a fault at second 10, at most: what may have come before it does not count."""
    assert resumed == resumption(commits, 10.0)
