"""How samples are counted: `streams.histogram`."""

from __future__ import annotations

from streams.histogram import REQUEST_SECONDS, Histogram


def test_buckets_are_cumulative_as_prometheus_wants_them() -> None:
    """A sample counts in its bucket, its bound included, and in all above."""
    histogram = Histogram()
    for seconds in (0.025, 0.026, 0.2, 99.0):
        histogram.observe(seconds)
    buckets = dict(histogram.cumulative())

    assert [*map(str, REQUEST_SECONDS), "+Inf"] == list(buckets)
    assert (1, 2, 2, 3, 3, 4) == tuple(
        buckets[bound] for bound in ("0.025", "0.05", "0.1", "0.2", "30.0", "+Inf")
    )
    assert 99.251 == round(histogram.total, 6)
