"""The mutants fit the program as it is, and their page shows them (`./run test mutants`)."""

from __future__ import annotations

import re

import pytest

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.readme import readme
from tests.mutants.table import MUTANTS
from tests.mutants.trial import Answer, belongs, innocent
from tests.support.golden import UPDATE

PAGE = ROOT / "tests/mutants/README.md"


def test_the_page_shows_the_mutants() -> None:
    """`tests/mutants/README.md` is written from the data; `UPDATE_GOLDEN=1` writes it anew."""
    if UPDATE:
        PAGE.write_text(readme(), encoding="utf-8")

    assert readme() == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_fits(mutant: Mutant) -> None:
    """Its text is in its file once, what comes of it is a program, and its tests are there."""
    compile(mutant.applied(), mutant.file, "exec")
    for test in mutant.tests:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")

        assert not name or f"def {name.partition('[')[0]}(" in text, test


def test_names_are_one_mutants_own() -> None:
    """`--only NAME` means one; a name is lower case with dashes, and its fault is a sentence."""
    names = [mutant.name for mutant in MUTANTS]

    assert sorted(set(names)) == sorted(names)
    assert [] == [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)]
    assert [] == [mutant.name for mutant in MUTANTS if not mutant.breaks.endswith(".")]


@pytest.mark.parametrize(
    ("passed", "failed", "broken", "expected"),
    [
        (["t.py::a"], [], [], True),
        (["t.py::a[1]", "t.py::b"], [], [], True),
        ([], [], [], False),
        (["t.py::ab"], [], [], False),
        (["t.py::a[1]"], ["t.py::a[2]"], [], False),
        (["t.py::a[1]"], [], ["t.py::a[2]"], False),
        (["t.py::a"], ["t.py::b"], [], True),
    ],
    ids=["passed", "a case", "not run", "another", "a case failed", "a case was skipped", "others"],
)
def test_who_may_judge(
    passed: list[str], failed: list[str], broken: list[str], expected: bool
) -> None:
    """Only a test that ran and passed as a whole without any fault says something of a mutant."""
    assert expected is innocent("t.py::a", Answer(1, passed, failed, broken, ""))


def test_a_file_judges_by_all_that_is_in_it() -> None:
    """A selection is a file, a function, or one case of it."""
    assert belongs("t.py::a[1]", "t.py")
    assert belongs("t.py::a[1]", "t.py::a")
    assert belongs("t.py::a[1]", "t.py::a[1]")
    assert not belongs("t.py::a[12]", "t.py::a[1]")
