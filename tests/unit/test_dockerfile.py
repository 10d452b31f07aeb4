"""What deploy/Dockerfile copies and installs is all that the program needs, without building it.

The wheel is built from the copied files alone; then every module of it is imported where only that
wheel and the packages of the runtime lock can be.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.composed import DOCKERFILE, ROOT

if TYPE_CHECKING:
    from pathlib import Path

IGNORED = ROOT / "deploy" / "Dockerfile.dockerignore"
LOCK = "requirements-runtime.lock"

WATCHED = """
import importlib, importlib.abc, importlib.metadata, pkgutil, re, sys
wheel, lock = sys.argv[1:]
locked = {re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower()
          for line in open(lock) if re.match(r"[\\w.-]+(\\[[\\w,]+\\])?==", line)}
owners = importlib.metadata.packages_distributions()

class Lock(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        of = owners.get(name.partition(".")[0], ())
        mine = {re.sub(r"[-_.]+", "-", each).lower() for each in of}
        if mine and not mine & locked and not mine <= {"ordergroove-streams", "pip", "setuptools"}:
            raise ModuleNotFoundError(f"{name} is not in the lock: {sorted(mine)}", name=name)

sys.meta_path.insert(0, Lock())
sys.path.insert(0, wheel)
import streams
assert streams.__file__.startswith(wheel), streams.__file__
for found in pkgutil.walk_packages(streams.__path__, "streams."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
from streams.cli import main
sys.argv[1:] = ["topics", "create", "--help"]
main()
"""


def copied() -> list[str]:
    """What the image is made of, of the repository."""
    lines = re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE.read_text(), re.MULTILINE)
    return [word for line in lines for word in line.split()[:-1]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's contents, made of what the Dockerfile copies and nothing else."""
    place = tmp_path_factory.mktemp("image")
    for name in copied():
        source = ROOT / name
        target = place / "build" / (name if source.is_dir() else source.name)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(place)),
            str(place / "build"),
        ],
        check=True,
    )
    [packed] = place.glob("*.whl")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(place / "wheel")
    return place / "wheel"


def test_the_runtime_lock_is_enough(wheel: Path) -> None:
    """Every module can be imported, the console's among them, and the command answers."""
    told = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(wheel), str(ROOT / "deploy" / LOCK)],
        cwd=wheel.parent,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2_000:]
    assert "Create every topic" in done.stdout


def test_the_wheel_has_every_schema(wheel: Path) -> None:
    """And every other file beside the modules."""
    here = {
        path.relative_to(ROOT)
        for folder in ("streams", "avro_schemas")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert set() == here - {path.relative_to(wheel) for path in wheel.rglob("*")}


def test_what_is_copied_is_sent_to_the_builder() -> None:
    """The ignore file lets through these, and nothing else."""
    lines = IGNORED.read_text().splitlines()

    assert lines[1] == "*"
    assert sorted(copied()) == sorted(line[1:] for line in lines if line.startswith("!"))


def test_the_image_runs_as_nobody_special() -> None:
    """A user by number, a health check, a signal that the program takes for a stop, labels."""
    last = DOCKERFILE.read_text().rpartition("\nFROM ")[2]

    assert re.search(r"^USER [1-9]\d{3,}:[1-9]\d{3,}$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD \[", last, re.MULTILINE)
    assert "\nSTOPSIGNAL SIGTERM\n" in last
    assert {"title", "description", "version", "revision"} <= set(
        re.findall(r"org\.opencontainers\.image\.(\w+)=", last)
    )
    assert (
        re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
        == ["python:3.11.13-slim-bookworm"] * 2
    )
