"""The orders of the simulated Yespo account, and the event that each raises whenever it comes.

Contract: contracts/yespo.md §2 (upsert by externalOrderId; Effects).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.simulators.shapes import JSON
    from streams.simulators.yespo_contacts import Contacts
    from streams.simulators.yespo_events import Events
    from streams.simulators.yespo_order_rows import OrderRow
    from streams.simulators.yespo_switches import Switches

__all__ = ["Orders", "StoredOrder"]

_FIRST_ID = 5_000_001


@dataclass(slots=True)
class StoredOrder:
    """One order as it was last received.

    `received` has every status that came, in order of arrival; `notes` say what is odd about the
    last one: `prices` that do not add up to the total.
    """

    id: int
    external_order_id: str
    status: str
    contact_id: int | None
    total_cost: float
    currency: str
    order: JSON
    notes: tuple[str, ...]
    received: list[str] = field(default_factory=list)


class Orders:
    """All orders of the account, by externalOrderId."""

    def __init__(self, contacts: Contacts, events: Events) -> None:
        self._contacts = contacts
        self._events = events
        self._by_id: dict[str, StoredOrder] = {}

    def __iter__(self) -> Iterator[StoredOrder]:
        return iter(self._by_id.values())

    def keep(self, row: OrderRow, sequence: int, at: float, switches: Switches) -> str:
        """Store the order in place of the one with its id, raise its event; returns its fate."""
        contact = self._contacts.of_order(row, switches)
        known = self._by_id.get(row.external_order_id)
        order = StoredOrder(
            id=_FIRST_ID + len(self._by_id) if known is None else known.id,
            external_order_id=row.external_order_id,
            status=row.status,
            contact_id=None if contact is None else contact.id,
            total_cost=row.total_cost,
            currency=row.currency,
            order=row.sent,
            notes=row.notes,
            received=[*([] if known is None else known.received), row.status],
        )
        self._by_id[row.external_order_id] = order
        params: dict[str, object] = {
            "eventKey": row.external_order_id,
            "orderId": order.id,
            "contactId": order.contact_id,
            "EmailAddress": row.email,
            "SMS": row.phone,
        }
        given = {name: value for name, value in params.items() if value is not None}
        self._events.raise_one(f"order{row.status}", row.external_order_id, given, sequence, at)
        return "accepted" if contact is not None else "silent:unmatched"

    def revenue(self) -> Mapping[int, Mapping[str, float]]:
        """By contact and currency, what their orders are worth whose status is DELIVERED now."""
        sums: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for order in self:
            if order.status == "DELIVERED" and order.contact_id is not None:
                sums[order.contact_id][order.currency] += order.total_cost
        return sums
