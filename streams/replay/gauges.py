"""What stands on dead-letter topics, as Prometheus is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.metrics import gauge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from streams.replay.depth import Standing


def dead_letter_metrics(topics: Mapping[str, Standing]) -> Iterator[Metric]:
    """Depth and oldest age of each topic.

    Every process that follows a topic says the same of it: they are not to be added up.
    """
    yield gauge(
        "dead_letters",
        "Dead letters that are not settled. All workers say the same: take the greatest.",
        ["topic"],
        {name: each.letters for name, each in topics.items()},
    )
    yield gauge(
        "dead_letters_oldest_age_seconds",
        "Seconds since the oldest of them was written; 0 where there is none.",
        ["topic"],
        {name: each.oldest_age for name, each in topics.items()},
    )
