"""What a connection is to the code that delivers: one configured use of an account at a vendor.

Built by the settings; nothing in this room reads the environment.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from typing_extensions import override

from streams.model.delivery import Options

Mode = Literal["off", "shadow", "live"]
"""`off` consumes nothing; `shadow` renders and records but sends nothing; `live` sends."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One configured use of an account.

    Attributes:
        name: in topic names, the consumer group, delivery ids and metrics; never to change.
        destination: the vendor.
        credentials: what `Destination.authorize` turns into headers; never printed.
        mode: what is done with deliveries (DESIGN §3, "Going live").
        url: where the vendor's API is instead of `Destination.url`; a simulator, for example.
        options: what the renderer may be told.
        sync_profiles_every: seconds between two syncs of profiles; 0: they go with their events.
        concurrency: requests in flight at most; one customer never has more than one.
        limits: multiplies the vendor's published limits; None: no limits (simulators only).
        safety: the share of a limit that is used, so that jitter on the way breaks none.
        window_count: deliveries read and not yet behind the committed offset, at most.
        window_bytes: bytes of their records, at most.
    """

    name: str
    destination: str
    credentials: str = ""
    mode: Mode = "shadow"
    url: str | None = None
    options: Options = Options()
    sync_profiles_every: float = 0.0
    concurrency: int = 64
    limits: float | None = 1.0
    safety: float = 0.97
    window_count: int = 4_000
    window_bytes: int = 32 << 20

    @override
    def __repr__(self) -> str:
        return f"Connection({self.name!r}, {self.destination!r}, {self.mode!r})"
