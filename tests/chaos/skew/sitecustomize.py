# ruff: noqa: INP001 - Python looks for it by its name alone
"""A wrong clock for one process: `STREAMS_TEST_CLOCK` seconds beside the machine's.

Python imports a module of this name before anything else, from wherever `PYTHONPATH` says. So what
runs is the production process, whole, on a machine whose clock is off.
"""

from __future__ import annotations

import os
import time

_NANOSECONDS = 1_000_000_000

_off = int(os.environ["STREAMS_TEST_CLOCK"])
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + _off
time.time_ns = lambda: _time_ns() + _off * _NANOSECONDS
