"""What the connections of a process do, as Prometheus is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.metrics import counter, gauge, histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from streams.delivery.account import Account
    from streams.delivery.statistics import Statistics


def delivery_metrics(
    connections: Mapping[str, Statistics], accounts: Iterable[Account] = ()
) -> Iterator[Metric]:
    """What each connection of the deliver role does, and how much of their limits accounts use."""
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
    yield histogram(
        "delivery_seconds",
        "Seconds from an event on the delivery topic until a part of it is concluded.",
        "connection",
        {name: (s.flow.cumulative(), s.flow.total) for name, s in pairs},
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
        "mode",
        "1 for the mode that the connection is in: `off`, `shadow`, `allowlist`, `live`.",
        ["connection", "mode"],
        {(n, s.mode): 1 for n, s in pairs if s.mode is not None},
    )
    yield gauge(
        "paused",
        "1 while a connection is paused: nothing is sent, what comes waits in its topic.",
        ["connection"],
        {n: int(s.paused is not None) for n, s in pairs},
    )
    yield gauge(
        "unauthorized",
        "1 while a connection is paused since the vendor refuses its credentials (401, 403).",
        ["connection"],
        {n: int(s.unauthorized) for n, s in pairs},
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
        "low_finished",
        "Deliveries of the low lane that the offset has passed.",
        ["connection"],
        {n: s.low.finished for n, s in pairs},
    )
    yield counter(
        "limiter_seconds",
        "Seconds that sending stopped for a limit.",
        ["connection"],
        {n: s.limiter_seconds for n, s in pairs},
    )
    yield from _limits(accounts)


def _limits(accounts: Iterable[Account]) -> Iterator[Metric]:
    """An account's connections share them."""
    limiters = {each.name: each.limiter for each in accounts}
    yield gauge(
        "limit_used_ratio",
        "Share of a vendor's limit that this process used in the window that ends now.",
        ["account", "endpoint", "seconds"],
        {
            (name, key.endpoint, f"{key.seconds:g}"): used
            for name, limiter in limiters.items()
            for key, used in limiter.used().items()
        },
    )
    yield gauge(
        "limit_level_ratio",
        "Share of its limits that a vendor's 429s leave to an endpoint; 1: all.",
        ["account", "endpoint"],
        {
            (name, endpoint): limiter.level(endpoint)
            for name, limiter in limiters.items()
            for endpoint in {key.endpoint for key in limiter.windows}
        },
    )
