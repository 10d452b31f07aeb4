"""What syncs did, as Prometheus is told."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from streams.metrics import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

__all__ = ["SyncCounts", "sync_metrics"]


class SyncCounts:
    """What this process did, by merchant; written by one thread at a time.

    Attributes:
        entities: merchant → how many entities, by (list, outcome).
        watermarks: merchant → what changed before was read, epoch milliseconds.
        under_way: merchant → 1 while a run is.
        failed: merchant → runs cut short by an error.
        failing: merchant → why its last run was.
    """

    def __init__(self, merchants: tuple[str, ...] = ()) -> None:
        self.entities: dict[str, Counter[tuple[str, str]]] = {m: Counter() for m in merchants}
        self.watermarks: dict[str, int] = {}
        self.under_way: dict[str, int] = dict.fromkeys(merchants, 0)
        self.failed: Counter[str] = Counter(dict.fromkeys(merchants, 0))
        self.failing: dict[str, str] = {}


def sync_metrics(counts: SyncCounts) -> Iterator[Metric]:
    """What came, and how old it is."""
    yield counter(
        "sync_entities",
        "Entities of Ordergroove's API by what became of them: `written`, `unchanged`,"
        " `no_customer`, `foreign`, `erased`, `dead_letter`.",
        ["merchant", "list", "outcome"],
        {
            (name, *kind): number
            for name, entities in counts.entities.items()
            for kind, number in list(entities.items())
        },
    )
    yield gauge("sync_under_way", "1 while a sync runs.", ["merchant"], counts.under_way)
    yield counter("sync_failures", "Runs cut short by an error.", ["merchant"], counts.failed)
    yield gauge(
        "sync_age_seconds",
        "Seconds since the start of the last run that ended well: what changed before is here.",
        ["merchant"],
        {name: time.time() - at / 1_000 for name, at in counts.watermarks.items()},
    )
