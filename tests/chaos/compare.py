"""What readers got beside what they should have got: lost, duplicated, reordered, unexpected.

Pure. Every count is the least number of records that explains the difference, key by key, so each
record that is wrong is counted once and under one name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Difference:
    """Counts of records.

    Attributes:
        lost: expected, and never read.
        duplicated: read more often than expected, and expected at least once.
        reordered: of those that are there, how many must move to stand in order.
        unexpected: read, and nothing of the kind is expected under this key.
    """

    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    unexpected: int = 0

    def __add__(self, other: Difference) -> Difference:
        return Difference(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    def __bool__(self) -> bool:
        return any(astuple(self))


EXACT = Difference()


def compare_sequences(expected: Sequence[Hashable], found: Sequence[Hashable]) -> Difference:
    """The difference of one key's records, in order."""
    if expected == found:
        return EXACT
    wanted, got = Counter(expected), Counter(found)
    extra = got - wanted
    duplicated = sum(count for record, count in extra.items() if record in wanted)
    common = (wanted & got).total()
    return Difference(
        lost=(wanted - got).total(),
        duplicated=duplicated,
        reordered=common - longest_common(expected, found),
        unexpected=extra.total() - duplicated,
    )


def compare(
    expected: Mapping[Key, Sequence[Hashable]], found: Mapping[Key, Sequence[Hashable]]
) -> dict[Key, Difference]:
    """The differences by key, of the keys that differ."""
    differences = {
        key: compare_sequences(expected.get(key, ()), found.get(key, ()))
        for key in {*expected, *found}
    }
    return {key: difference for key, difference in differences.items() if difference}


def longest_common(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """The length of the longest common subsequence (Hunt and Szymanski, 1977).

    Quick where records hardly repeat: the longest rising sequence of places in `first`.
    """
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, record in enumerate(first):
        places[record].append(place)
    ends: list[int] = []  # the least place in which a rising sequence of each length ends
    for record in second:
        for place in reversed(places.get(record, ())):
            at = bisect_left(ends, place)
            ends[at : at + 1] = [place]
    return len(ends)
