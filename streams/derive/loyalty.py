"""The member's derivation: which events a loyalty record becomes, and the row afterwards.

Webhooks come in any order and more than once (contracts/okendo.md §5): the row keeps the newest by
sequence number, and ids are functions of the fact, so the events are the same in every order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.errors import BadRecord
from streams.model.enriched import Because
from streams.model.fact import PROFILE_CHANGED, Fact
from streams.model.ids import profile_change_id
from streams.model.loyalty import LoyaltyCustomer
from streams.model.member import (
    CLEARABLE,
    Heard,
    Loyalty,
    Member,
    member_view,
    names_of,
    shown,
)

from . import dedupe, erasure, points
from .birthday import next_birthday
from .membership import Arrival, announcements
from .spells import place
from .terms import Derivation, LoyaltyOptions

if TYPE_CHECKING:
    from streams.model.loyalty import LoyaltyEvent, LoyaltyTransaction


def derive_member(
    row: Member | None,
    event: LoyaltyEvent,
    now: int,
    options: LoyaltyOptions,
    recorded_at: int | None = None,
) -> Derivation[Member]:
    """What an event becomes. `row` is left as it was.

    `now` is stream time and `recorded_at` the record's own time (default: the same), both epoch
    milliseconds. Raises `BadRecord` for a tier that is not among those configured.
    """
    forgotten = erasure.erased_member(row, event)
    if forgotten is not None:
        return forgotten
    former, row = row, erasure.unless_marker(row)
    subject = event.subject
    if isinstance(subject, LoyaltyCustomer):
        check_tier(subject.tier, options)
    marks = dedupe.marks_of(event)
    if row is not None and dedupe.repeated(row, marks, now, options.remember):
        return Derivation(row, duplicate=True)
    recorded_at = now if recorded_at is None else recorded_at
    row = _begin(options, recorded_at) if row is None else row.fork()
    erasure.keep_mark(row, former)
    before = row.email, member_view(row)
    if event.kind == "state":
        row.complete = True
    dedupe.remember(row, marks, now, options.remember)
    withheld = "state" if event.kind == "state" and "state" not in options.announce else None
    if isinstance(subject, LoyaltyCustomer):
        arrival = Arrival(event, options, event.sequence < row.sequence, recorded_at, withheld)
        facts = _customer(row, subject, arrival)
    else:
        _hear(row, event, subject)
        facts = points.note(row, event, subject, now, options, withheld)
    if row.loyalty.birthday is not None:
        row.next_birthday = next_birthday(row.loyalty.birthday, now, options.zone)
    else:
        row.next_birthday = None
    if (row.email, member_view(row)) != before:
        row.version += 1
        facts.append(_profile_changed(row, event))
    return Derivation(row, tuple(facts))


def fire_member(
    row: Member, merchant: str, customer_id: str, now: int, options: LoyaltyOptions
) -> Derivation[Member]:
    """What is due by stream time `now`: nothing of a member waits."""
    del merchant, customer_id, now, options
    return Derivation(row)


def check_tier(tier: str | None, options: LoyaltyOptions) -> None:
    """Raise `BadRecord` for a tier that the configured order does not have."""
    if tier is not None and options.tiers and tier not in options.tiers:
        raise BadRecord("unknown_tier", "object.tier", "okendo.tiers does not have it")


def _begin(options: LoyaltyOptions, recorded_at: int) -> Member:
    """The row of a member of whom nothing was seen before a record of this time."""
    complete = options.history == "complete" or (
        options.history == "synced" and recorded_at >= options.synced_at
    )
    return Member(complete=complete)


def _customer(row: Member, subject: LoyaltyCustomer, arrival: Arrival) -> list[Fact]:
    """Put what a `loyalty_customer` record says into the (forked) row; an older one is history."""
    sequence = arrival.event.sequence
    loyalty = _loyalty(subject)
    if subject.email is not None and sequence > row.email_sequence:
        row.own_email, row.email_sequence = subject.email, sequence
    if sequence > row.sequence:
        row.loyalty, row.sequence = loyalty, sequence
    known = names_of(shown(loyalty, "" if loyalty.birthday is not None else None))
    if known.difference(row.told):
        row.told = tuple(name for name in CLEARABLE if name in known or name in row.told)
    place(row, sequence, loyalty)
    return announcements(row, arrival)


def _loyalty(subject: LoyaltyCustomer) -> Loyalty:
    month, day = subject.birthday_month, subject.birthday_day
    return Loyalty(
        status=subject.status,
        tier=subject.tier,
        balance=subject.balance,
        enrolled_at=subject.enrolled_at,
        tier_entered_at=subject.tier_entered_at,
        tier_expires_at=subject.tier_expires_at,
        points_expire_at=subject.points_expire_at,
        birthday=None if month is None or day is None else (month, day),
    )


def _hear(row: Member, event: LoyaltyEvent, subject: LoyaltyTransaction) -> None:
    """Note the e-mail address of a transaction: it counts while the member tells none."""
    if subject.email is not None:
        heard = Heard(event.created, event.sequence, subject.email)
        row.heard = heard if row.heard is None else max(row.heard, heard)


def _profile_changed(row: Member, event: LoyaltyEvent) -> Fact:
    status = row.loyalty.status or "unknown"
    return Fact(
        PROFILE_CHANGED,
        profile_change_id(event.merchant, event.customer_id, row.version),
        event.created,
        because=Because(event.event_id, 0, 0, f"status {status} by {event.type}"),
    )
