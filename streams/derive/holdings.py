"""What a customer has beside subscriptions: entitlements, product texts, out-of-stock runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.model.subscriber import SeenProduct, Subscriber

if TYPE_CHECKING:
    from streams.model.events import Entitlement, Entitlements, Event, Item

OUT_OF_STOCK = "item.out_of_stock"
PLACED = "item.successfully_placed"
TIED = "subscription"
"""`source_object` of an entitlement whose subscription is known."""


def note_stock(row: Subscriber, item: Item, event: Event, run: int) -> None:
    """Remember an item's first out-of-stock event; placement, or `run` ms, ends the run.

    The webhook does not say how long it lasts (contracts/ordergroove.md §1.3, item).
    """
    key = item.stock_key
    if event.type == PLACED:
        row.first_out_of_stock.pop(key, None)
    elif event.type == OUT_OF_STOCK:
        first = row.first_out_of_stock.get(key)
        if first is None or event.created < first or event.created - first > run:
            row.first_out_of_stock[key] = event.created


def note_entitlements(row: Subscriber, subject: Entitlements, event: Event) -> None:
    """Keep the newest form of each entitlement, tied to its subscription where that is known."""
    subscriptions = {item.public_id: item.subscription for item in event.snapshot.items}
    for entitlement in subject.entitlements:
        known = row.entitlements.get(entitlement.public_id)
        if known is None or _age(entitlement) >= _age(known):
            tie = subscriptions.get(entitlement.source_object_id or "") or _tie(known)
            row.entitlements[entitlement.public_id] = (
                msgspec.structs.replace(entitlement, source_object=TIED, source_object_id=tie)
                if tie is not None
                else entitlement
            )


def _tie(known: Entitlement | None) -> str | None:
    """The subscription that an entitlement was tied to before."""
    return known.source_object_id if known is not None and known.source_object == TIED else None


def _age(entitlement: Entitlement) -> int:
    return entitlement.last_updated or entitlement.created or 0


def note_products(row: Subscriber, event: Event) -> None:
    """Keep the newest texts of products that a subscription of the customer names."""
    if not event.snapshot.products:
        return
    wanted = {state.content.product for state in row.subscriptions.values()}
    for product in event.snapshot.products:
        known = row.products.get(product.id)
        if product.id in wanted and (known is None or event.created >= known.seen):
            row.products[product.id] = SeenProduct(product, event.created)
