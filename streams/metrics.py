"""Every metric, declared once. Counters are plain numbers, read only when Prometheus asks.

Names and labels are bounded: roles, connections, partitions, event types and closed sets of words.
Durations are seconds. Nothing here names a customer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from typing_extensions import override

if TYPE_CHECKING:
    from streams.engine.poller import Poller
    from streams.pipeline import Processed


Readers = Iterable[Metric]
"""What a reader of metrics gives at scrape."""


class DeriveCounts:
    """What the derive role did, by event type and reason; written by one thread."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.timers = 0
        self.duplicates = 0
        self.told: Counter[tuple[str, str]] = Counter()
        self.withheld: Counter[tuple[str, str]] = Counter()
        self.late: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()

    def processed(self, processed: Processed[Any]) -> None:
        """Count a record, or a timer, that became events."""
        if processed.event is None:
            self.timers += 1
        else:
            self.events[processed.event.type] += 1
        if processed.duplicate:
            self.duplicates += 1
        for told in processed.told:
            fact = told.fact
            if fact.withheld is not None:
                self.withheld[fact.type, fact.withheld] += 1
            if fact.late:
                self.late[fact.type] += 1
            for connection in told.connections:
                self.told[connection, fact.type] += 1

    def dead_letter(self, reason: str) -> None:
        """Count a record given up on."""
        self.dead_letters[reason] += 1


class RekeyCounts:
    """What the rekey role did; written by one thread."""

    def __init__(self) -> None:
        self.copied_by: Counter[str] = Counter(dict.fromkeys(("none", "other", "same"), 0))
        self.dead_letters: Counter[str] = Counter()

    def copied(self, key: str | bytes | None, owner: bytes) -> None:
        """Count a record that was written under its owner's key, and had this one before."""
        self.copied_by["none" if key is None else "same" if key == owner else "other"] += 1

    def dead_letter(self, reason: str) -> None:
        """Count a record given up on."""
        self.dead_letters[reason] += 1


def counter(name: str, doc: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    """A counter family; a key is one label's value or a tuple of them."""
    family = CounterMetricFamily(f"streams_{name}", doc, labels=labels)
    for key, value in values.items():
        family.add_metric([str(k) for k in key] if isinstance(key, tuple) else [str(key)], value)
    return family


def gauge(name: str, doc: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    """A gauge family; keys as in `counter`."""
    family = GaugeMetricFamily(f"streams_{name}", doc, labels=labels)
    for key, value in values.items():
        family.add_metric([str(k) for k in key] if isinstance(key, tuple) else [str(key)], value)
    return family


def histogram(
    name: str, doc: str, label: str, values: Mapping[str, tuple[list[tuple[str, int]], float]]
) -> Metric:
    """A histogram family; a value is its cumulative buckets and the sum of its samples."""
    family = HistogramMetricFamily(f"streams_{name}", doc, labels=[label])
    for key, (buckets, total) in values.items():
        family.add_metric([key], buckets, total)
    return family


class _Scraped(Collector):
    def __init__(self, read: Callable[[], Readers]) -> None:
        self._read = read

    @override
    def collect(self) -> Iterator[Metric]:
        yield from self._read()

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: families are made when they are read."""
        return iter(())


def registry_of(*readers: Callable[[], Readers]) -> CollectorRegistry:
    """A registry that asks each reader at scrape, and tells of the process itself, too."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for reader in readers:
        registry.register(_Scraped(reader))
    return registry


def metrics_page(registry: CollectorRegistry) -> tuple[bytes, str]:
    """What `/metrics` answers, and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST


def derive_metrics(*lanes: DeriveCounts) -> Iterator[Metric]:
    """What the derive role concluded, all sources together: their event types differ."""
    counts = _together(lanes)
    yield counter("events", "Events read from source topics.", ["type"], counts.events)
    yield counter("timers", "Timers of stream time that fired.", [], {(): counts.timers})
    yield counter("duplicates", "Repeated events.", [], {(): counts.duplicates})
    yield counter(
        "told", "Events written to a delivery topic.", ["connection", "type"], counts.told
    )
    yield counter("withheld", "Events that start no flow.", ["type", "reason"], counts.withheld)
    yield counter("late", "Events marked as data only.", ["type"], counts.late)
    yield counter("source_dead_letters", "Records given up on.", ["reason"], counts.dead_letters)


def _together(lanes: Iterable[DeriveCounts]) -> DeriveCounts:
    """The sum of what several threads counted."""
    counts = DeriveCounts()
    for each in lanes:
        counts.timers += each.timers
        counts.duplicates += each.duplicates
        counts.events.update(each.events)
        counts.told.update(each.told)
        counts.withheld.update(each.withheld)
        counts.late.update(each.late)
        counts.dead_letters.update(each.dead_letters)
    return counts


def rekey_metrics(counts: RekeyCounts) -> Iterator[Metric]:
    """What the rekey role passed on."""
    yield counter(
        "rekeyed",
        "Records written by customer; the key that they had: none, other, same.",
        ["key"],
        counts.copied_by,
    )
    yield counter("rekey_dead_letters", "Records given up on.", ["reason"], counts.dead_letters)


def engine_metrics(
    pollers: Callable[[], Mapping[str, Poller]], retention: Mapping[str, float] | None = None
) -> Iterator[Metric]:
    """What each lane of the engine does; `retention`: seconds that its topic keeps records."""
    lanes = pollers()
    stats = {name: poller.statistics for name, poller in lanes.items()}
    for name, doc in (
        ("records", "Records whose effects are committed."),
        ("outputs", "Records produced and committed."),
        ("changes", "Changelog records produced and committed."),
        ("transactions", "Transactions (or flushes) committed."),
        ("aborts", "Transactions aborted and published again."),
        ("resets", "Partitions set back to their committed position."),
        ("restored_rows", "Changelog records read by restores."),
        ("restore_seconds", "Seconds spent in restores."),
    ):
        yield counter(name, doc, ["lane"], {n: getattr(s, name) for n, s in stats.items()})
    yield counter(
        "state_rebuilds",
        "Partitions whose local state was not believed, and built anew from the changelog.",
        ["lane", "reason"],
        {(n, reason): value for n, s in stats.items() for reason, value in s.rebuilds.items()},
    )
    yield counter(
        "step_seconds",
        "Seconds by step of a batch.",
        ["lane", "step"],
        {(n, step): value for n, s in stats.items() for step, value in s.seconds.items()},
    )
    yield gauge(
        "lag",
        "Records not yet processed, by partition.",
        ["lane", "partition"],
        {(n, p): lag for n, poller in lanes.items() for p, lag in poller.lag.items()},
    )
    now = time.time()
    yield gauge(
        "oldest_age_seconds",
        "Seconds since the oldest record, of those read and not processed yet, was written.",
        ["lane", "partition"],
        {
            (n, p): max(0.0, now - oldest.get(p, now * 1_000) / 1_000)
            for n, poller in lanes.items()
            for oldest in [poller.oldest]
            for p in poller.owned
        },
    )
    yield gauge(
        "retention_seconds",
        "How long the broker keeps what the lane reads; none: for good.",
        ["lane"],
        retention or {},
    )
    yield histogram(
        "processed_seconds",
        "Seconds from a record's own time until it was processed: of one in some hundred.",
        "lane",
        {n: (poller.waited.cumulative(), poller.waited.total) for n, poller in lanes.items()},
    )
    yield gauge(
        "partitions",
        "Partitions owned.",
        ["lane"],
        {name: len(poller.owned) for name, poller in lanes.items()},
    )
    yield gauge(
        "loading",
        "Partitions owned whose state is not there yet, or that a breaker keeps from going on.",
        ["lane"],
        {name: len(poller.loading) for name, poller in lanes.items()},
    )
    yield gauge(
        "restore_left",
        "Changelog offsets that restores under way have yet to read.",
        ["lane"],
        {
            name: sum(max(0, r.target - r.position) for r in list(s.restoring.values()))
            for name, s in stats.items()
        },
    )
    yield gauge(
        "breaker_open",
        "1 while a partition (or all of a connection) is stopped, since too many fail alike.",
        ["lane", "partition"],
        {(n, p): is_open for n, s in stats.items() for p, is_open in s.breakers.items()},
    )
    yield gauge(
        "broker_away",
        "1 while the broker does not answer.",
        ["lane"],
        {name: int(poller.away is not None) for name, poller in lanes.items()},
    )
    yield gauge(
        "stalled",
        "1 once the lane stands still; the process ends a moment later.",
        ["lane"],
        {name: int(poller.stalled is not None) for name, poller in lanes.items()},
    )


def schema_metrics(lanes: Mapping[str, int]) -> Iterator[Metric]:
    """What keeps records of schemas not met before; by cause: `away`, `unknown`."""
    yield gauge(
        "registry_waiting",
        "Lanes that wait for the schema registry: it is away, or does not know an id yet.",
        ["cause"],
        lanes,
    )
