"""Python's cycle collector, told that this process makes little garbage of that kind.

A record becomes a few hundred small objects that refer to each other in no circle: reference counts
free them. With CPython's defaults the collector looks at them after every 700 that are alive at
once, for nothing, which takes a tenth of the pipeline's time (`./run bench pipeline`).
"""

from __future__ import annotations

import gc

__all__ = ["collect_seldom"]

_THRESHOLDS = (50_000, 20, 100)
"""Objects more than before, and collections of one generation before the next one's."""


def collect_seldom() -> None:
    """Leave alone what is loaded by now, and look at the rest less often; once, at the start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
