"""The words of chaos: its table, and when it is content."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.chaos.compare import EXACT, Difference
from tests.chaos.plan import Plan, plans
from tests.chaos.progress import Resumption
from tests.chaos.readings import Findings
from tests.chaos.round import Outcome
from tests.chaos.session import verdict
from tests.chaos.tally import line, table


def plan(kind: str) -> Plan:
    """A round's plan."""
    [made] = islice(plans(1, [kind]), 1)
    return made


def outcome(
    kind: str = "kill",
    *phases: str,
    difference: Difference = EXACT,
    wrong_rows: int = 0,
    faults: tuple[str, ...] = (),
    resumed: Resumption | None = None,
) -> Outcome:
    """A round of 1,000 events."""
    findings = Findings(1_000, 1_500, 20, 300, difference, wrong_rows, ["a sample"])
    return Outcome(
        plan=plan(kind),
        phases=phases,
        findings=findings,
        resumed=resumed,
        faults=faults,
        notes=(),
        seconds=12.0,
    )


MET = outcome("kill", "flushed")


def test_the_table_adds_up_by_fault_and_in_all() -> None:
    """Rounds that met nothing are not in it; times are median and maximum."""
    lines = table(
        [
            outcome("kill", "flushed", resumed=Resumption(0.1, 1)),
            outcome("kill", "began", difference=Difference(1, 2, 3, 4), wrong_rows=5),
            outcome("kill", "flushed", resumed=Resumption(0.3, 6)),
            outcome("scale", "restoring", "offsets"),
            outcome("term"),
        ]
    )
    cells = [[cell.strip() for cell in each.split("  ") if cell.strip()] for each in lines[1:]]

    assert [
        ["kill", "3", "flushed 2 began 1", "3,000", *"12345", "0.2 / 0.3 s", "3.5 / 6.0 s"],
        ["scale", "1", "restoring 1 offsets 1", "1,000", *"00000", "-", "-"],
        ["all", "4", "flushed 2 began 1 restoring 1 offsets 1", "4,000", *"12345",
         "0.2 / 0.3 s", "3.5 / 6.0 s"],
    ] == cells  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "good"),
    [
        pytest.param([MET, MET], True, id="all is well"),
        pytest.param([MET, outcome("term"), MET], True, id="another round made up for one"),
        pytest.param([MET], False, id="too few"),
        pytest.param([MET, outcome("term")], False, id="one met nothing"),
        pytest.param(
            [MET, outcome("kill", "began", difference=Difference(lost=1))], False, id="lost"
        ),
        pytest.param(
            [MET, outcome("kill", "began", difference=Difference(unexpected=1))],
            False,
            id="unexpected",
        ),
        pytest.param([MET, outcome("kill", "began", wrong_rows=1)], False, id="a row"),
        pytest.param([MET, outcome("kill", "began", faults=("it hung",))], False, id="a fault"),
        pytest.param(
            [MET, MET, outcome("term", difference=Difference(lost=1))],
            False,
            id="a loss in a round that does not count",
        ),
    ],
)
def test_the_verdict(outcomes: list[Outcome], good: bool) -> None:
    """Content only if two rounds counted and every single one was exact."""
    assert good == verdict(outcomes, 2)[1]


def test_a_line_says_what_went_wrong() -> None:
    """The phase, the difference, a sample, and what must not have happened."""
    told = line(
        outcome("kill", "flushed", difference=Difference(lost=1), faults=("it hung",))
    ).splitlines()

    assert "met flushed" in told[0]
    assert "lost=1" in told[0]
    assert ["    FAILED: it hung", "    a sample"] == told[1:]
