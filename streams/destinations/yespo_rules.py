"""What Yespo demands of orders, events and contacts (contracts/yespo.md §2, §3, §4, §5).

Its two documents differ on what an order must have: here it is the union, so that both are pleased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.demand_sizes import Bytes, Length, Without
from streams.model.demands import Holds, Identified, OneOf, Present, Texts
from streams.model.retries import RetryPolicy
from streams.model.rules import Batch, Identifier, Limit, Rules

from .fields import told

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent
    from streams.model.rules import Demand

    from .fields import Fields

ORDERS = "orders"
CONTACTS = "contacts"
EVENT = "event"
PAST = "past_events"
"""Events of the past: they start no workflow (§3)."""
SHARED = "api"
"""The rate that everything but events shares (§5)."""

STATUSES = frozenset(
    {"INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART"}
)
"""An order's statuses; there are no others (§2)."""

IN_KEYS = frozenset("<>;,/\\|^?!'\u2018\u2019\"`")
"""Characters that an event's type and key must not have (§3)."""

_EVENT: tuple[Demand, ...] = (
    Holds(
        path="params.*.name",
        any_of=("externalCustomerId", "email", "phone"),
        field="params",
        source="§3",
    ),
    Length(path="eventTypeKey", least=1, most=100, source="§3"),
    Without(path="eventTypeKey", characters=IN_KEYS, source="§3"),
    Length(path="keyValue", least=1, most=300, source="§3"),
    Without(path="keyValue", characters=IN_KEYS, source="§3"),
    Length(path="params.*.name", least=1, most=100, source="§3"),
    Bytes(most=20_000, source="§3"),
)
"""What an event must be like, of now or of the past."""

RULES = Rules(
    profiles=frozenset({CONTACTS}),
    identifiers=(
        Identifier("customer_id", "externalCustomerId", "text", 255, "§2"),
        Identifier("email", "email", "email", 254, "§2"),
        Identifier("phone_number", "phone", "digits", 15, "§2"),
    ),
    demands={
        ORDERS: (
            Present(names=("externalCustomerId",), source="§2"),
            Identified(any_of=("email", "phone"), field="email", source="§2"),
            Present(
                names=("externalOrderId", "totalCost", "status", "date", "currency"), source="§2"
            ),
            OneOf(path="status", values=STATUSES, source="§2"),
            Present(
                path="items.*",
                names=("externalItemId", "name", "quantity", "cost", "url", "imageUrl"),
                source="§2",
            ),
            Texts(path="additionalInfo", source="§2"),
        ),
        EVENT: _EVENT,
        PAST: (*_EVENT, Present(names=("occurred",), source="§3")),
        CONTACTS: (
            Present(names=("externalCustomerId",), source="§4"),
            Present(path="channels.*", names=("type", "value"), source="§4"),
            Identified(any_of=("channels",), field="channels", source="§4"),
            Length(path="fields.*.value", most=1_000, source="§4"),
        ),
    },
    repeated="replaces",
    batches=(
        Batch(ORDERS, count=1_000, bytes=4_000_000, seconds=0.2, source="§2"),
        Batch(CONTACTS, count=1_000, bytes=4_000_000, seconds=0.5, source="§4"),
        Batch(PAST, count=500, bytes=4_000_000, seconds=0.5, source="§3"),
    ),
    numbered_fields=True,
    limits=(Limit(SHARED, 200, 1), Limit(EVENT, 350, 1), Limit(PAST, 100, 1)),
    retries={
        "throttled": RetryPolicy(first=1.0, source="§5, until the window resets"),
        "repeated": RetryPolicy(first=61.0, cap=61.0, source="§4, repeated within a minute"),
    },
)


def identifiers_of(event: EnrichedEvent) -> Fields:
    """The identifiers that are good, as orders and events name them."""
    good = RULES.identifier
    return told(
        externalCustomerId=good("customer_id").good(event.customer_id),
        email=good("email").good(event.profile.email),
        phone=good("phone_number").good(event.profile.phone_number),
    )
