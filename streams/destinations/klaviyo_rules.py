"""What Klaviyo refuses or loses in silence, refused by us beforehand with the field named.

contracts/klaviyo.md §2 (identifiers, times, sizes), §3 and §5 (bulk) and §6 (rates). Over-limit
data may vanish after a 202; so what we know to be over a limit is never sent. Paths begin at
`data.attributes`, and are the same in bulk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from streams.model.delivery import Frame
from streams.model.demand_sizes import Bytes
from streams.model.demands import Happened, Identified
from streams.model.retries import RetryPolicy
from streams.model.rules import Batch, Identifier, Limit, Rules

from .fields import told

if TYPE_CHECKING:
    from streams.model.enriched import ProfileView
    from streams.model.rules import Demand, Sight

    from .fields import Fields

BULK = Frame(
    "event-bulk-create-jobs",
    b'{"data":{"type":"event-bulk-create-job","attributes":{"events-bulk-create":{"data":[',
    b"]}}}}",
)
"""A job: events of many profiles, one in each record (§3)."""

PROFILES = Frame(
    "profile-bulk-import-jobs",
    b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[',
    b"]}}}}",
)
"""A job: profiles without events (§5). It can clear nothing."""

DELETION = "data-privacy-deletion-jobs"
"""The call that deletes profiles (§7)."""

_PROFILE = "profile.data.attributes"
_OLDEST = 631_152_000_000
"""1990-01-01, the oldest time of revision 2026-07-15, epoch milliseconds."""


class _Rules(Rules, frozen=True, kw_only=True):
    """Klaviyo's: what goes in bulk is judged, and its fields are named, as the same alone."""

    @override
    def sight(self, body: Any, occurred_at: int, now: int) -> Sight:
        if body.get("type") == "event-bulk-create":
            body = alone(body)
        elif body.get("type") == "profile":
            body = {"data": body}
        return Rules.sight(self, body, occurred_at, now)


_OF_A_PROFILE: tuple[Demand, ...] = (
    Identified(any_of=("email", "phone_number"), field="email", source="§4"),
    Bytes(most=100_000, field="profile", source="§4"),
)
"""A profile's demands, alone and among others."""


def _of_an_event(most: int, source: str) -> tuple[Demand, ...]:
    """An event's demands; `most`: bytes of the whole, by this section."""
    return (
        Identified(
            any_of=(f"{_PROFILE}.email", f"{_PROFILE}.phone_number"), field="email", source="§2"
        ),
        Happened(oldest=_OLDEST, field="time", source="§2"),
        Bytes(most=most, source=source),
        Bytes(path=_PROFILE, most=95_000, field="profile", source="§2"),
        Bytes(path="properties", most=100_000, of="texts", source="§2"),
    )


RULES = _Rules(
    begin="data.attributes",
    profiles=frozenset({"profile-import", PROFILES.batch}),
    identifiers=(
        Identifier("email", "email", "email", 99, "§2"),
        Identifier("phone_number", "phone_number", "e164", 16, "§2"),
    ),
    demands={
        "events": _of_an_event(5_000_000, "§2"),
        BULK.batch: _of_an_event(4_999_000, "§3, less what stands around it"),
        "profile-import": _OF_A_PROFILE,
        PROFILES.batch: _OF_A_PROFILE,
        DELETION: (
            Identified(
                any_of=(f"{_PROFILE}.email", f"{_PROFILE}.phone_number"),
                field="profile.data.attributes.email",
                source="§7",
            ),
        ),
    },
    repeated="first_wins",
    batches=(
        Batch(BULK.batch, count=1_000, bytes=4_500_000, seconds=0.5, source="§3, §8"),
        # fewer than the 10,000 that it takes: so many are never in memory at once
        Batch(PROFILES.batch, count=1_000, bytes=4_500_000, seconds=0.5, source="§5"),
    ),
    limits=(
        Limit("events", 350, 1),
        Limit("events", 3_500, 60),
        Limit(BULK.batch, 10, 1),
        Limit(BULK.batch, 150, 60),
        Limit("profile-import", 75, 1),
        Limit("profile-import", 750, 60),
        Limit(PROFILES.batch, 10, 1),
        Limit(PROFILES.batch, 150, 60),
        Limit(DELETION, 3, 1),
        Limit(DELETION, 60, 60),
    ),
    retries={
        # Retry-After is the word of a fixed window; an earlier retry is a 429 for certain
        "throttled": RetryPolicy(first=1.0, cap=60.0, source="§6, windows of 1 s and 60 s"),
        "server_error": RetryPolicy(first=0.5, cap=60.0, source="§6, the vendor's own clients"),
    },
)


def alone(record: Any) -> dict[str, Any]:
    """The body of the call for one event, of a record in bulk (§2, §3)."""
    group = record["attributes"]
    [event] = group["events"]["data"]
    attributes = {**event["attributes"], "profile": group["profile"]}
    return {"data": {"type": "event", "attributes": attributes}}


def identifiers_of(who: ProfileView) -> Fields:
    """The identifiers that are good: an event with one of them arrives (contract §2, §6)."""
    good = RULES.identifier
    return told(
        email=good("email").good(who.email),
        phone_number=good("phone_number").good(who.phone_number),
    )
