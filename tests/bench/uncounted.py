"""`python -m tests.bench.uncounted …`: the program with its counting taken out, for comparison.

What is counted for each record and timed for each batch is gone; what the engine cannot do without
(its positions, what it owns) stays. Nothing but `./run bench metrics` runs this.
"""

from __future__ import annotations

from streams.cli import main
from streams.engine.publication import Steps
from streams.histogram import Histogram
from streams.metrics import DeriveCounts


def _nothing(*_: object) -> None:
    """Count nothing."""


def _only_at(steps: Steps, _: str, seam: str) -> None:
    """Call the seam that a step ends with, without looking at the clock."""
    steps._at(seam)


TAKEN_OUT = (
    (DeriveCounts, "processed", _nothing),
    (DeriveCounts, "dead_letter", _nothing),
    (Histogram, "observe", _nothing),
    (Steps, "done", _only_at),
)

if __name__ == "__main__":
    for owner, name, instead in TAKEN_OUT:
        setattr(owner, name, instead)
    main()
