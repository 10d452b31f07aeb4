"""The rehearsal of a crash: wishes, and the report that outlives the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from streams.cli.worker.rehearsal import OPEN, STEPS, VARIABLE, Report, rehearsal
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

ONCE = ("began", "produced", "flushed", "offsets", "committed")
CODE = """from streams.cli.worker.rehearsal import rehearsal
at = rehearsal()
[at(each) for each in {!r}]"""


def run(wishes: str, steps: tuple[str, ...]) -> int:
    """Take these steps in a process of its own; return how it ended."""
    return subprocess.run(
        [sys.executable, "-c", CODE.format(steps)], env={VARIABLE: wishes}, check=False
    ).returncode


@pytest.mark.parametrize(
    ("steps", "phase"),
    [
        pytest.param((), None, id="nothing yet"),
        *[pytest.param(ONCE[: n + 1], step, id=step) for n, step in enumerate(OPEN)],
        pytest.param(ONCE, None, id="committed"),
        pytest.param((*ONCE, "began"), "began", id="the next transaction"),
        pytest.param((*ONCE[:3], "aborted"), None, id="aborted"),
        pytest.param(("restoring",), "restoring", id="a restore"),
        pytest.param(("restoring", "restored"), None, id="restored"),
        pytest.param(("restoring", "restoring", "restored"), "restoring", id="one of two"),
        pytest.param((*ONCE, "restoring"), "restoring", id="a restore behind a transaction"),
        pytest.param(("restoring", "began"), "began", id="a transaction beside a restore"),
        pytest.param(("began", "restoring", "restored"), "began", id="a restore beside it"),
    ],
)
def test_the_phase(
    steps: tuple[str, ...], phase: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open transaction by its last step, else a restore, else nothing; seen from outside."""
    file = tmp_path / "report"
    monkeypatch.setenv(VARIABLE, f"report={file}")
    at = rehearsal()
    for step in steps:
        at(step)
    seen = Report.watch(file)
    assert seen is not None
    told = seen.phase
    seen.close()

    assert phase == told


def test_a_report_outlives_a_kill(tmp_path: Path) -> None:
    """The step at which the process killed itself is in it; those behind are not."""
    file = tmp_path / "report"
    code = run(f"kill@flushed#2,report={file}", ONCE * 3)
    seen = Report.watch(file)
    assert seen is not None
    counts = {step: seen.count(step) for step in STEPS if seen.count(step)}
    phase = seen.phase
    seen.close()

    assert -signal.SIGKILL == code
    assert "flushed" == phase
    assert {"began": 2, "produced": 2, "flushed": 2, "offsets": 1, "committed": 1} == counts


def test_the_first_of_several_wishes_comes_true() -> None:
    """Each counts for itself."""
    assert -signal.SIGKILL == run("stop@offsets#9,kill@committed#2", ONCE * 3)
    assert 0 == run("stop@offsets#9,kill@committed#4", ONCE * 3)


def test_there_is_no_report_before_it_begins(tmp_path: Path) -> None:
    """Neither without a file nor with an empty one."""
    empty = tmp_path / "empty"
    empty.touch()

    assert Report.watch(tmp_path / "none") is None
    assert Report.watch(empty) is None


@pytest.mark.parametrize(
    "wish",
    ["stop@flushed", "pause@flushed#1", "kill@nowhere#1", "kill@flushed#0", "kill@flushed#1,", ""],
)
def test_a_wish_that_is_none(wish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything starts; no wish at all is none to refuse."""
    monkeypatch.setenv(VARIABLE, wish)
    if wish:
        with pytest.raises(ConfigurationError, match=VARIABLE):
            rehearsal()
    else:
        assert rehearsal()("began") is None


def test_a_report_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said with the reason, before anything starts."""
    monkeypatch.setenv(VARIABLE, f"report={tmp_path / 'none' / 'report'}")

    with pytest.raises(ConfigurationError, match="No such file"):
        rehearsal()
