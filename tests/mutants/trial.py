"""Puts a mutant on trial: a copy of the tree, the fault in it, and the tests that must notice.

Nothing is ever changed in place. The copies come from one snapshot, so that whoever edits the tree
meanwhile changes no verdict.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.mutants.mutant import ROOT, Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.mutant import Mutant

COPIED = ("streams", "tests", "avro_schemas", "pyproject.toml", "README.md", "run", "deploy")
IGNORED = shutil.ignore_patterns(".run", "*.log")
PATIENCE = 240.0
"""Seconds for the tests of one mutant; those that know how long to wait give up sooner."""

FAILED = 1
"""pytest's exit code for tests that ran and failed; greater ones mean that none could be judged."""


class Answer(NamedTuple):
    """What came of some tests; see `inside.Witness`. `code` is pytest's, or None: no answer."""

    code: int | None
    passed: list[str]
    failed: list[str]
    broken: list[str]
    output: str


class Verdict(NamedTuple):
    """What came of a mutant: `killed_by` a test, or else `survived` says how it got away."""

    mutant: Mutant
    killed_by: str | None
    survived: str = ""


def snapshot(to: Path) -> None:
    """Copy what the tests need of the tree."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=IGNORED)
        elif source.exists():
            shutil.copy2(source, to / name)


def run(tree: Path, module: str, tests: Iterable[str], *, stop: bool, bootstrap: str) -> Answer:
    """Run tests in a copy; `stop`: at the first failure. `bootstrap`: a broker, if there is one."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("STREAMS_")
    }
    environment |= {"PYTHONPATH": str(tree), "STREAMS_TEST_BOOTSTRAP": bootstrap}
    with tempfile.NamedTemporaryFile(suffix=".json", dir=tree) as answer:
        words = ["-x"] if stop else []
        command = [sys.executable, "-P", "-m", "tests.mutants.inside", answer.name, module]
        try:
            done = subprocess.run(
                [*command, *words, *tests],
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(None, [], [], [], f"no answer within {PATIENCE:.0f} s")
        written = Path(answer.name).read_text(encoding="utf-8")
    output = f"{done.stdout}{done.stderr}"
    return Answer(**json.loads(written), output=output) if written else _none(output)


def _none(output: str) -> Answer:
    return Answer(None, [], [], [], output)


def innocent(test: str, answer: Answer) -> bool:
    """Whether a test, a file's or function's, ran without a fault and passed as a whole."""
    ours = [nodeid for nodeid in answer.passed if belongs(nodeid, test)]
    others = [nodeid for nodeid in answer.failed + answer.broken if belongs(nodeid, test)]
    return bool(ours) and not others


def belongs(nodeid: str, test: str) -> bool:
    """Whether a node is the test, one of its cases, or in the file."""
    return nodeid == test or nodeid.startswith((f"{test}::", f"{test}["))


def judge(mutant: Mutant, pristine: Path, bootstrap: str) -> Verdict:
    """Try one mutant in a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="streams-mutant-") as place:
        tree = Path(place) / "tree"
        shutil.copytree(pristine, tree)
        try:
            fault = mutant.applied(tree)
        except Unfit as unfit:
            return Verdict(mutant, None, str(unfit))
        faulty = tree / mutant.file
        faulty.write_text(fault, encoding="utf-8")
        for compiled in (faulty.parent / "__pycache__").glob(f"{faulty.stem}.*"):
            compiled.unlink()  # of the faultless text; its age and size might pass for these
        answer = run(tree, mutant.module, mutant.tests, stop=True, bootstrap=bootstrap)
    if answer.code == FAILED and answer.failed:
        return Verdict(mutant, answer.failed[0])
    if answer.code == 0:
        return Verdict(mutant, None, "SURVIVED: every test is green")
    return Verdict(mutant, None, f"cannot be judged:\n{answer.output[-1_000:]}")
