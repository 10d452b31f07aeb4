"""Where Quix Streams lives: an environment of its own, since it wants other versions than we do.

Made once under `.run/bench/quix` from `deploy/requirements-bench-quix.lock`, and anew when the lock
or the interpreter changes. `tests/bench/peers/quix.in` is what the lock was resolved from.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "deploy" / "requirements-bench-quix.lock"
HOME = ROOT / ".run" / "bench" / "quix"


class NotAvailable(Exception):
    """A peer cannot run on this machine; the message says why."""


def interpreter() -> Path:
    """The Python that has Quix Streams, made now if need be; raises `NotAvailable`."""
    python, complete = HOME / "bin" / "python", HOME / "complete"
    wanted = f"{sys.version} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}"
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with (HOME.parent / "quix.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would build one environment twice
        if not complete.exists() or complete.read_text() != wanted:
            print("making .run/bench/quix (a minute, the first time)", flush=True)
            shutil.rmtree(HOME, ignore_errors=True)
            _call(sys.executable, "-m", "venv", str(HOME))
            pip = (str(python), "-m", "pip", "install", "--quiet", "--no-input")
            _call(*pip, "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", LOCK)
            complete.write_text(wanted)
    return python


def _call(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotAvailable(f"its environment cannot be made: {last}")
