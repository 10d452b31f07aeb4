"""What Klaviyo refuses or loses in silence, refused by us beforehand with the field named.

contracts/klaviyo.md §2 (identifiers, times, sizes) and §6 (rates). Over-limit data may vanish after
a 202; so what we know to be over a limit is never sent. Paths begin at `data.attributes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.demand_sizes import Bytes
from streams.model.demands import Happened, Identified
from streams.model.retries import RetryPolicy
from streams.model.rules import Identifier, Limit, Rules

from .fields import told

if TYPE_CHECKING:
    from streams.model.enriched import ProfileView

    from .fields import Fields

_PROFILE = "profile.data.attributes"
_OLDEST = 631_152_000_000
"""1990-01-01, the oldest time of revision 2026-07-15, epoch milliseconds."""

RULES = Rules(
    begin="data.attributes",
    profiles=frozenset({"profile-import"}),
    identifiers=(
        Identifier("email", "email", "email", 99, "§2"),
        Identifier("phone_number", "phone_number", "e164", 16, "§2"),
    ),
    demands={
        "events": (
            Identified(
                any_of=(f"{_PROFILE}.email", f"{_PROFILE}.phone_number"), field="email", source="§2"
            ),
            Happened(oldest=_OLDEST, field="time", source="§2"),
            Bytes(most=5_000_000, source="§2"),
            Bytes(path=_PROFILE, most=95_000, field="profile", source="§2"),
            Bytes(path="properties", most=100_000, of="texts", source="§2"),
        ),
        "profile-import": (
            Identified(any_of=("email", "phone_number"), field="email", source="§4"),
            Bytes(most=100_000, field="profile", source="§4"),
        ),
    },
    limits=(
        Limit("events", 350, 1),
        Limit("events", 3_500, 60),
        Limit("profile-import", 75, 1),
        Limit("profile-import", 750, 60),
    ),
    retries={
        # Retry-After is the word of a fixed window; an earlier retry is a 429 for certain
        "throttled": RetryPolicy(first=1.0, cap=60.0, source="§6, windows of 1 s and 60 s"),
        "server_error": RetryPolicy(first=0.5, cap=60.0, source="§6, the vendor's own clients"),
    },
)


def identifiers_of(who: ProfileView) -> Fields:
    """The identifiers that are good: an event with one of them arrives (contract §2, §6)."""
    good = RULES.identifier
    return told(
        email=good("email").good(who.email),
        phone_number=good("phone_number").good(who.phone_number),
    )
