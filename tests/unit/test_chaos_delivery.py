"""How delivery chaos judges what a vendor received, and when it is content."""

from __future__ import annotations

from itertools import islice

import pytest

from streams.demo.ledger import VENDORS
from tests.chaos.delivery.judge import (
    Arrival,
    Fault,
    Findings,
    Slowed,
    first_after,
    in_flight,
    judge,
    slowed,
)
from tests.chaos.delivery.plan import KINDS, plans
from tests.chaos.delivery.round import Outcome
from tests.chaos.delivery.stock import Stock
from tests.chaos.delivery.tally import line, table
from tests.chaos.session import verdict

EXPECTED = {"c1": ["a", "b", "c"], "c2": ["x"]}
KILL = Fault(10.0, 11.0, everywhere=True)
FREEZE = Fault(10.0, 18.0, everywhere=True, zombie="w1")
ALL_CONCLUDED = dict.fromkeys("abcx", 3.0)


def came(identity: str, at: float, worker: str = "w2", *, heard: bool = True) -> Arrival:
    """A record that the vendor took."""
    return Arrival(identity, at, worker, taken=True, heard=heard)


def counts(found: Findings) -> tuple[int, ...]:
    """Deliveries, and all that may be wrong or excused."""
    return (
        found.deliveries, found.lost, found.reordered, found.unexpected, found.repeated,
        found.excused, found.late,
    )  # fmt: skip


FIRSTS = [came("a", 1), came("x", 1.5), came("b", 2), came("c", 3)]
REFUSED = Arrival("b", 1.9, "w2", taken=False)
CASES = {
    "nothing came": ([], ALL_CONCLUDED, (4, 4, 0, 0, 0, 0, 0)),
    "all is well": (FIRSTS, ALL_CONCLUDED, (4, 0, 0, 0, 0, 0, 0)),
    "a refusal counts for nothing": (
        [FIRSTS[0], REFUSED, *FIRSTS[1:]], ALL_CONCLUDED, (4, 0, 0, 0, 0, 0, 0),
    ),
    "one is lost": (FIRSTS[:3], ALL_CONCLUDED, (4, 1, 0, 0, 0, 0, 0)),
    "two change places": (
        [FIRSTS[0], FIRSTS[3], FIRSTS[2], FIRSTS[1]], ALL_CONCLUDED, (4, 0, 1, 0, 0, 0, 0),
    ),
    "a stranger": ([*FIRSTS, came("z", 4)], ALL_CONCLUDED, (4, 0, 0, 1, 0, 0, 0)),
    "again for no reason": ([*FIRSTS, came("a", 4)], ALL_CONCLUDED, (4, 0, 0, 0, 1, 0, 0)),
    "again, though it was concluded before the fault": (
        [*FIRSTS, came("c", 12)], ALL_CONCLUDED, (4, 0, 0, 0, 1, 0, 0),
    ),
    "again, having been in flight at the fault": (
        [*FIRSTS[:3], came("c", 9.9), came("c", 12)], ALL_CONCLUDED | {"c": 12.2},
        (4, 0, 0, 0, 0, 1, 0),
    ),
    "again, having come after the fault": (
        [*FIRSTS[:3], came("c", 11.5), came("c", 12)], ALL_CONCLUDED | {"c": 12.2},
        (4, 0, 0, 0, 1, 0, 0),
    ),
    "again, the answer not having been heard": (
        [*FIRSTS[:3], came("c", 3, heard=False), came("c", 4)], ALL_CONCLUDED,
        (4, 0, 0, 0, 0, 1, 0),
    ),
    "again and again": (
        [*FIRSTS, came("a", 4), came("a", 5)], ALL_CONCLUDED, (4, 0, 0, 0, 2, 0, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_arrived_is_judged(
    case: str,
) -> None:
    """Each record that is wrong is counted once, under its name."""
    arrivals, concluded, expected = CASES[case]

    assert expected == counts(judge(EXPECTED, arrivals, concluded, [KILL]))


def test_a_zombies_late_request_is_told_apart() -> None:
    """It is no repetition of ours to prevent; another worker's is."""
    late = [*FIRSTS, came("c", 18.5, "w1")]
    ours = [*FIRSTS, came("c", 18.5, "w2")]
    much_later = [*FIRSTS, came("c", 60, "w1")]
    found = [
        counts(judge(EXPECTED, each, ALL_CONCLUDED, [FREEZE])) for each in (late, ours, much_later)
    ]

    assert [(0, 0, 1), (1, 0, 0), (1, 0, 0)] == [each[4:] for each in found]


def test_a_fault_elsewhere_excuses_nothing() -> None:
    """A connection that has no trouble repeats nothing."""
    again = [*FIRSTS[:3], came("c", 9.9), came("c", 12)]

    assert 1 == judge(EXPECTED, again, ALL_CONCLUDED | {"c": 12.2}, []).repeated


def test_requests_in_flight_are_counted() -> None:
    """Those that came so shortly before that no answer can have left, of one worker or of all."""
    several = [came("a", 9.7), came("b", 9.9, "w1"), came("c", 10.0), came("x", 10.1)]

    assert (2, 1) == (in_flight(several, 10.0, 0.2), in_flight(several, 10.0, 0.2, "w1"))


def test_the_first_delivery_after_a_fault() -> None:
    """After a vendor's end of trouble; of a worker's customers, since it met the worker."""
    owner = {"a": "c1", "b": "c1", "c": "c1", "x": "c2", "y": "c2"}
    several = [came("a", 1, "w1"), came("x", 1), came("y", 10.5), came("b", 11.25), came("c", 12)]

    assert (0.25, 1.25, None) == (
        first_after(several, owner, KILL),
        first_after(several, owner, KILL, "w1"),
        first_after(several[:3], owner, KILL, "w1"),
    )


def test_a_bystanders_latency() -> None:
    """By when each was fed: before the fault, and during it; a repetition counts for nothing."""
    fed = {"a": 1.0, "b": 9.8, "c": 10.5, "x": 30.0}
    several = [came("a", 1.5), came("b", 11.8), came("c", 12.5), came("c", 15), came("x", 33)]

    assert Slowed(0.5, 2.0) == slowed(several, fed, KILL)
    assert slowed(several[:1], fed, KILL) is None


def outcome(met: int = 3, found: Findings | None = None, *wrong: str) -> Outcome:
    """A round."""
    [plan] = islice(plans(1, ["kill"]), 1)
    return Outcome(
        plan=plan,
        met=met,
        findings=Findings(1_000, excused=2) if found is None else found,
        first=0.5,
        slowed=Slowed(0.2, 0.3),
        wrong=wrong,
        notes=("a word",),
        seconds=20.0,
    )


@pytest.mark.parametrize(
    ("outcomes", "good"),
    [
        pytest.param([outcome(), outcome()], True, id="all is well"),
        pytest.param([outcome(), outcome(0), outcome()], True, id="another made up for one"),
        pytest.param([outcome(), outcome(0)], False, id="one met nothing"),
        pytest.param([outcome(), outcome(found=Findings(lost=1))], False, id="lost"),
        pytest.param([outcome(), outcome(found=Findings(reordered=1))], False, id="reordered"),
        pytest.param([outcome(), outcome(found=Findings(repeated=1))], False, id="repeated"),
        pytest.param([outcome(), outcome(found=Findings(unexpected=1))], False, id="unexpected"),
        pytest.param([outcome(), outcome(found=Findings(late=1))], True, id="a zombie"),
        pytest.param([outcome(), outcome(3, None, "it hung")], False, id="a fault"),
    ],
)
def test_the_verdict(outcomes: list[Outcome], good: bool) -> None:
    """Content only if two rounds counted and every single one was good."""
    assert good == verdict(outcomes, 2)[1]


def test_rounds_in_words() -> None:
    """A line says what went wrong, and the table adds up."""
    told = line(outcome(3, Findings(10, lost=2, samples=["a sample"]), "it hung")).splitlines()
    cells = table([outcome(), outcome(0), outcome(found=Findings(10, repeated=1))])[-1].split()

    assert "2 lost (20 s); note: a word" in told[0]
    assert ["    FAILED: it hung", "    a sample"] == told[1:]
    assert ["all", "2", "6", "1,010", "0", "0", "0", "1", "2", "0", "0.5"] == cells[:11]


def test_every_kind_comes_before_any_comes_again() -> None:
    """And a seed gives the same rounds again; a victim is never its own bystander."""
    first, again = (list(islice(plans(7, KINDS), 2 * len(KINDS))) for _ in range(2))

    assert first == again
    assert set(KINDS) == {each.kind for each in first[: len(KINDS)]}
    assert all(each.victim != each.bystander for each in first)


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_event_has_an_identity_of_its_own(vendor: str) -> None:
    """What must arrive can be told from all else, at each vendor."""
    goods = [each for each in islice(Stock(3, 1_200, [vendor]), 600) if each.identity]

    assert len(goods) > 10
    assert len(goods) == len({each.identity for each in goods})
