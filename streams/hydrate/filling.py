"""What of a row goes into a record's snapshot: only what the record itself does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec import structs

from .absorbing import merged
from .entities import Order, Person
from .wants import items_of, product_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .entities import Entity, Record, What
    from .row import Row
    from .wants import Want

Place = Literal["snapshot", "table", "api"]

LISTS: Final = ("subscriptions", "orders", "items", "addresses", "payments", "products")
"""The lists of a snapshot."""

_LIST_OF: Final[Mapping[What, str]] = {
    "product": "products",
    "payment": "payments",
    "address": "addresses",
}


class Additions(NamedTuple):
    """What a snapshot is to have besides: its customer instead of the one there, more entities."""

    customer: Person | None
    entities: Mapping[str, Sequence[Entity]]

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.customer is not None or any(self.entities.values())


def additions(record: Record, row: Row, wanted: Sequence[Want]) -> Additions:
    """What the row knows of what is wanted, and the record does not tell."""
    found: dict[str, list[Entity]] = {}
    customer = None
    for want in wanted:
        if want.what == "customer":
            customer = _customer(record, row)
        elif want.what == "items":
            found["items"] = _items(record, row)
        else:
            entity = _one(record, row, want)
            if entity is not None:
                found.setdefault(_LIST_OF[want.what], []).append(entity)
    return Additions(customer, found)


def added(added_: Additions, what: What) -> bool:
    """Whether something of a kind is among the additions."""
    if what == "customer":
        return added_.customer is not None
    return bool(added_.entities.get(_LIST_OF.get(what, what)))


def filled(record: Mapping[str, Any], found: Additions) -> dict[str, Any]:
    """A decoded record with the additions in its snapshot; all else is as it was.

    `record` is as `Codec.decode` gives it, with branches: a nullable record may be a pair.
    """
    told = record["snapshot"]
    snapshot = dict((told[1] if isinstance(told, tuple) else told) or _empty())
    if found.customer is not None:
        snapshot["customer"] = structs.asdict(found.customer)
    for name, entities in found.entities.items():
        more = [_plain(each) for each in entities]
        id_ = "id" if name == "products" else "public_id"
        ids = {each[id_] for each in more}
        snapshot[name] = [each for each in snapshot[name] if each[id_] not in ids] + more
    return {**record, "snapshot": snapshot}


def _empty() -> dict[str, Any]:
    return {"customer": None} | {name: [] for name in LISTS}


def _customer(record: Record, row: Row) -> Person | None:
    """The person with what the record does not tell; None: it tells all that is known."""
    own, known = _person(record), row.person
    if known is None:
        return None
    if own is None:
        return known
    named = structs.astuple(own)[:4], structs.astuple(known)[:4]
    if all(told is not None or there is None for told, there in zip(*named, strict=True)):
        return None
    return merged(own, known)


def _person(record: Record) -> Person | None:
    """What a record itself says of the person, by its object or its snapshot."""
    subject, beside = record.object, record.beside.customer
    if not isinstance(subject, Person):
        return beside
    own = Person(*structs.astuple(subject))
    return own if beside is None else merged(own, beside)


def _items(record: Record, row: Row) -> list[Entity]:
    """An order's items with their products, where the record has none."""
    if not isinstance(record.object, Order) or _has_items(record, record.object.public_id):
        return []
    return [structs.replace(each, product=product_of(each, row)) for each in items_of(record, row)]


def _has_items(record: Record, order: str) -> bool:
    return any(each.order == order for each in record.beside.items)


def _one(record: Record, row: Row, want: Want) -> Entity | None:
    """The product, payment or address, unless the record tells the same."""
    if want.what == "product":
        seen = row.products.get(want.id)
        own = [each for each in record.beside.products if each.id == want.id]
        if seen is None or (own and merged(own[-1], seen.entity) == own[-1]):
            return None
        return merged(own[-1], seen.entity) if own else seen.entity
    there, told = (
        (row.payments, record.beside.payments)
        if want.what == "payment"
        else (row.addresses, record.beside.addresses)
    )
    known = there.get(want.id)
    return None if known is None or any(e.public_id == want.id for e in told) else known.entity


def _plain(entity: Entity) -> dict[str, Any]:
    """An entity as a record has it."""
    told = structs.asdict(entity)
    if "components" in told:
        told["components"] = [structs.asdict(each) for each in told["components"]]
    return told
