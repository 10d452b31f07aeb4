"""Loyalty webhooks written by hand, and what the demo's books make of them.

Only what a case is about is said; the rest is that of one member, `MEMBER` of `STORE`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.demo.ledger import VENDORS, Ledger
from streams.demo.loyalty_catalog import STORE
from streams.demo.loyalty_expected import LoyaltyBookkeeping
from streams.demo.loyalty_webhooks import EARNING, MEMBER, Sent

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

ID = "6d1b7c1e-3a55-4c0c-9b0a-0c2f5e7d9a10"
KEY = f"{STORE}:{ID}"
EMAIL = "noor.hale@shop-demo.io"
AT = 1_791_000_000_000
"""2026-10-03, 04:00 in Greenwich: it is the 3rd in New York too."""
JOINED, ROSE = "2026-10-01T10:00:00.250Z", "2026-10-02T11:00:00.500Z"
ENROLLED_AT, ROSE_AT = 1_790_848_800_250, 1_790_938_800_500
"""The same, epoch milliseconds."""


def sent(kind: str, topic: str, sequence: int, message: str | None = None, **resource: Any) -> Sent:
    """A webhook of the member; what is None is left out."""
    whose = {
        "loyaltyCustomerId": ID,
        "subscriberId": STORE,
        "customer": {"customerId": "0f8e2b6a", "email": EMAIL},
    }
    told = {name: value for name, value in (whose | resource).items() if value is not None}
    body = {"resourceType": kind, "topic": topic, "sequenceNumber": str(sequence), "resource": told}
    return Sent(json.dumps(body).encode(), message)


def member(sequence: int, status: str = "enrolled", **resource: Any) -> Sent:
    """The member, enrolled in October and Silver if nothing else is said."""
    told = {"status": status, "dateEnrolled": JOINED, "vipTierName": "Silver"}
    return sent(MEMBER, "update", sequence, **told | {"dateTierEntered": JOINED} | resource)


def gold(sequence: int, **resource: Any) -> Sent:
    """The member, Gold since the day after."""
    ends = "2027-10-02T00:00:00.000Z"
    told = {"vipTierName": "Gold", "dateTierEntered": ROSE, "dateTierExpires": ends}
    return member(sequence, **told | resource)


def points(sequence: int, topic: str = "create", kind: str = EARNING, **resource: Any) -> Sent:
    """A transaction, complete and of 120 points if nothing else is said."""
    told: Json = {
        "loyaltyTransactionId": "T1", "amount": 120, "date": ROSE, "status": "complete",
    }  # fmt: skip
    return sent(kind, topic, sequence, **told | resource)


def booked(webhooks: Iterable[Sent], gap: int = 0) -> tuple[LoyaltyBookkeeping, dict[str, Ledger]]:
    """The books of these, recorded from `AT` on, `gap` milliseconds after each other."""
    ledgers = {name: Ledger(name) for name in VENDORS}
    book = LoyaltyBookkeeping(ledgers)
    for place, one in enumerate(webhooks):
        book.arrive(one, AT + place * gap)
    return book, ledgers


def calls(ledger: Ledger) -> list[tuple[str, Json]]:
    """Path and body of the member's calls."""
    return [(one.path, one.body) for one in ledger.requests.get(KEY, [])]


def parts(ledger: Ledger) -> list[tuple[str, str, str, str | None]]:
    """Event type, part, outcome and reason of each part, in order."""
    return [
        (one.type, one.part.name, one.part.outcome, one.part.reason)
        for one in ledger.parts.values()
    ]
