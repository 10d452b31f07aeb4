"""The demo's processes: real children of the real command line, each with its own log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STOP_SECONDS = 4.5


class ChildFailed(Exception):
    """A child ended that should not have; holds the end of its log."""


class Child:
    """One `streams …` process. What it prints goes to `log`, unless it is asked for lines."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        stdin: int | None = subprocess.DEVNULL,
    ) -> None:
        self.name = name
        self._log = directory / f"{name}.log"
        with self._log.open("ab") as log:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-m", "streams", *arguments],
                cwd=directory,
                env={**os.environ, **environment},
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: we end our children in order
            )

    @property
    def stdin(self) -> IO[bytes]:
        """Where a child that was started with a pipe reads."""
        if self.process.stdin is None:
            raise ChildFailed(f"{self.name} reads nothing")
        return self.process.stdin

    def check(self) -> None:
        """Raise `ChildFailed` if it has ended."""
        if self.process.poll() is not None:
            raise ChildFailed(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")

    def wait(self, seconds: float) -> None:
        """Wait until it ends well; raises `ChildFailed`."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"{self.name} did not end in {seconds:.0f} s") from None
        if code:
            raise ChildFailed(f"{self.name} ended with {code}:\n{self.tail()}")

    def line(self, start: str, seconds: float) -> str:
        """The first line of its log that begins so; raises `ChildFailed` when none comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.tail(1000).splitlines():
                if line.startswith(start):
                    return line
            self.check()
            time.sleep(0.02)
        raise ChildFailed(f"{self.name} did not say {start!r}:\n{self.tail()}")

    def tail(self, lines: int = 20) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


def stop(children: Sequence[Child]) -> None:
    """End children together: SIGTERM, and after some seconds SIGKILL."""
    alive = [child for child in children if child.process.poll() is None]
    for child in alive:
        child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for child in alive:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
