"""Rehearse a crash, and report where the worker is: for chaos runs and tests.

`STREAMS_REHEARSE` holds wishes, with commas between:

    stop@flushed#7    the process freezes itself (SIGSTOP) at the seventh `flushed`
    kill@restoring#1  … or kills itself (SIGKILL)
    report=FILE       each step is counted in FILE, which outlives the process however it ends

So transactions are cut open at a known place, and what a signal at any moment met is told by the
worker itself, in the very process that runs in production. A step costs a few stores in memory.
"""

from __future__ import annotations

import mmap
import os
import re
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VARIABLE = "STREAMS_REHEARSE"
SIGNALS = {"stop": signal.SIGSTOP, "kill": signal.SIGKILL}

OPEN: Final = ("began", "produced", "flushed", "offsets")
"""Steps of a publication behind which its transaction is open."""
STEPS: Final = (*OPEN, "committed", "aborted", "restoring", "restored")

_WORD: Final = 8
_LAST: Final = len(STEPS)
"""Behind the steps' counts: which step of a publication came last, from 1; 0 before the first."""


class Report:
    """The steps of one worker, in a file that both it and its watcher map into memory.

    Words of eight bytes: how often each of `STEPS` came, and which publication step came last.
    """

    def __init__(self, words: mmap.mmap) -> None:
        self._memory = words
        self._words = memoryview(words).cast("Q")

    @classmethod
    def begin(cls, file: Path) -> Self:
        """Begin a new report; raises `OSError`."""
        file.write_bytes(bytes(_WORD * (_LAST + 1)))
        return cls._mapped(file, mmap.ACCESS_WRITE)

    @classmethod
    def watch(cls, file: Path) -> Self | None:
        """Look into a worker's report; None before it has begun."""
        if not file.exists() or not file.stat().st_size:
            return None
        return cls._mapped(file, mmap.ACCESS_READ)

    @classmethod
    def _mapped(cls, file: Path, access: int) -> Self:
        with file.open("r+b" if access == mmap.ACCESS_WRITE else "rb") as opened:
            return cls(mmap.mmap(opened.fileno(), 0, access=access))

    def note(self, step: str) -> None:
        """Count a step; one thread at a time."""
        number = STEPS.index(step)
        self._words[number] += 1
        if step not in {"restoring", "restored"}:
            self._words[_LAST] = number + 1

    def count(self, step: str) -> int:
        """How often a step came."""
        return self._words[STEPS.index(step)]

    @property
    def phase(self) -> str | None:
        """What the worker is in the middle of; None: no transaction is open, no table is loaded.

        The last step of an open transaction, else `restoring`.
        """
        last = self._words[_LAST]
        if last and STEPS[last - 1] in OPEN:
            return STEPS[last - 1]
        return "restoring" if self.count("restoring") > self.count("restored") else None

    def close(self) -> None:
        """Let go of the memory."""
        self._words.release()
        self._memory.close()


class _Wish:
    """A signal to ourselves when a step comes for the n-th time."""

    def __init__(self, sent: signal.Signals, step: str, times: int) -> None:
        self.sent = sent
        self._step = step
        self._left = times

    def comes(self, step: str) -> bool:
        """Whether it is this time."""
        self._left -= step == self._step
        return step == self._step and self._left == 0


def rehearsal() -> Callable[[str], None]:
    """What to call at each step, from any thread: does nothing unless the variable asks for it.

    Raises:
        ConfigurationError: a wish that is none.
    """
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return lambda _: None
    words = wanted.split(",")
    files = [word.removeprefix("report=") for word in words if word.startswith("report=")]
    wishes = [_wish(word) for word in words if not word.startswith("report=")]
    return _Rehearsal(wishes, [_begun(Path(file)) for file in files]).at


class _Rehearsal:
    """Reports steps and grants wishes."""

    def __init__(self, wishes: Sequence[_Wish], reports: Sequence[Report]) -> None:
        self._wishes = wishes
        self._reports = reports
        self._one = threading.Lock()

    def at(self, step: str) -> None:
        """Take note of a step."""
        with self._one:  # publications and loads have threads of their own
            for report in self._reports:
                report.note(step)
            granted = [wish.sent for wish in self._wishes if wish.comes(step)]
        for sent in granted:
            os.kill(os.getpid(), sent)


def _wish(word: str) -> _Wish:
    found = re.fullmatch(r"(stop|kill)@(\w+)#([1-9]\d*)", word)
    if found is None or found[2] not in STEPS:
        known = ", ".join(STEPS)
        remedy = f"Write stop@STEP#N, kill@STEP#N or report=FILE; STEP is one of {known}"
        raise ConfigurationError(VARIABLE, "not understood", remedy)
    return _Wish(SIGNALS[found[1]], found[2], int(found[3]))


def _begun(file: Path) -> Report:
    try:
        return Report.begin(file)
    except OSError as error:
        raise ConfigurationError(
            VARIABLE, f"the report cannot be written ({error.strerror})", "Name a file that can"
        ) from None
