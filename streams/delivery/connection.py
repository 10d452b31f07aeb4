"""What a connection is to the code that delivers: one configured use of an account at a vendor.

Built by the settings; nothing in this room reads the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec
from typing_extensions import override

from streams.delivery.gate import Gate, Mode
from streams.model.delivery import Options


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One configured use of an account.

    Attributes:
        name: in topic names, the consumer group, delivery ids and metrics; never to change.
        destination: the vendor.
        credentials: what `Destination.authorize` turns into headers; never printed.
        account: whose limits it shares, by the operator's name for it; None: by its credentials.
        mode: what is done with deliveries (DESIGN §3, "Going live").
        percentage: of customers who are served when it is live.
        allowlist: keys of customers who are served when that is the mode.
        events: event types that are wanted of those that the vendor takes; None: all.
        url: where the vendor's API is instead of `Destination.url`; a simulator, for example.
        options: what the renderer may be told.
        sync_profiles_every: seconds between two syncs of profiles; 0: they go with their events.
        max_age: event type → how old an event may be to be worth telling.
        park_after: seconds under attempt after which a customer's deliveries are parked.
        concurrency: requests in flight at most; one customer never has more than one.
        limits: multiplies the vendor's published limits; None: no limits (simulators only).
        safety: the share of a limit that is used, so that jitter on the way breaks none.
        low_share: of each limit, and of the requests in flight, for the low lane at most.
        window_count: deliveries read and not yet behind the committed offset, at most.
        window_bytes: bytes of their records, at most.
    """

    name: str
    destination: str
    credentials: str = ""
    account: str | None = None
    mode: Mode = "shadow"
    percentage: float = 100.0
    allowlist: frozenset[str] = frozenset()
    events: frozenset[str] | None = None
    url: str | None = None
    options: Options = Options()
    sync_profiles_every: float = 0.0
    max_age: Mapping[str, timedelta] = {}
    park_after: float = 60.0
    concurrency: int = 64
    limits: float | None = 1.0
    safety: float = 0.965
    low_share: float = 0.5
    window_count: int = 4_000
    window_bytes: int = 32 << 20

    @property
    def gate(self) -> Gate:
        """Who may go, by the settings alone."""
        return Gate(
            mode=self.mode,
            percentage=self.percentage,
            allowlist=self.allowlist,
            events=self.events,
        )

    @override
    def __repr__(self) -> str:
        return f"Connection({self.name!r}, {self.destination!r}, {self.mode!r})"
