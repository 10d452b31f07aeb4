"""Row and record → row: what the record and its snapshot show is kept, the newest of each.

Records come out of order, so each entity keeps the time of what told it. Nulls tell nothing: guests
and partial records have them for what is well known (contracts/ordergroove.md §5.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import structs

from .entities import Communication, Item, Order, Person, Product, Subscription
from .row import Row, Seen, SeenOrder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .entities import Entity, Record

Some = TypeVar("Some", bound="Entity")

REMOVED: Final = "item.remove"


def absorb(row: Row, record: Record) -> Row:
    """The row, changed, with what a record of its customer shows.

    An erase record leaves nothing but its time; the same one again changes nothing.
    """
    if record.kind == "erase":
        return row if record.created <= row.erased_at else Row(erased_at=record.created)
    at, subject, beside = record.created, record.object, record.beside
    if isinstance(subject, Person):
        whole = not isinstance(subject, Communication)
        note_person(row, subject, at, whole=whole)
    if beside.customer is not None:
        note_person(row, beside.customer, at, whole=True)
    subscriptions = [subject] if isinstance(subject, Subscription) else []
    for each in (*beside.subscriptions, *subscriptions):
        _note_subscription(row, each, at)
    _note_items(row, record)
    for address in beside.addresses:
        note_at(row.addresses, address.public_id, address, at)
    for payment in beside.payments:
        note_at(row.payments, payment.public_id, payment, at)
    for product in beside.products:
        note_product(row, product, at)
    return row


def note_person(row: Row, told: Person, at: int, *, whole: bool) -> None:
    """Keep who the customer is; `at` stands in for a missing `last_updated`."""
    if not any((told.email, told.phone_number, told.first_name, told.last_name, told.created)):
        return  # `customer.state` beside a payment: an object that says nothing
    at = told.last_updated or at
    newer = row.person is None or at >= row.told_at
    person = Person(*structs.astuple(told))
    if row.person is not None:
        person = merged(person, row.person) if newer else merged(row.person, person)
    row.told_at = max(row.told_at, at)
    row.person = structs.replace(person, last_updated=row.told_at)
    row.whole = row.whole or whole


def note_product(row: Row, told: Product, at: int, *, whole: bool = False) -> None:
    """Keep what a product is called and looks like."""
    known = row.products.get(told.id)
    if known is not None:
        newer = at >= known.at
        told = merged(told, known.entity) if newer else merged(known.entity, told)
        at, whole = max(at, known.at), whole or known.whole
    row.products[told.id] = Seen(at, told, whole)


def note_order(row: Row, order: str, items: Iterable[Item], at: int) -> None:
    """Keep all items of an order, as they were at a time."""
    known = row.orders.get(order)
    if known is not None and known.whole and at < known.at:
        return
    seen = [Seen(at, each) for each in items]
    row.orders[order] = SeenOrder(order, at, whole=True, items=seen, as_of=at)


def note_at(table: dict[str, Seen[Some]], id_: str, told: Some, at: int) -> None:
    """Keep an entity, if it is no older than what is known of it."""
    known = table.get(id_)
    if known is None or at >= known.at:
        table[id_] = Seen(at, told)


def merged(newer: Some, older: Some) -> Some:
    """The newer one, with what only the older one tells."""
    told = zip(structs.astuple(newer), structs.astuple(older), strict=True)
    return type(newer)(*(old if new is None else new for new, old in told))


def _note_subscription(row: Row, told: Subscription, at: int) -> None:
    note_at(row.subscriptions, told.public_id, told, told.updated or at)


def _note_items(row: Row, record: Record) -> None:
    """Keep items: an order's own event shows all of them, any other record some."""
    at, subject, beside = record.created, record.object, record.beside
    own: set[str] = set()
    if isinstance(subject, Order):
        items = [each for each in beside.items if each.order == subject.public_id]
        if record.kind == "event" and items:
            note_order(row, subject.public_id, items, at)
            own = {each.public_id for each in items}
        else:
            known = row.orders.setdefault(subject.public_id, SeenOrder(subject.public_id))
            known.at = max(known.at, at)
    for each in beside.items:
        if each.public_id not in own:
            _note_item(row, each, at)
    if isinstance(subject, Item):
        if record.type == REMOVED:
            _remove(row, subject, at)
        else:
            _note_item(row, subject, at)


def _note_item(row: Row, told: Item, at: int) -> None:
    """Keep one item of an order; one that was moved leaves the order that it was in."""
    if told.order is None:
        return
    id_, order = told.public_id, row.orders.get(told.order)
    known = None if order is None else _of(order, id_)
    if known is not None and at < known.at:
        return
    if order is not None and known is None and (at <= order.gone.get(id_, -1) or at < order.as_of):
        return  # it went since, or was not among them when they were all shown
    for other in row.orders.values():
        there = None if other is order else _of(other, id_)
        if there is not None:
            if at < there.at:
                return
            _take(other, id_, at)
    if order is None:
        order = row.orders[told.order] = SeenOrder(told.order)
    order.items = [each for each in order.items if each.entity.public_id != id_]
    order.items.append(Seen(at, told))
    order.at = max(order.at, at)


def _remove(row: Row, told: Item, at: int) -> None:
    """Let an item go, wherever it is; also one that is told of only later."""
    if told.order is not None:
        order = row.orders.setdefault(told.order, SeenOrder(told.order))
        order.gone[told.public_id] = max(at, order.gone.get(told.public_id, 0))
    for order in row.orders.values():
        known = _of(order, told.public_id)
        if known is not None and at >= known.at:
            _take(order, told.public_id, at)


def _take(order: SeenOrder, item: str, at: int) -> None:
    order.items = [each for each in order.items if each.entity.public_id != item]
    order.gone[item] = at
    order.at = max(order.at, at)


def _of(order: SeenOrder, item: str) -> Seen[Item] | None:
    return next((each for each in order.items if each.entity.public_id == item), None)
