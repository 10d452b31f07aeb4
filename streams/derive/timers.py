"""What a row does when stream time passes: checkouts close, and a pending cancel is decided.

Timers live in the row alone, so they survive whatever the row survives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import checkout
from .cards import warnings
from .conclusions import cancel
from .terms import Derivation

if TYPE_CHECKING:
    from streams.model.fact import Fact
    from streams.model.subscriber import Subscriber

    from .terms import DeriveOptions


def fire(
    row: Subscriber, merchant: str, customer_id: str, now: int, options: DeriveOptions
) -> Derivation:
    """What is due by stream time `now` (epoch milliseconds), earliest first. `row` stays as is."""
    row = row.fork()
    waiting = [(each.closes, 0, key) for key, each in row.checkouts.items() if each.closes]
    if row.settling is not None:
        waiting.append((row.settling.at, 1, ""))
    if row.cards is not None and row.cards.check_at:
        waiting.append((row.cards.check_at, 2, ""))
    facts: list[Fact] = []
    for due, kind, key in sorted(waiting):
        if due > now:
            break
        if kind == 2:
            found = warnings(row, merchant, customer_id, now)
            facts += found if options.card_expiration_warnings else []
        elif kind == 1:
            facts += _settle(row, merchant, customer_id)
        else:
            facts.append(checkout.close(row, merchant, customer_id, key))
    return Derivation(row, tuple(facts))


def _settle(row: Subscriber, merchant: str, customer_id: str) -> list[Fact]:
    """Decide a pending cancel: whoever is live again was never gone."""
    pending, row.settling = row.settling, None
    return [] if pending is None else cancel(row, merchant, customer_id, pending)
