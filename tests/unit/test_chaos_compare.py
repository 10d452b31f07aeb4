"""How chaos counts differences: every record once, under one name, by the least explanation."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.compare import EXACT, Difference, compare, compare_sequences, longest_common

RECORDS = st.lists(st.sampled_from("abcd"), max_size=7)


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        pytest.param("", "", EXACT, id="nothing"),
        pytest.param("abc", "abc", EXACT, id="the same"),
        pytest.param("aab", "aab", EXACT, id="a repetition that is expected"),
        pytest.param("abc", "", Difference(lost=3), id="all are lost"),
        pytest.param("abc", "ac", Difference(lost=1), id="one is lost"),
        pytest.param("aab", "ab", Difference(lost=1), id="one of two alike is lost"),
        pytest.param("abc", "abcabc", Difference(duplicated=3), id="all come twice"),
        pytest.param("abc", "aabc", Difference(duplicated=1), id="one comes twice at once"),
        pytest.param("ab", "bab", Difference(duplicated=1), id="one comes too early too"),
        pytest.param("abc", "acb", Difference(reordered=1), id="two change places"),
        pytest.param("abcd", "bcda", Difference(reordered=1), id="the first comes last"),
        pytest.param("abc", "cba", Difference(reordered=2), id="backwards"),
        pytest.param("ab", "axb", Difference(unexpected=1), id="a stranger"),
        pytest.param("ab", "xx", Difference(lost=2, unexpected=2), id="a stranger twice"),
        pytest.param("abc", "abx", Difference(lost=1, unexpected=1), id="one has other bytes"),
        pytest.param(
            "abcd",
            "dbbx",
            Difference(lost=2, duplicated=1, reordered=1, unexpected=1),
            id="all at once",
        ),
    ],
)
def test_a_keys_difference(expected: str, found: str, difference: Difference) -> None:
    """Lost, duplicated, reordered and unexpected are told apart, and counted exactly."""
    compared = compare_sequences(list(expected), list(found))

    assert difference == compared


def test_keys_are_apart() -> None:
    """What one key lacks, another key's surplus does not make good; equal keys are not named."""
    expected = {"k": ["a"], "l": ["b"], "m": ["c"]}
    found = {"k": [], "l": ["b", "a"], "m": ["c"], "n": ["d"]}
    wrong = {"k": Difference(lost=1), "l": Difference(unexpected=1), "n": Difference(unexpected=1)}

    assert wrong == compare(expected, found)
    assert Difference(lost=1, unexpected=2) == sum(wrong.values(), EXACT)


@given(RECORDS, RECORDS)
def test_counts_add_up(expected: list[str], found: list[str]) -> None:
    """What is found is what is expected, less the lost, plus the duplicated and the unexpected."""
    difference = compare_sequences(expected, found)
    surplus = difference.duplicated + difference.unexpected - difference.lost

    assert len(found) == len(expected) + surplus
    assert (expected == found) == (not difference)


@given(st.permutations("abcde"))
def test_reordered_is_the_least_that_must_move(found: list[str]) -> None:
    """Beside an independent count: the longest subset that already stands in order."""
    kept = max(
        size
        for size in range(6)
        for chosen in permutations(range(5), size)
        if list(chosen) == sorted(chosen)
        and [found[at] for at in chosen] == sorted(found[at] for at in chosen)
    )

    assert Difference(reordered=5 - kept) == compare_sequences(list("abcde"), found)


@given(RECORDS, RECORDS)
def test_longest_common_subsequence(first: list[str], second: list[str]) -> None:
    """Beside the textbook's table."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for row, one in enumerate(first, 1):
        for column, other in enumerate(second, 1):
            table[row][column] = (
                table[row - 1][column - 1] + 1
                if one == other
                else max(table[row - 1][column], table[row][column - 1])
            )

    assert table[-1][-1] == longest_common(first, second)
