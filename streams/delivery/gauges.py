"""What the connections of a process do, as Prometheus is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.metrics import counter, gauge, histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from streams.delivery.statistics import Statistics


def delivery_metrics(connections: Mapping[str, Statistics]) -> Iterator[Metric]:
    """What each connection of the deliver role does."""
    pairs = connections.items()
    yield counter(
        "deliveries",
        "Parts of deliveries by outcome.",
        ["connection", "type", "part", "outcome"],
        {(name, *key): n for name, s in pairs for key, n in s.outcomes.items()},
    )
    yield counter(
        "delivery_dead_letters",
        "Deliveries given up on.",
        ["connection", "reason"],
        {(name, key): n for name, s in pairs for key, n in s.dead_letters.items()},
    )
    yield counter(
        "attempts",
        "Requests by what their answer meant.",
        ["connection", "meaning"],
        {(name, key): n for name, s in pairs for key, n in s.attempts.items()},
    )
    yield counter(
        "request_failures",
        "Requests without an answer.",
        ["connection", "reason"],
        {(name, key): n for name, s in pairs for key, n in s.failures.items()},
    )
    yield histogram(
        "request_seconds",
        "Seconds of a request.",
        "connection",
        {name: (s.latency.cumulative(), s.latency.total) for name, s in pairs},
    )
    yield gauge(
        "in_flight", "Requests under way.", ["connection"], {n: s.in_flight for n, s in pairs}
    )
    yield gauge(
        "waiting",
        "Deliveries read and unfinished.",
        ["connection"],
        {n: s.waiting for n, s in pairs},
    )
    yield gauge(
        "paused",
        "1 while a connection is paused: nothing is sent, what comes waits in its topic.",
        ["connection"],
        {n: int(s.paused is not None) for n, s in pairs},
    )
    yield gauge(
        "circuit_open",
        "1 while the vendor fails, and is only tried now and then.",
        ["connection"],
        {n: int(s.down is not None) for n, s in pairs},
    )
    yield counter(
        "circuit_openings",
        "How often the vendor began to fail.",
        ["connection"],
        {n: s.openings for n, s in pairs},
    )
    yield gauge(
        "parked",
        "Deliveries of customers who are stuck; the offset has passed them.",
        ["connection"],
        {n: s.parked + s.low.parked for n, s in pairs},
    )
    yield gauge(
        "low_waiting",
        "Deliveries of the low lane, read and unfinished.",
        ["connection"],
        {n: s.low.waiting for n, s in pairs},
    )
    yield counter(
        "limiter_seconds",
        "Seconds that sending stopped for a limit.",
        ["connection"],
        {n: s.limiter_seconds for n, s in pairs},
    )
