"""What a row keeps to warn of cards that end before the next order, where that is asked for.

Positional, like all of the row: **append fields, never reorder or remove them**.
"""

from __future__ import annotations

import msgspec

from .events import Address, Item, Order, Payment


class NextOrder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An order that is not placed yet: its newest content, told by an event of that `created`."""

    order: Order
    created: int
    event_id: str


class Cards(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Upcoming orders and what they are to be paid with.

    `check_at`: stream time of the next check, 0 for none. `gone`: orders that are placed or will
    never be, lest an old event brings them back.
    """

    check_at: int = 0
    orders: tuple[NextOrder, ...] = ()
    gone: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    payments: tuple[Payment, ...] = ()
    addresses: tuple[Address, ...] = ()
