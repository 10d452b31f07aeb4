"""Forgetting a customer: what an erase record leaves of a row, and what is dropped after it.

The row becomes a marker that holds nothing but the time of the erase (and, of a member, how far
the webhooks were, since Okendo's tell no time). What was created before that is dropped, however
late it comes; the first event that is younger begins a new row, which keeps the mark. The marker
does not age out: it is a few bytes, and a record may come again from a table snapshot, a redrive
or a source that is read anew long after the topic has let go of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from streams.model.fact import CUSTOMER_ERASED, Fact, Whom
from streams.model.ids import fact_id
from streams.model.loyalty import LoyaltyCustomer
from streams.model.member import Member
from streams.model.subscriber import Subscriber

from .terms import Derivation

if TYPE_CHECKING:
    from streams.model.events import AnyEvent, Event
    from streams.model.loyalty import LoyaltyEvent

Row = TypeVar("Row", Subscriber, Member)

ERASED: Final = "erased"
"""Why nothing comes of a record that was created before its customer was erased."""


def erased(row: Subscriber | None, event: Event) -> Derivation[Subscriber] | None:
    """What comes of an erase record, or of one that is older than the last erase; None: neither.

    The same erase again, or an older one, changes nothing.
    """
    if row is not None and row.erased_at is not None and event.created <= row.erased_at:
        if event.kind == "erase":
            return Derivation(row, duplicate=True)
        if event.created < row.erased_at:
            return _dropped(row, event)
    if event.kind != "erase":
        return None
    whom = Whom() if row is None else Whom(row.profile.email, row.profile.phone_number)
    return Derivation(Subscriber(erased_at=event.created), (_told(event, whom),))


def erased_member(row: Member | None, event: LoyaltyEvent) -> Derivation[Member] | None:
    """The same of a member's record, as far as its age can be told.

    A transaction has a date. What tells of the member has none: it is older if the webhooks had
    come further before the erase. Nor has a deletion: while nothing is known there is nothing to
    take back.
    """
    if event.kind != "erase":
        return None if row is None or not _is_older(row, event) else _dropped(row, event)
    if row is not None and row.erased_at is not None and event.created <= row.erased_at:
        return Derivation(row, duplicate=True)
    marker = Member(erased_at=event.created)
    whom = Whom()
    if row is not None:
        whom = Whom(row.email)
        marker.erased_sequence = max(row.sequence, row.erased_sequence)
    return Derivation(marker, (_told(event, whom),))


def unless_marker(row: Row | None) -> Row | None:
    """The row; None for a marker, in whose place a new row begins."""
    return None if row is not None and row.erased_at is not None and not row.seen else row


def keep_mark(row: Row, former: Row | None) -> None:
    """Let the (new or forked) row say of the last erase what the former one said."""
    if former is None or former.erased_at is None:
        return
    row.erased_at = former.erased_at
    if isinstance(row, Member):
        row.erased_sequence = former.erased_sequence


def _is_older(row: Member, event: LoyaltyEvent) -> bool:
    if row.erased_at is None:
        return False
    if event.created < row.erased_at:
        return True
    if isinstance(event.subject, LoyaltyCustomer):
        return event.sequence <= row.erased_sequence
    return event.deletes and not row.seen


def _dropped(row: Row, event: AnyEvent) -> Derivation[Row]:
    """What comes of a record that is dropped: it is counted."""
    return Derivation(row, (Fact(event.type, event.event_id, event.created, withheld=ERASED),))


def _told(event: AnyEvent, whom: Whom) -> Fact:
    about = event.merchant, event.customer_id, event.created
    return Fact(CUSTOMER_ERASED, fact_id(CUSTOMER_ERASED, *about), event.created, whom=whom)
