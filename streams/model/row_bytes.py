"""A row's bytes, as the table and its changelog keep them: msgpack, positional.

What is kept under its own id is written without the key: with a million customers in memory each
byte of a row is a megabyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from .cards import Cards
from .events import Entitlement
from .subscriber import (
    Checkout,
    Profile,
    SeenProduct,
    Settling,
    Subscriber,
    SubscriptionState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Stored(msgspec.Struct, array_like=True, gc=False):
    """A `Subscriber`, field by field. Append what it appends."""

    version: int = 0
    profile: Profile = Profile()
    subscriptions: list[SubscriptionState] = []
    ever_subscribed: bool = False
    complete: bool = False
    spell: int = 0
    last_cancel: tuple[str, int] | None = None
    seen: dict[int, bytes] = {}
    entitlements: list[Entitlement] = []
    products: list[SeenProduct] = []
    first_out_of_stock: dict[str, int] = {}
    checkouts: dict[str, Checkout] = {}
    settling: Settling | None = None
    customer_created: int | None = None
    begun: int | None = None
    erased_at: int | None = None
    cards: Cards | None = None
    seeded: bool = False
    stated: bool = False


class _Closes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first field of a `Checkout`."""

    closes: int


class _At(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first field of a `Settling`."""

    at: int


class _Checked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first field of `Cards`."""

    check_at: int


class _Timers(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A `Subscriber` of which only what holds timers is looked at; the rest is passed over."""

    version: msgspec.Raw
    profile: msgspec.Raw = msgspec.Raw()
    subscriptions: msgspec.Raw = msgspec.Raw()
    ever_subscribed: msgspec.Raw = msgspec.Raw()
    complete: msgspec.Raw = msgspec.Raw()
    spell: msgspec.Raw = msgspec.Raw()
    last_cancel: msgspec.Raw = msgspec.Raw()
    seen: msgspec.Raw = msgspec.Raw()
    entitlements: msgspec.Raw = msgspec.Raw()
    products: msgspec.Raw = msgspec.Raw()
    first_out_of_stock: msgspec.Raw = msgspec.Raw()
    checkouts: dict[str, _Closes] = {}
    settling: _At | None = None
    customer_created: msgspec.Raw = msgspec.Raw()
    begun: msgspec.Raw = msgspec.Raw()
    erased_at: msgspec.Raw = msgspec.Raw()
    cards: _Checked | None = None


class _Due(Protocol):
    """What says when a row's timers are due."""

    @property
    def checkouts(self) -> Mapping[str, _Closes | Checkout]:
        """By their keys."""

    @property
    def settling(self) -> _At | Settling | None:
        """The cancel that waits."""

    @property
    def cards(self) -> _Checked | Cards | None:
        """The check of cards that waits."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)
_timers_decoder = msgspec.msgpack.Decoder(_Timers)


def encode_row(row: Subscriber) -> bytes:
    """The row as it is kept."""
    return _encoder.encode(
        _Stored(
            row.version,
            row.profile,
            list(row.subscriptions.values()),
            row.ever_subscribed,
            row.complete,
            row.spell,
            row.last_cancel,
            row.seen,
            list(row.entitlements.values()),
            list(row.products.values()),
            row.first_out_of_stock,
            row.checkouts,
            row.settling,
            row.customer_created,
            row.begun,
            row.erased_at,
            row.cards,
            row.seeded,
            row.stated,
        )
    )


def decode_row(value: bytes) -> Subscriber:
    """The row of some bytes of the table."""
    kept = _decoder.decode(value)
    return Subscriber(
        kept.version,
        kept.profile,
        {each.content.public_id: each for each in kept.subscriptions},
        kept.ever_subscribed,
        kept.complete,
        kept.spell,
        kept.last_cancel,
        kept.seen,
        {each.public_id: each for each in kept.entitlements},
        {each.product.id: each for each in kept.products},
        kept.first_out_of_stock,
        kept.checkouts,
        kept.settling,
        kept.customer_created,
        kept.begun,
        kept.erased_at,
        kept.cards,
        kept.seeded,
        kept.stated,
    )


def due_of(value: bytes) -> int:
    """`row_due` of a row's bytes, without decoding the row: a restore asks it of every row."""
    return row_due(_timers_decoder.decode(value))


def row_due(row: _Due) -> int:
    """Stream time of the row's next timer, epoch milliseconds; 0 for none."""
    if not row.checkouts and row.settling is None and row.cards is None:
        return 0
    times = [each.closes for each in row.checkouts.values() if each.closes]
    if row.settling is not None:
        times.append(row.settling.at)
    if row.cards is not None and row.cards.check_at:
        times.append(row.cards.check_at)
    return min(times, default=0)
