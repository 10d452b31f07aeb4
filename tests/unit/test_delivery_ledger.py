"""How far a partition is, and what is committed with it: `streams.delivery.ledger`."""

from __future__ import annotations

import pytest

from streams.delivery.ledger import Ledger, Memory, Window, read_from
from streams.delivery.pending import Delivery
from streams.delivery.statistics import Statistics
from streams.engine.batch import FIRST, Position
from streams.engine.ownership import Share

SIZE = 600


def ledger(
    *offsets: int, count: int = 100, size: int = 100 * SIZE
) -> tuple[Ledger, list[Delivery]]:
    """A ledger from offset 10 (outcomes end at 70) that has taken these records."""
    memory = Memory(Position(10, "outcomes=50"), 70, {})
    taken = Ledger(Share(3, 1), memory, Window(count, size, Statistics()), FIRST)
    deliveries = [Delivery(o, "deliveries", 3, 1, o, 0, None, b"x" * 100, {}) for o in offsets]
    for each in deliveries:
        taken.add(each)
    return taken, deliveries


def test_nothing_finished_nothing_due() -> None:
    """Without progress there is nothing to commit."""
    taken, _ = ledger(10, 11)

    assert None is taken.due()


def test_the_offset_stops_before_the_first_unfinished() -> None:
    """Only a prefix without gaps is committed; markers of transactions between are skipped."""
    taken, [first, _, third, fourth] = ledger(10, 12, 13, 17)
    offsets = []
    for each in (third, first, fourth):
        taken.finish(each)
        offsets.append(taken.due())

    assert [None, 11, 11] == [at and at.offset for at in offsets]


def test_a_commit_is_due_once() -> None:
    """What the broker has is not committed again."""
    taken, [first, second] = ledger(10, 11)
    taken.finish(first)
    position = taken.due()
    assert position is not None
    taken.committed(position)

    assert None is taken.due()

    taken.finish(second)

    assert 12 == (taken.due() or Position(0)).offset


@pytest.mark.parametrize(
    ("outcomes", "finished", "start"),
    [
        pytest.param([None, None], [0], 70, id="none: the end when the partition was loaded"),
        pytest.param([80, None], [0], 81, id="behind those of what is committed"),
        pytest.param([80, 85], [0], 85, id="the first of what is beyond the offset"),
        pytest.param([80, 85, 82], [0, 2], 82, id="the least of them"),
        pytest.param([80, 85], [0, 1], 86, id="all committed"),
    ],
)
def test_a_successor_finds_everything_beyond_the_offset(
    outcomes: list[int | None], finished: list[int], start: int
) -> None:
    """With the offset goes where to read from: no outcome beyond the offset lies before it."""
    taken, deliveries = ledger(*range(10, 10 + len(outcomes)))
    for each, outcome in zip(deliveries, outcomes, strict=True):
        if outcome is not None:
            each.heard(outcome)
    for place in finished:
        taken.finish(deliveries[place])
    position = taken.due()

    assert position is not None
    assert start == read_from(position.metadata)


@pytest.mark.parametrize("metadata", ["", "outcomes=", "outcomes=x", "1790000000000", "x=5"])
def test_other_metadata_says_nothing(metadata: str) -> None:
    """What is not ours is not taken for an offset."""
    assert None is read_from(metadata)


def test_the_window_is_bounded_by_count() -> None:
    """Deliveries count until the offset has passed them."""
    taken, [first, second] = ledger(10, 11, count=2)
    states = [taken.window.full]
    taken.finish(second)
    states.append(taken.window.full)
    taken.finish(first)
    states.append(taken.window.full)

    assert [True, True, False] == states


def test_the_window_is_bounded_by_bytes() -> None:
    """Records count by their size until they are finished; one alone is always let in."""
    taken, [_, second] = ledger(10, 11, size=2 * SIZE)
    states = [taken.window.full]
    taken.finish(second)
    states.append(taken.window.full)

    assert [True, False] == states
    assert not Window(10, 1, Statistics()).full


def test_a_closed_ledger_gives_its_room_back() -> None:
    """Nothing of a lost partition stays counted."""
    taken, [_, second, _] = ledger(10, 11, 12)
    taken.finish(second)
    taken.close()
    counts = taken.window.statistics

    assert (0, 0) == (counts.waiting, counts.waiting_bytes)
