"""What Attentive refuses, refused by us beforehand with the field named.

contracts/attentive.md §2 (identifiers, event types, keys), §3 (attributes) and §6 (rates). Where
its documents differ on a character, it is forbidden here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.model.delivery import Limit

from .fields import good_email, good_phone, nested, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Options
    from streams.model.enriched import EnrichedEvent

    from .fields import Fields

LIMITS = (Limit("events-custom", 150, 1), Limit("attributes-custom", 150, 1))

IN_TYPES = frozenset("\"'(){}[]\\|,")
"""Characters that an event's type must not have."""
IN_KEYS = frozenset("\"'{}[]\\|,")
"""Characters that a property's or an attribute's name must not have."""

MAX_IDENTIFIER = 100
MAX_ATTRIBUTE = 200
"""Characters of an attribute's name."""

Refused = tuple[str, str | None]


def user_of(event: EnrichedEvent, options: Options) -> Fields:
    """The identifiers that are good, each for itself; empty where there is none.

    The shop's customer id is one only where the connection says so: two people who share it would
    become one at the vendor (contract, pitfall 12).
    """
    own = event.customer_id
    shared = options.client_user_id and 0 < len(own) <= MAX_IDENTIFIER
    return told(
        phone=good_phone(event.profile.phone_number),
        email=good_email(event.profile.email, MAX_IDENTIFIER),
        externalIdentifiers={"clientUserId": own} if shared else None,
    )


def refusal_of_event(body: Mapping[str, Any]) -> Refused | None:
    """(reason, field) where an event would be refused; None where it is fine."""
    if not body["user"]:
        return "no_identifier", "user"
    if not IN_TYPES.isdisjoint(body["type"]):
        return "forbidden_character", "type"
    for path, value in nested(body["properties"], "properties"):
        for key in value if isinstance(value, dict) else ():
            if not IN_KEYS.isdisjoint(key):
                return "forbidden_character", f"{path}.{key}"
    return None


def refusal_of_attributes(body: Mapping[str, Any]) -> Refused | None:
    """(reason, field) where attributes would be refused or spoilt; None where they are fine.

    The first value fixes an attribute's type for good, so an empty text is refused too.
    """
    if not body["user"]:
        return "no_identifier", "user"
    for name, value in body["properties"].items():
        field = f"properties.{name}"
        if not IN_KEYS.isdisjoint(name):
            return "forbidden_character", field
        if not 0 < len(name) <= MAX_ATTRIBUTE:
            return "name_length", field
        if value is None or value == "" or isinstance(value, list | tuple | dict):
            return "attribute_value", field
    return None
