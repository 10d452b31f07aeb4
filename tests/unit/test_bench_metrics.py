"""What `./run bench metrics` takes out of a worker is what counts, and nothing else."""

from __future__ import annotations

from collections import defaultdict

import pytest

from streams.engine.publication import Steps
from streams.histogram import Histogram
from streams.metrics import DeriveCounts
from tests.bench.uncounted import TAKEN_OUT


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program as the bench runs it beside the real one."""
    for owner, name, instead in TAKEN_OUT:
        monkeypatch.setattr(owner, name, instead)


def done() -> tuple[int, int, dict[str, float], list[str]]:
    """Dead letters and samples that were counted, the steps' times, and the seams called."""
    counts, histogram = DeriveCounts(), Histogram()
    seconds: dict[str, float] = defaultdict(float)
    called: list[str] = []
    counts.dead_letter("malformed")
    histogram.observe(1.0)
    Steps(seconds, called.append).done("send", "flushed")
    return counts.dead_letters.total(), sum(histogram.counts), seconds, called


def test_a_worker_counts() -> None:
    """As ever: what is compared with."""
    letters, samples, seconds, called = done()

    assert (1, 1, ["send"], ["flushed"]) == (letters, samples, list(seconds), called)


@pytest.mark.usefixtures("uncounted")
def test_without_counting_only_the_seams_are_left() -> None:
    """Nothing is counted or timed; what else a step does is done."""
    assert (0, 0, {}, ["flushed"]) == done()
