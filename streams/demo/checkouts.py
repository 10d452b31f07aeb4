"""A customer's checkouts, as the demo's bookkeeping understands them (DESIGN §6).

What is subscribed to at one checkout is told together, once five seconds of stream time have
passed since the first of it was told of. What comes after that opens the checkout once more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.demo.reading import Webhook

SETTLES = 5_000
"""Milliseconds of stream time that a checkout stays open."""


@dataclass
class Checkout:
    """One that is open.

    `opened_by`: the first member's webhook; `members`: subscriptions; `began`: the earliest of
    their webhooks' `created`; `late`: whether all of these were late; `turn`: how many times this
    checkout was told before.
    """

    key: str
    closes: int
    opened_by: Webhook
    began: int
    turn: int
    members: list[str] = field(default_factory=list)
    late: bool = True


class Checkouts:
    """Those of one customer."""

    def __init__(self) -> None:
        self._open: dict[str, Checkout] = {}
        self._told: Counter[str] = Counter()

    def join(self, hook: Webhook, at: int, *, late: bool) -> None:
        """A `subscription.create` at stream time `at`, epoch milliseconds."""
        key = checkout_key(hook)
        if key not in self._open:
            turn = self._told[key]
            self._open[key] = Checkout(key, at + SETTLES, hook, hook.created, turn)
        one = self._open[key]
        one.began = min(one.began, hook.created)
        one.late = one.late and late
        if hook.object["public_id"] not in one.members:
            one.members.append(hook.object["public_id"])

    def close(self, at: float) -> list[Checkout]:
        """Those that are over at that stream time, in the order in which they end."""
        over = [one for one in self._open.values() if one.closes <= at]
        for one in over:
            del self._open[one.key]
            self._told[one.key] += 1
        return sorted(over, key=lambda one: (one.closes, one.key))


def checkout_key(hook: Webhook) -> str:
    """The order's number at the shop; where there is none, the session and the second."""
    raw = hook.object
    if raw.get("merchant_order_id"):
        return str(raw["merchant_order_id"])
    return f"{raw.get('session_id') or ''}@{raw.get('created') or hook.created}"
