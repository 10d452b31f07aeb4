"""Rehearse a crash: `STREAMS_REHEARSE=stop@flushed#7` freezes the worker at the seventh `flushed`.

The process sends SIGSTOP (`stop`) or SIGKILL (`kill`) to itself at a step of a publication: began,
produced, flushed, offsets, committed. The chaos runs use it to cut transactions open at a known
place, in the very process that runs in production.
"""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "STREAMS_REHEARSE"
SIGNALS = {"stop": signal.SIGSTOP, "kill": signal.SIGKILL}
STEPS = ("began", "produced", "flushed", "offsets", "committed")


def rehearsal() -> Callable[[str], None]:
    """What to call at each step: nothing happens unless the variable asks for it."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return lambda _: None
    found = re.fullmatch(r"(stop|kill)@(\w+)#(\d+)", wanted)
    if found is None or found[2] not in STEPS:
        raise ConfigurationError(
            VARIABLE, "not understood", f"Write stop@STEP#N or kill@STEP#N, STEP of {STEPS}"
        )
    left = int(found[3])
    step, sent = found[2], SIGNALS[found[1]]

    def at(reached: str) -> None:
        nonlocal left
        if reached == step:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), sent)

    return at
