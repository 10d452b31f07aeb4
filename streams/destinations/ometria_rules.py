"""What Ometria demands: it says OK at once and validates later, when no answer can name a record.

contracts/ometria.md §1 (sizes, batches, rates), §3 (custom events), §4 (contacts). So every field
is judged here, before it is sent. Of texts for people what is too long is cut; an address of a page
or picture cannot be cut and is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.delivery import Frame
from streams.model.demand_sizes import Bytes, Length
from streams.model.demands import Identified, Impersonal, Present
from streams.model.retries import RetryPolicy
from streams.model.rules import Batch, Identifier, Limit, Rules

from .fields import told

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

    from .fields import Fields

PUSH = "push"
"""The one endpoint, and the one rate of an account (§2)."""
EVENT = Frame("custom_event", b"[", b"]")
CONTACT = Frame("contact", b"[", b"]")
"""One object type a call (§1)."""

LONGEST_TEXT = 512

RULES = Rules(
    profiles=frozenset({CONTACT.batch}),
    identifiers=(
        Identifier("email", "identity_email", "email", 254, "§3, §4"),
        Identifier("customer_id", "identity_account_id", "text", 255, "§3, §4"),
    ),
    demands={
        EVENT.batch: (
            Identified(
                any_of=("identity_email", "identity_account_id"),
                field="identity_email",
                source="§3",
            ),
            Impersonal(path="identity_account_id", source="§4"),
            Length(path="event_type", least=1, most=32, source="§3"),
            Length(path="properties", most=LONGEST_TEXT, of="texts", source="§3"),
            Bytes(most=60_000, source="§1"),
        ),
        CONTACT.batch: (
            Present(names=("id", "email"), source="§4"),
            Impersonal(path="id", source="§4"),
            Length(path="properties", most=LONGEST_TEXT, of="texts", source="§3"),
            Bytes(most=60_000, source="§1"),
        ),
    },
    starts_flows_within=4 * 3_600_000,
    repeated="replaces",
    batches=(
        Batch(EVENT.batch, count=100, bytes=6_000_000, seconds=1.0, source="§1"),
        Batch(CONTACT.batch, count=100, bytes=6_000_000, seconds=1.0, source="§1"),
    ),
    sync_profiles_every=3_600.0,
    limits=(Limit(PUSH, 8, 1),),
    retries={
        # also when 50,000 records wait there, which takes longer than a second
        "throttled": RetryPolicy(first=1.0, cap=120.0, source="§2, no Retry-After; a backlog"),
    },
)


def identity_of(event: EnrichedEvent) -> Fields:
    """The identifiers that are good; each finds the contact alone."""
    good = RULES.identifier
    return told(
        identity_email=good("email").good(event.profile.email),
        identity_account_id=good("customer_id").good(event.customer_id),
    )
