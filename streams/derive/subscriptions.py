"""What the row holds of subscriptions: each a state with an order key, so arrival order is nothing.

Applying never concludes anything: `subscriber` compares the row before and after a whole record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.model.subscriber import OrderKey, Reactivations, Subscriber, SubscriptionState

if TYPE_CHECKING:
    from streams.model.events import Subscription


def apply(row: Subscriber, content: Subscription, key: OrderKey) -> bool:
    """Put a subscription's content into the (forked) row; False where it is stale.

    A key that is not greater than the row's changes nothing but a currency that nobody told yet.
    """
    id_ = content.public_id
    known = row.subscriptions.get(id_)
    if known is not None and key <= known.key:
        told = _with_currency(known.content, content)
        if told is not known.content:
            row.subscriptions[id_] = msgspec.structs.replace(known, content=told)
        return False
    content = _kept(content)
    first = not row.ever_subscribed
    row.ever_subscribed = True
    if (content.live or first) and row.active == 0:
        row.spell += 1
    died_in = 0 if content.live else _died_in(row, known, first=first)
    if known is None:
        row.subscriptions[id_] = SubscriptionState(content, key, died_in)
    else:
        content = _with_currency(content, known.content)
        row.subscriptions[id_] = SubscriptionState(content, key, died_in, known.reactivations)
    return True


def note_reactivations(row: Subscriber, id_: str, told: Reactivations) -> None:
    """Remember what was announced of a subscription."""
    state = row.subscriptions[id_]
    if told is not state.reactivations:
        row.subscriptions[id_] = msgspec.structs.replace(state, reactivations=told)


def newest_death(row: Subscriber) -> tuple[str, int]:
    """Id and `updated` of the newest subscription of a row in which none is live."""
    id_, state = max(row.subscriptions.items(), key=lambda each: each[1].key)
    return id_, state.key.updated


def died_in_this_spell(row: Subscriber) -> tuple[str, ...]:
    """The subscriptions that died since the customer last became active."""
    return tuple(i for i, state in row.subscriptions.items() if state.died_in == row.spell)


def _died_in(row: Subscriber, known: SubscriptionState | None, *, first: bool) -> int:
    """The spell in which a subscription that is dead now died.

    One first seen dead died in this spell if the customer is active, or if it was their first: then
    it counts as having been live.
    """
    if known is None:
        return row.spell if first or row.active > 0 else 0
    return row.spell if known.content.live else known.died_in


def _kept(content: Subscription) -> Subscription:
    """What a row keeps of a subscription: its checkout matters at its beginning alone."""
    if content.session_id is None and content.merchant_order_id is None:
        return content
    return msgspec.structs.replace(content, session_id=None, merchant_order_id=None)


def _with_currency(newer: Subscription, older: Subscription) -> Subscription:
    """The newer content; only REST entities tell the currency, so it is taken from either."""
    if newer.currency_code is None and older.currency_code is not None:
        return msgspec.structs.replace(newer, currency_code=older.currency_code)
    return newer
