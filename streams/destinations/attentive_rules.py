"""What Attentive refuses, refused by us beforehand with the field named.

contracts/attentive.md §2 (identifiers, event types, keys), §3 (attributes) and §6 (rates). Where
its documents differ on a character, it is forbidden here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.demand_sizes import Length, Without
from streams.model.demands import Identified, Plain
from streams.model.retries import RetryPolicy
from streams.model.rules import Identifier, Limit, Rules

from .attentive_privacy import DELETION
from .fields import told

if TYPE_CHECKING:
    from streams.model.delivery import Options
    from streams.model.enriched import EnrichedEvent

    from .fields import Fields

IN_TYPES = frozenset("\"'(){}[]\\|,")
"""Characters that an event's type must not have."""
IN_KEYS = frozenset("\"'{}[]\\|,")
"""Characters that a property's or an attribute's name must not have."""

_SOMEBODY = Identified(
    any_of=("user.phone", "user.email", "user.externalIdentifiers.clientUserId"),
    field="user",
    source="§2",
)

RULES = Rules(
    profiles=frozenset({"attributes-custom"}),
    identifiers=(
        Identifier("phone_number", "user.phone", "e164", 16, "§2"),
        Identifier("email", "user.email", "email", 100, "§2"),
        Identifier(
            "customer_id",
            "user.externalIdentifiers.clientUserId",
            "text",
            100,
            "§2, pitfall 12",
            optional=True,
        ),
    ),
    demands={
        "events-custom": (
            _SOMEBODY,
            Without(path="type", characters=IN_TYPES, source="§2"),
            Without(path="properties", characters=IN_KEYS, of="names", source="§2"),
        ),
        "attributes-custom": (
            _SOMEBODY,
            Without(path="properties", characters=IN_KEYS, of="names", source="§3"),
            Length(path="properties", least=1, most=200, of="names", source="§3"),
            # the first value fixes an attribute's type for good: an empty text would spoil it
            Plain(path="properties", source="§3, pitfall 8"),
        ),
        DELETION: (
            Identified(
                any_of=("subjectEmail", "subjectPhone", "clientUserId"),
                field="subjectEmail",
                source="§5",
            ),
        ),
    },
    starts_flows_within=12 * 3_600_000,
    limits=(
        Limit("events-custom", 150, 1),
        Limit("attributes-custom", 150, 1),
        Limit(DELETION, 150, 1),
    ),
    retries={"throttled": RetryPolicy(first=1.0, source="§6, limits per second")},
)


def user_of(event: EnrichedEvent, options: Options) -> Fields:
    """The identifiers that are good, each for itself; empty where there is none.

    The shop's customer id is one only where the connection says so: two people who share it would
    become one at the vendor (contract, pitfall 12).
    """
    good = RULES.identifier
    own = good("customer_id").good(event.customer_id) if options.client_user_id else None
    return told(
        phone=good("phone_number").good(event.profile.phone_number),
        email=good("email").good(event.profile.email),
        externalIdentifiers=None if own is None else {"clientUserId": own},
    )
