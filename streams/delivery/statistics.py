"""What a connection counts about itself, for metrics; plain numbers, written by one event loop."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streams.histogram import FLOW_SECONDS, Histogram

if TYPE_CHECKING:
    from streams.delivery.gate import Mode


@dataclass(slots=True)
class Room:
    """Deliveries that a lane holds.

    Attributes:
        waiting: read and not behind the committed offset yet, now …
        waiting_bytes: … and the bytes of those among them that are not finished.
        parked: gone on from the connection's table.
        finished: whose outcomes are all there, or parked; since the process started.
    """

    waiting: int = 0
    waiting_bytes: int = 0
    parked: int = 0
    finished: int = 0


@dataclass(slots=True)
class Statistics(Room):
    """One connection's counts since the process started.

    Attributes:
        outcomes: by (event type, part, outcome), when they are written, `retrying` included.
        dead_letters: by reason.
        attempts: requests by what their answer meant: accepted, retry, throttled, rejected,
            unauthorized, repair.
        failures: requests without an answer, by reason (`http.FailureReason`).
        latency: seconds of requests, answered or not.
        flow: seconds from the record on the live topic to a part's final outcome.
        in_flight: requests under way now.
        low: what the low lane holds.
        low_in_flight: requests of the low lane under way now.
        limiter_waits: how often sending stopped for a limit or a pause …
        limiter_seconds: … and for how long it was going to, together.
        mode: who may go; None before anybody has said.
        paused: why the connection sends nothing, or None …
        unauthorized: … and whether it is that the vendor refuses the credentials.
        down: why the circuit to the vendor is open, or None …
        openings: … and how often it opened.
    """

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=Histogram)
    flow: Histogram = field(default_factory=lambda: Histogram(FLOW_SECONDS))
    in_flight: int = 0
    low: Room = field(default_factory=Room)
    low_in_flight: int = 0
    limiter_waits: int = 0
    limiter_seconds: float = 0.0
    mode: Mode | None = None
    paused: str | None = None
    unauthorized: bool = False
    down: str | None = None
    openings: int = 0
