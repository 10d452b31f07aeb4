"""The rehearsal of an upgrade: which version is the earlier one, the order of steps, the pace."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from streams.demo.summary import Summary, Through
from tests.chaos.upgrade.main import Step, judged, steps_of
from tests.chaos.upgrade.pace import FASTEST, Pace
from tests.chaos.upgrade.revision import CURRENT, NoRevision, Version, earlier, extracted
from tests.chaos.upgrade.stage import Change, Place

if TYPE_CHECKING:
    from pathlib import Path

OLD = Version("old (1)")
PLACE = Place("derive", 0)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository: the program twice, then something else."""
    root = tmp_path / "repository"
    (root / "streams").mkdir(parents=True)
    (root / "avro_schemas").mkdir()
    _git(root, "init", "--quiet")
    (root / "avro_schemas" / "ids.json").write_text("{}\n")
    for number, name in enumerate(("streams/__init__.py", "avro_schemas/a.avsc", "README.md")):
        (root / name).write_text(f"# {number}\n")
        _git(root, "add", ".")
        _git(root, "commit", "--quiet", "--message", name)
    return root


def _git(root: Path, *arguments: str) -> str:
    who = {
        f"GIT_{of}_{what}": "rowan@shop-demo.io"
        for of in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - whichever git is installed
        cwd=root,
        env=os.environ | who | alone,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_the_earlier_version_is_the_newest_of_another_program(history: Path) -> None:
    """A change elsewhere makes no version; one that is not committed does."""
    first, second = (_git(history, "rev-parse", f"HEAD~{back}") for back in (2, 1))
    assert first == earlier(history)

    (history / "streams" / "__init__.py").write_text("# changed\n")
    assert second == earlier(history)


def test_what_is_extracted_is_what_runs(history: Path, tmp_path: Path) -> None:
    """Of that revision, whatever is installed."""
    version = extracted(earlier(history), tmp_path / "old", history)

    assert (tmp_path / "old" / "streams" / "__init__.py").read_text() == "# 0\n"
    assert not (tmp_path / "old" / "README.md").exists()
    assert version.environment == {"PYTHONPATH": str(tmp_path / "old")}
    assert CURRENT.environment == {}


def test_without_a_history_it_says_so(history: Path, tmp_path: Path) -> None:
    """An unknown revision too."""
    with pytest.raises(NoRevision, match="unknown revision"):
        extracted("v9.9", tmp_path / "old", history)
    with pytest.raises(NoRevision):
        earlier(tmp_path)


def test_readers_go_before_writers_and_back_after_them() -> None:
    """Each worker once forth and once back, the highest first."""
    steps = [(place.name, version) for place, version in steps_of(OLD, 2)]

    assert steps == [
        ("deliver-1", CURRENT), ("deliver-0", CURRENT),
        ("derive-1", CURRENT), ("derive-0", CURRENT),
        ("derive-1", OLD), ("derive-0", OLD), ("deliver-1", OLD), ("deliver-0", OLD),
    ]  # fmt: skip


def test_webhooks_last_as_long_as_steps() -> None:
    """What is left is spread over what is left to do; then it goes at once."""
    now = [0.0]
    pace = Pace(100, 4, lambda: now[0])
    at_first = pace.pause
    now[0] = 10.0
    pace.step()

    assert at_first == pytest.approx(0.24)  # 4 steps of a guessed 6 s, 100 webhooks
    assert pace.pause == pytest.approx(0.3)  # 3 steps of 10 s
    pace.end()
    assert pace.pause == 0.0
    assert Pace(10**6, 4, lambda: 0.0).pause == pytest.approx(1 / FASTEST)


def test_who_waits_for_webhooks_goes_on_when_they_came() -> None:
    """And so does who waits when nothing more is to be done."""
    pace = Pace(10, 1)
    pace.end()
    waiting = threading.Thread(target=pace.until, args=(5,))
    waiting.start()
    waiting.join(10)
    pace.turn()

    assert not waiting.is_alive()
    assert pace.fed == 1


def summary(**changed: object) -> Summary:
    """One connection through which one record went."""
    told: dict[str, Any] = {
        "ok": True, "derived": {}, "deliveries": 1, "outcomes": {}, "dead_letters": {},
        "requests": 1, "accepted": 1, "expected": 1, "repeats": 0, "differences": [],
    }  # fmt: skip
    through = Through(**told | changed)
    whole: dict[str, Any] = dict.fromkeys(Summary.__struct_fields__, 0)
    return Summary(**whole | {"connections": {"klaviyo": through}, "differences": []})


@pytest.mark.parametrize(
    ("words", "code", "fed", "changed"),
    [
        (None, 0, 1, {}),
        ("came again", 0, 1, {"repeats": 1}),
        ("missing", 0, 1, {"differences": ["missing: customer …"]}),
        ("ended with 75", 75, 1, {}),
        ("no webhook came", 0, 0, {}),
    ],
)
def test_what_is_wrong_is_said(
    words: str | None, code: int, fed: int, changed: dict[str, object]
) -> None:
    """Lost, twice, a stop that was cut short, a step that met nothing."""
    step = Step(Change(PLACE, CURRENT, 0.1, code, 1.0), fed)
    wrong = judged([step], summary(**changed)).wrong

    assert bool(words) == bool(wrong)
    assert not words or words in wrong[0]
