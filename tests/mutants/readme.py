"""The mutants' table for people, written from the data: `tests/mutants/README.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mutants.table import ROOMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutants.mutant import Mutant

TOP = """\
# Mutants

What would happen if one rule of the program were wrong, and which test would say so. Each mutant is
a small change of the program that breaks one rule; `./run test mutants` applies them one by one in
a copy of the tree and demands that the tests named here turn red. One that survives is a rule that
no test holds. `./run test mutants --only NAME` tries a single one.

Written from the data beside this file: `UPDATE_GOLDEN=1 ./run test tests/unit/test_mutants.py`.
"""
HEAD = "| mutant | what it would do | where | red |\n|---|---|---|---|"


def readme() -> str:
    """The file's text."""
    return "\n".join([TOP, *(part for title, room in ROOMS for part in _room(title, room))])


def _room(title: str, mutants: tuple[Mutant, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield HEAD
    for mutant in mutants:
        files = dict.fromkeys(test.partition("::")[0] for test in mutant.tests)
        red = ", ".join(f"`{file.removeprefix('tests/')}`" for file in files)
        where = mutant.file.removeprefix("streams/")
        yield f"| {mutant.name} | {mutant.breaks} | `{where}` | {red} |"
    yield ""
