"""What the role hydrate did, and what Prometheus is told of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from streams.metrics import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from .entities import What
    from .filling import Place

Outcome = Literal["whole", "filled", "unhydrated", "passed", "erased", "unread", "failed"]
Said = Literal["found", "nothing", "away", "refused", "unexpected", "unreadable"]

OUTCOMES: Final[tuple[Outcome, ...]] = (
    "whole",
    "filled",
    "unhydrated",
    "passed",
    "erased",
    "unread",
    "failed",
)


class HydrateCounts:
    """What one process did; written by one thread.

    Attributes:
        away: merchant → why its API is not asked now.
    """

    def __init__(self) -> None:
        self.records: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self.found: Counter[tuple[str, str]] = Counter()
        self.missing: Counter[str] = Counter()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.waited = 0.0
        self.away: dict[str, str] = {}

    def record(self, outcome: Outcome) -> None:
        """Count a record that was passed on."""
        self.records[outcome] += 1

    def had(self, what: What, place: Place) -> None:
        """Count something that a record should come with, by where it was."""
        self.found[what, place] += 1

    def lacked(self, what: What) -> None:
        """Count something that a record goes on without."""
        self.missing[what] += 1

    def answered(self, what: What, said: Said) -> None:
        """Count a question to an API."""
        self.asked[what, said] += 1


def hydrate_metrics(counts: HydrateCounts) -> Iterator[Metric]:
    """What the hydrate role filled in, asked for and waited for."""
    yield counter(
        "hydrated",
        "Records passed on: `whole`, `filled`, `unhydrated` (something is missing), `passed` (no"
        " event), `erased` (older than its customer's erase), `unread`, `failed` (our own fault).",
        ["outcome"],
        counts.records,
    )
    yield counter(
        "hydrate_found",
        "What records should come with, by where it was: `snapshot`, `table`, `api`.",
        ["what", "place"],
        counts.found,
    )
    yield counter("hydrate_missing", "What records went on without.", ["what"], counts.missing)
    yield counter(
        "hydrate_asked",
        "Questions to Ordergroove's API: `found`, `nothing` (404), `away`, `refused` (401, 403),"
        " `unexpected`, `unreadable`.",
        ["what", "answer"],
        counts.asked,
    )
    yield counter(
        "hydrate_wait_seconds", "Seconds that batches waited for it.", [], {(): counts.waited}
    )
    away: Mapping[tuple[str, str], int] = dict.fromkeys(counts.away.items(), 1)
    yield gauge(
        "hydrate_api_away",
        "1 while a merchant's API is not asked: it was `away`, or `refused` us.",
        ["merchant", "cause"],
        away,
    )
