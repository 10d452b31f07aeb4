"""Facts: the events that a record becomes, the source's own and those that we conclude."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from .enriched import Because, TierView
from .events import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

CREATE = "subscriber.create"
CANCEL = "subscriber.cancel"
SUBSCRIPTIONS_CREATED = "subscriber.subscriptions_created"
REACTIVATE = "subscription.reactivate"
PROFILE_CHANGED = "profile.changed"
CUSTOMER_ERASED = "customer.erased"
"""Internal: connections forget the customer, and ask their vendors to do so."""

WITHHELD: Mapping[str, str] = MappingProxyType(
    {
        "import": "a programme migration: everybody in it subscribed long ago",
        "state": "a record that says how things are, not that anything happened",
        "derived_mode": "the source's own conclusion, in place of which we draw ours",
        "old_customer": "first subscription seen, but the customer is more than a day old",
        "customer_age_unknown": "first subscription seen, and nobody says how old the customer is",
        "old_subscription": "first subscription seen, but it is more than a day old",
        "incomplete_history": "last live subscription seen ended, but there may be others",
        "old_enrolment": "member first seen enrolled, and no date within a day says since when",
        "erased": "created before the customer was erased",
        "old_transaction": "first seen in an update, more than a day after the transaction's date",
    }
)
"""Why an event is not delivered: reason → what it means. Row and profile change all the same."""


class Whom(msgspec.Struct, frozen=True, gc=False):
    """Whom a vendor is to forget: the identifiers that it may know them by."""

    email: str | None = None
    phone_number: str | None = None


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One event that a record becomes.

    `withheld` says why it is not delivered, `late` that it may start no flow, `because` why it was
    concluded (None for the source's own). `listed`: ids of the subscriptions that it lists; `tier`:
    the change of tier that it tells; `whom`: who was erased; `about`: the event that it tells of,
    where that is another than the one that revealed it.
    """

    type: str
    event_id: str
    occurred_at: int
    late: bool = False
    withheld: str | None = None
    because: Because | None = None
    listed: tuple[str, ...] | None = None
    tier: TierView | None = None
    whom: Whom | None = None
    about: Event | None = None
