"""The row of the table `entities`: what one customer's records and the API have shown.

In msgpack, positional; what is kept under its own id is written without it. A row is bounded: of
each kind the newest `LIMITS` are kept, so what was told longest ago goes first, and an order goes
with its items. What went is asked for again when an event wants it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic

import msgspec
from typing_extensions import TypeVar

from .entities import Address, Entity, Item, Payment, Person, Product, Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kept = TypeVar("Kept", bound=Entity)

LIMITS: Final = {
    "subscriptions": 50,
    "orders": 8,
    "items": 50,  # of one order: one with more counts as not known
    "addresses": 8,
    "payments": 8,
    "products": 50,
}
"""Entities of a row at most, by kind."""


class Seen(msgspec.Struct, Generic[Kept], frozen=True, array_like=True, gc=False):
    """An entity, and the time of what told it last, epoch milliseconds.

    `whole`: the API itself has told it, so a field without a value has none.
    """

    at: int
    entity: Kept
    whole: bool = False


class SeenOrder(msgspec.Struct, array_like=True, gc=False):
    """An order's items. Times are epoch milliseconds.

    `at`: of what told of it last. `whole`: all that there were at `as_of` are here, with what
    became of them since. `gone`: items that it has no more → since when.
    """

    public_id: str
    at: int = 0
    whole: bool = False
    items: list[Seen[Item]] = []
    as_of: int = 0
    gone: dict[str, int] = {}


class Row(msgspec.Struct, gc=False):
    """One customer; changed in place. Times are epoch milliseconds.

    `erased_at`: what was created before is nobody's. `told_at`: how new `person` is. `whole`: who
    told of the person tells all that there is.
    """

    erased_at: int = 0
    person: Person | None = None
    told_at: int = 0
    whole: bool = False
    subscriptions: dict[str, Seen[Subscription]] = {}
    orders: dict[str, SeenOrder] = {}
    addresses: dict[str, Seen[Address]] = {}
    payments: dict[str, Seen[Payment]] = {}
    products: dict[str, Seen[Product]] = {}


class _Stored(msgspec.Struct, array_like=True, gc=False):
    """A `Row`, field by field. Append what it appends."""

    erased_at: int = 0
    person: Person | None = None
    told_at: int = 0
    whole: bool = False
    subscriptions: list[Seen[Subscription]] = []
    orders: list[SeenOrder] = []
    addresses: list[Seen[Address]] = []
    payments: list[Seen[Payment]] = []
    products: list[Seen[Product]] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def encode_row(row: Row) -> bytes:
    """The row as it is kept, within its bounds."""
    return _encoder.encode(
        _Stored(
            row.erased_at,
            row.person,
            row.told_at,
            row.whole,
            _newest("subscriptions", row.subscriptions.values()),
            _newest_orders(row.orders),
            _newest("addresses", row.addresses.values()),
            _newest("payments", row.payments.values()),
            _newest("products", row.products.values()),
        )
    )


def decode_row(value: bytes | None) -> Row:
    """The row of some bytes of the table; a new one where there are none."""
    if value is None:
        return Row()
    kept = _decoder.decode(value)
    return Row(
        kept.erased_at,
        kept.person,
        kept.told_at,
        kept.whole,
        {each.entity.public_id: each for each in kept.subscriptions},
        {each.public_id: each for each in kept.orders},
        {each.entity.public_id: each for each in kept.addresses},
        {each.entity.public_id: each for each in kept.payments},
        {each.entity.id: each for each in kept.products},
    )


def _newest(kind: str, seen: Iterable[Seen[Kept]]) -> list[Seen[Kept]]:
    """The newest of a kind, in the order that they came in."""
    listed, limit = list(seen), LIMITS[kind]
    while len(listed) > limit:
        listed.remove(min(listed, key=lambda each: each.at))
    return listed


def _newest_orders(orders: Mapping[str, SeenOrder]) -> list[SeenOrder]:
    listed, limit = list(orders.values()), LIMITS["orders"]
    while len(listed) > limit:
        listed.remove(min(listed, key=lambda each: each.at))
    largest = LIMITS["items"]
    return [
        each
        if max(len(each.items), len(each.gone)) <= largest
        else SeenOrder(each.public_id, each.at)
        for each in listed
    ]
