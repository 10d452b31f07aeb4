"""Event type → what it should come with, and whether a row knows it.

Of every event a destination wants to know whose it is; of a subscription's and an item's the
product; of an order's its items with their products, its payment and its address
(contracts/ordergroove.md §1.1: without a snapshot a webhook has only their ids).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from streams.sources.ordergroove import OBJECT_OF

from .entities import Item, Order, Person, Subscription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .entities import Record, What
    from .row import Row

WANTED: Final[Mapping[str, tuple[What, ...]]] = {
    "subscriber": ("customer",),
    "subscription": ("customer", "product"),
    "order": ("customer", "items", "product", "payment", "address"),
    "item": ("customer", "product"),
    "entitlement": ("customer",),
    "workflow": ("customer",),
}
"""Resource of an event's type (`order` of `order.success`) → what its events should come with."""

DELETED: Final = "order.delete"


class Want(NamedTuple):
    """One thing that an event should come with, of the customer, product, … that has the `id`.

    `ask`: whether the API may know it: it has no items of an order that was deleted.
    """

    what: What
    id: str
    ask: bool = True


def wants(record: Record, row: Row) -> list[Want]:
    """What a record of kind `event` should come with.

    `row` has absorbed the record; an order's items, once it knows them, say which products.
    """
    if record.type not in OBJECT_OF:
        return []  # a dead letter, when derive reads it
    resource = record.type.partition(".")[0]
    return [want for what in WANTED[resource] for want in _of_kind(what, record, row)]


def _of_kind(what: What, record: Record, row: Row) -> list[Want]:
    subject = record.object
    if what == "customer":
        return [Want(what, record.customer_id)]
    if what == "product":
        ids = dict.fromkeys(_product_of(each, row) for each in _with_products(record, row))
        return [Want(what, each) for each in ids if each is not None]
    if not isinstance(subject, Order):
        return []
    if what == "items":
        return [Want(what, subject.public_id, record.type != DELETED)]
    id_ = subject.payment if what == "payment" else subject.shipping_address
    return [] if id_ is None else [Want(what, id_)]


def knows(row: Row, want: Want) -> bool:
    """Whether nothing more needs to be asked: what the row lacks then, nobody has."""
    if want.what == "customer":
        told = row.person
        return row.whole or (told is not None and None not in _names(told))
    if want.what == "product":
        seen = row.products.get(want.id)
        texts = seen and (seen.entity.name, seen.entity.image_url, seen.entity.detail_url)
        return seen is not None and (seen.whole or None not in (texts or ()))
    if want.what == "items":
        order = row.orders.get(want.id)
        return order is not None and order.whole
    return want.id in (row.payments if want.what == "payment" else row.addresses)


def lacks(row: Row, want: Want) -> bool:
    """Whether a record goes on without the thing itself, since the row does not know it."""
    if knows(row, want):
        return False
    if want.what == "customer":
        return row.person is None or row.person.email is None
    if want.what == "product":
        seen = row.products.get(want.id)
        return seen is None or seen.entity.name is None
    return True


def items_of(record: Record, row: Row) -> list[Item]:
    """An order's items: the record's own, else the row's, where that has all of them."""
    if not isinstance(record.object, Order):
        return []
    id_ = record.object.public_id
    own = [each for each in record.beside.items if each.order == id_]
    known = row.orders.get(id_)
    if own or known is None or not known.whole:
        return own
    return [each.entity for each in known.items]


def product_of(item: Item, row: Row) -> str | None:
    """An item's product; one that is not placed yet may have none but its subscription's (§2.2)."""
    if item.product is not None or item.subscription is None:
        return item.product
    seen = row.subscriptions.get(item.subscription)
    return None if seen is None else seen.entity.product


def _with_products(record: Record, row: Row) -> list[Subscription | Item]:
    subject = record.object
    if isinstance(subject, Subscription | Item):
        return [subject]
    return [*items_of(record, row)]


def _product_of(each: Subscription | Item, row: Row) -> str | None:
    return each.product if isinstance(each, Subscription) else product_of(each, row)


def _names(told: Person) -> tuple[str | None, ...]:
    return told.email, told.phone_number, told.first_name, told.last_name
