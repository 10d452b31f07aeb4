"""What became of webhooks, as Prometheus is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.metrics import counter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric


def ingest_metrics(answers: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    """What webhooks were answered, by (source, word)."""
    yield counter(
        "webhooks",
        "Webhooks by what became of them: `accepted`, `dead_letter`, `foreign`, `test`,"
        " `erased` (from before its customer was erased) (all 200),"
        " a bad signature (401), `unknown_address` (404), `too_large` (413), `kafka_away` (503).",
        ["source", "answer"],
        answers,
    )
