"""Rows stay small: of subscriptions that died long ago only id and time are kept.

A count needs them for ever, and so does staleness: an event of such a subscription that comes again
must still be recognised as old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.model.events import Subscription

if TYPE_CHECKING:
    from streams.model.subscriber import Subscriber, SubscriptionState

KEPT = 50
"""Dead subscriptions that are kept whole."""


def compact(row: Subscriber) -> None:
    """Shrink the oldest dead subscriptions beyond `KEPT` in the (forked) row."""
    if len(row.subscriptions) <= KEPT:
        return
    dead = [(state.key, id_) for id_, state in row.subscriptions.items() if not state.content.live]
    if len(dead) <= KEPT:
        return
    waiting = {id_ for each in row.checkouts.values() for id_ in each.members}
    for _, id_ in sorted(dead)[:-KEPT]:
        if id_ not in waiting:
            row.subscriptions[id_] = _shrunk(row.subscriptions[id_])
    wanted = {state.content.product for state in row.subscriptions.values()}
    for product in [id_ for id_ in row.products if id_ not in wanted]:
        del row.products[product]


def _shrunk(state: SubscriptionState) -> SubscriptionState:
    """Id and time, where it stands among the others, and what was told of its reactivations."""
    content = state.content
    bare = Subscription(content.public_id, live=False, updated=content.updated)
    return state if content == bare else msgspec.structs.replace(state, content=bare)
