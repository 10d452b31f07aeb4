"""What a vendor is to be told of a customer, made from the row alone. Pure.

A `profile.changed` as derive makes one at a change of the row, with the row's version: so deliver
drops it where the vendor was told a newer one meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from streams.errors import BadRecord
from streams.model.delivery import Options, Part
from streams.model.fact import PROFILE_CHANGED, Fact
from streams.model.ids import profile_change_id
from streams.model.member import Member
from streams.model.subscriber import Subscriber

if TYPE_CHECKING:
    from streams.families import Family
    from streams.model.delivery import Destination
    from streams.model.enriched import EnrichedEvent

Row = Subscriber | Member


class Customer(NamedTuple):
    """A row with whose it is."""

    key: bytes
    merchant: str
    customer_id: str
    row: Row


def customer_of(key: bytes, value: bytes, family: Family[Any, Any, Any]) -> Customer:
    """The customer of a row's bytes; raises `BadRecord` where they are none of this version's."""
    try:
        merchant, _, customer_id = key.decode().partition(":")
        return Customer(key, merchant, customer_id, family.decode(value))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRecord("malformed", None, "a row is not one of this version's") from None


def told_at(row: Row) -> int:
    """When the newest event that is known of a row was created, epoch milliseconds; 0: unknown."""
    if isinstance(row, Member):
        return max((row.loyalty.enrolled_at or 0, row.heard.at if row.heard else 0))
    times = [stamp.created for stamp in row.profile.stamps]
    times += [state.key.created for state in row.subscriptions.values()]
    return max((*times, row.customer_created or 0, row.begun or 0))


def profile_event(customer: Customer, family: Family[Any, Any, Any]) -> EnrichedEvent:
    """The event that tells a customer's profile as the row has it, under the id that derive gives.

    `family`: of the row's table and its generation (`families.of_generation`).
    """
    merchant, customer_id, row = customer.merchant, customer.customer_id, customer.row
    at = told_at(row)
    event_id = profile_change_id(merchant, customer_id, row.version)
    about = family.nothing(merchant, customer_id, at)
    event: EnrichedEvent = family.enrich(Fact(PROFILE_CHANGED, event_id, at), about, row)
    return event


def profile_part(
    destination: Destination, event: EnrichedEvent, options: Options, *, bulk: bool = False
) -> Part | None:
    """What the vendor would be asked with that event; None: nothing can be told of this person."""
    chosen = msgspec.structs.replace(options, bulk_profiles=bulk)
    parts = destination.render(event, event.event_id, event.occurred_at, chosen)
    return next((p for p in parts if isinstance(p, Part) and p.brings_profile), None)
