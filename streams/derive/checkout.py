"""Checkouts: subscriptions that were created together are told together, once.

Nothing says how many subscriptions a checkout has. So it stays open for a while of stream time;
whoever belongs to it and comes later makes a second event (DESIGN §6).
"""

from __future__ import annotations

import msgspec

from streams.model.enriched import Because
from streams.model.events import Event, Subscription
from streams.model.fact import SUBSCRIPTIONS_CREATED, Fact
from streams.model.ids import fact_id
from streams.model.subscriber import Checkout, Subscriber

from .terms import DAY, DeriveOptions

CREATED = "subscription.create"


def checkout_key(content: Subscription, event: Event) -> str:
    """The checkout of a subscription: its order's number, else its session and second."""
    if content.merchant_order_id:
        return content.merchant_order_id
    second = (content.created or event.created) // 1_000
    return f"{content.session_id or ''}@{second}"


def join(
    row: Subscriber, event: Event, now: int, options: DeriveOptions, *, before: int, late: bool
) -> str | None:
    """Put a new subscription into its checkout in the (forked) row; return the checkout's key.

    None where the event tells of no new subscription. `before`: live subscriptions before this
    record; `late`: the subscription's own event is.
    """
    content = event.subject
    if event.type != CREATED or not isinstance(content, Subscription):
        return None
    key = checkout_key(content, event)
    known = row.checkouts.get(key)
    closes = now + options.checkout_settle
    if known is None or not known.closes:
        told = 0 if known is None else known.told
        row.checkouts[key] = Checkout(
            closes, (content.public_id,), told, now, event.event_id, before, event.created, late
        )
    else:
        row.checkouts[key] = msgspec.structs.replace(
            known,
            members=tuple(dict.fromkeys((*known.members, content.public_id))),
            touched=now,
            created=min(known.created, event.created),
            late=known.late and late,
        )
    _forget(row, now - options.remember * DAY)
    return key


def close(row: Subscriber, merchant: str, customer_id: str, key: str) -> Fact:
    """Tell what waits in a checkout; the (forked) row remembers that it was told."""
    known = row.checkouts[key]
    row.checkouts[key] = msgspec.structs.replace(
        known, closes=0, members=(), told=known.told + 1, event_id=""
    )
    again = (known.told,) if known.told else ()
    number = len(known.members)
    live = set(row.live())
    return Fact(
        SUBSCRIPTIONS_CREATED,
        fact_id(SUBSCRIPTIONS_CREATED, merchant, customer_id, key, *again),
        known.created,
        late=known.late or live.isdisjoint(known.members),
        because=Because(
            known.event_id,
            known.before,
            len(live),
            f"checkout of {number}: active {known.before} → {len(live)} by {CREATED}",
        ),
        listed=known.members,
    )


def _forget(row: Subscriber, before: int) -> None:
    for key in [k for k, each in row.checkouts.items() if not each.closes]:
        if row.checkouts[key].touched < before:
            del row.checkouts[key]
