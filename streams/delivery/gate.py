"""Which deliveries go, by the connection's mode, and what was decided about those that waited.

Pure: a gate is a value, and a connection that is promoted or resumed gets another one. What is kept
from going is rendered and recorded like all else, so that going live surprises nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, Literal

import msgspec

Mode = Literal["off", "shadow", "allowlist", "live"]
"""`off` consumes nothing; `shadow` renders and records but sends nothing; `allowlist` sends to the
customers that are named; `live` sends to all, or to a percentage (DESIGN §3, "Going live")."""

Kept = Literal["shadow", "allowlist", "percentage"]
"""Why a delivery is not sent, as the reason of its outcome `filtered`."""

REHEARSED: Final[frozenset[str]] = frozenset({"shadow", "allowlist", "percentage"})
"""Every `Kept`: a part with one of these was rendered well enough to be sent."""

How = Literal["deliver", "data_only", "skip"]
"""What becomes of deliveries that waited: sent; sent so that they start no flow; not sent."""

_SHARES: Final = 10_000
"""Percentages have two decimals."""


class Decision(msgspec.Struct, frozen=True):
    """What is done with what waited when a connection was resumed, once.

    What is older was read before, and perhaps parked since: it was not asked about.

    Attributes:
        how: see there.
        topic: where it waited; another topic's offsets say nothing here.
        since: partition → the first offset that it speaks of …
        until: … and the first one that it does not.
    """

    how: How
    topic: str
    since: Mapping[int, int]
    until: Mapping[int, int]

    def covers(self, topic: str, partition: int, offset: int) -> bool:
        """Whether it speaks of this record."""
        if topic != self.topic or partition not in self.since:
            return False
        return self.since[partition] <= offset < self.until.get(partition, 0)


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """Who may go.

    Attributes:
        mode: see there.
        percentage: of customers, 0 to 100, when it is live.
        allowlist: keys of customers, `merchant:customer`, who go when it is `allowlist`; and when
            it is live, beside the percentage: who was let in stays in.
        events: event types that are wanted; None: all. Profiles always are.
        decision: about what waited, if there was one.
    """

    mode: Mode = "shadow"
    percentage: float = 100.0
    allowlist: frozenset[str] = frozenset()
    events: frozenset[str] | None = None
    decision: Decision | None = None

    def keeps(self, customer: str) -> Kept | None:
        """Why a customer's deliveries (`merchant:customer`) are not sent; None: they are."""
        if self.mode in {"off", "shadow"}:
            return "shadow"
        if customer in self.allowlist:
            return None
        if self.mode == "allowlist":
            return "allowlist"
        if self.percentage >= 100 or share_of(customer) < self.percentage:
            return None
        return "percentage"

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are sent."""
        return self.events is None or event_type in self.events

    def decided(self, topic: str, partition: int, offset: int) -> How:
        """What was decided about a record; `deliver` where nothing was."""
        decision = self.decision
        if decision is None or not decision.covers(topic, partition, offset):
            return "deliver"
        return decision.how


def share_of(customer: str) -> float:
    """The percentage from which on a customer goes along: of the key alone, so always the same.

    Raising a percentage therefore only adds people, whatever the connection.
    """
    hashed = blake2b(customer.encode(), digest_size=8, person=b"percentage").digest()
    return int.from_bytes(hashed, "big") % _SHARES * 100 / _SHARES
