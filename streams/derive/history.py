"""Is it news, or only news to us? What is known of a customer's past, and what must wait for it.

A topic rarely holds everything since the merchant's first subscription. So a row says whether all
of its past is known (`complete`); until then a first subscription is announced only if customer and
subscription are both new, and the end of the last one is not announced at all (DESIGN §6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.events import Event, Person, Subscription
from streams.model.subscriber import Subscriber

from .terms import DAY

if TYPE_CHECKING:
    from .terms import DeriveOptions

NEW = DAY
"""How young a customer or a subscription is that counts as new, in milliseconds."""

CHECKOUT = "PurchasePOST"
"""`context.source` of a checkout."""

CHECKOUT_LASTS = 60_000
"""A checkout's events are created within a second or two, and come in any order; milliseconds."""

INCOMPLETE = "incomplete_history"


def begin(event: Event, options: DeriveOptions, recorded_at: int) -> Subscriber:
    """The row of a customer of whom nothing was seen before a record of this time."""
    complete = options.history != "live" and all_is_told(options, recorded_at)
    return Subscriber(complete=complete, begun=None if complete else event.created)


def all_is_told(options: DeriveOptions, recorded_at: int) -> bool:
    """Whether the merchant's whole past was told before a record of this time.

    A sync reads its lists side by side: until its end somebody's address may be here, and not yet
    their subscriptions.
    """
    if options.history == "complete":
        return True
    return options.synced_at is not None and recorded_at >= options.synced_at


def began_with(row: Subscriber, event: Event) -> bool:
    """Whether the row began with this event, or with another one of the same checkout."""
    return row.begun is not None and abs(event.created - row.begun) <= CHECKOUT_LASTS


def note_age(row: Subscriber, event: Event) -> None:
    """Remember when the customer came to be: the earliest time that anybody told."""
    for person in (event.subject, event.snapshot.customer):
        if isinstance(person, Person) and person.created is not None:
            known = row.customer_created
            row.customer_created = person.created if known is None else min(known, person.created)


def not_new(row: Subscriber, event: Event, *, row_is_new: bool) -> str | None:
    """Why a first subscription may not be the first ever; None where it is.

    `row` has it already, and an incomplete past.
    """
    if row.customer_created is not None:
        if event.created - row.customer_created > NEW:
            return "old_customer"
    elif not (row_is_new and event.source == CHECKOUT):
        return "customer_age_unknown"
    contents = (state.content for state in row.subscriptions.values())
    return None if all(_is_new(each, event) for each in contents) else "old_subscription"


def _is_new(content: Subscription, event: Event) -> bool:
    if content.created is not None:
        return event.created - content.created <= NEW
    subject = event.subject
    own = isinstance(subject, Subscription) and subject.public_id == content.public_id
    return own and event.type == "subscription.create"
