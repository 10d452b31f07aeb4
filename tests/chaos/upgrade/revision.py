"""An earlier version of the program, as a folder: what a worker is upgraded from."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[3]
PARTS: Final = ("streams", "avro_schemas")
"""What a process of the program is made of."""


class NoRevision(Exception):
    """There is no earlier version here, or none of that name."""


class Version(NamedTuple):
    """A version that workers can be of.

    Attributes:
        name: in words.
        tree: the folder with its packages; None: the one that runs here.
    """

    name: str
    tree: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process of this version, whatever is installed."""
        return {} if self.tree is None else {"PYTHONPATH": str(self.tree)}


CURRENT: Final = Version("new")


def earlier(root: Path = ROOT) -> str:
    """The newest commit whose program is not the one that is here; raises `NoRevision`."""
    for commit in _git(root, "log", "--format=%H", "--", *PARTS).decode().split():
        if _git(root, "diff", "--name-only", commit, "--", *PARTS):
            return commit
    raise NoRevision("no earlier version of the program is known here: is this a shallow clone?")


def extracted(revision: str, directory: Path, root: Path = ROOT) -> Version:
    """Unpack a revision; raises `NoRevision`, also if a process would not run it."""
    named = _git(root, "log", "-1", "--format=%h %s", revision).decode().strip()
    packed = _git(root, "archive", revision, *PARTS)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(directory, filter="data")
    version = Version(f"old ({named})", directory)
    found = subprocess.run(
        [sys.executable, "-c", "import streams; print(streams.__file__)"],
        env=os.environ | version.environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    if not found.stdout.startswith(str(directory)):
        raise NoRevision(f"a process would not run {named}: {found.stdout}{found.stderr}")
    return version


def _git(root: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S607 - whichever git is installed
    except OSError as error:
        raise NoRevision(f"git cannot be run: {error}") from None
    if done.returncode:
        raise NoRevision(done.stderr.decode().strip())
    return done.stdout
