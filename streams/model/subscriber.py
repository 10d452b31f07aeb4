"""The subscriber: the state of one customer of one merchant, as a row of the table `subscribers`.

Kept in msgpack, positional: **append fields, never reorder or remove them**. Times are epoch
milliseconds. The row is a value: stages make a changed copy (`fork`) and never touch what they got.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from .events import Entitlement, Product, Subscription

Status = Literal["active", "inactive"]


class OrderKey(NamedTuple):
    """What puts a subscription's events in order, whatever order they arrive in (DESIGN §6)."""

    updated: int
    created: int
    rank: int
    event_id: str


class Stamp(NamedTuple):
    """How new a profile field is: the newest of (last_updated, created, event id) wins."""

    last_updated: int
    created: int
    event_id: str


class Reactivations(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was announced of a subscription's reactivations.

    `announced`: the `updated` of those announced, newest last; `cycle`: the event types that came
    since the last cancel, in arrival order, which pairs `change_live` with `reactivate`.
    """

    announced: tuple[int, ...] = ()
    cycle: tuple[str, ...] = ()


class SubscriptionState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One subscription: its newest content, and what orders and announces its events."""

    content: Subscription
    key: OrderKey
    died_in: int = 0
    """Spell of being active in which it died; 0 while it lives or where it never counted."""
    reactivations: Reactivations = Reactivations()


class Profile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who the customer is; `stamps[i]` says how new field i is."""

    email: str | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    stamps: tuple[Stamp | None, Stamp | None, Stamp | None, Stamp | None] = (None, None, None, None)


class SeenProduct(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A product's texts and when they were told (the event's `created`)."""

    product: Product
    seen: int


class Checkout(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A checkout whose members are still arriving; `closes` is stream time."""

    closes: int
    members: tuple[str, ...]
    announced: int = 0


class Subscriber(msgspec.Struct, array_like=True):
    """The row. `version` rises by one at each change of what destinations may be told."""

    version: int = 0
    profile: Profile = Profile()
    subscriptions: dict[str, SubscriptionState] = {}
    ever_subscribed: bool = False
    complete: bool = False
    """Whether all of this customer's past is known."""
    spell: int = 0
    """How many times the customer became active."""
    last_cancel: tuple[str, int] | None = None
    """Subscription and `updated` of the last subscriber.cancel, which is told once."""
    seen: dict[int, bytes] = {}
    """Day of stream time → digests of the event ids and guards seen on it, 8 bytes each."""
    entitlements: dict[str, Entitlement] = {}
    products: dict[str, SeenProduct] = {}
    first_out_of_stock: dict[str, int] = {}
    """Subscription (or item) → `created` of the first out-of-stock event of this run."""
    checkouts: dict[str, Checkout] = {}
    settles_at: int | None = None
    """Stream time at which a pending subscriber.cancel is decided."""

    def live(self) -> tuple[str, ...]:
        """The ids of the live subscriptions."""
        return tuple(id_ for id_, state in self.subscriptions.items() if state.content.live)

    @property
    def active(self) -> int:
        """How many subscriptions are live."""
        return sum(state.content.live for state in self.subscriptions.values())

    @property
    def total(self) -> int:
        """How many subscriptions were ever seen."""
        return len(self.subscriptions)

    @property
    def status(self) -> Status | None:
        """Active with at least one live subscription; None while none was ever seen."""
        return _status(self.active, self.total)

    def fork(self) -> Subscriber:
        """A copy to change: containers are copied, what they hold is immutable."""
        return Subscriber(
            self.version,
            self.profile,
            self.subscriptions.copy(),
            self.ever_subscribed,
            self.complete,
            self.spell,
            self.last_cancel,
            self.seen.copy(),
            self.entitlements.copy(),
            self.products.copy(),
            self.first_out_of_stock.copy(),
            self.checkouts.copy(),
            self.settles_at,
        )


def _status(active: int, total: int) -> Status | None:
    if not total:
        return None
    return "active" if active else "inactive"


class Standing(NamedTuple):
    """What destinations are told of a person: whatever changes here makes `profile.changed`."""

    status: Status | None
    active: int
    total: int
    email: str | None
    phone_number: str | None
    first_name: str | None
    last_name: str | None


def standing(row: Subscriber) -> Standing:
    """The row's standing."""
    who = row.profile
    active, total = row.active, row.total
    return Standing(
        _status(active, total),
        active,
        total,
        who.email,
        who.phone_number,
        who.first_name,
        who.last_name,
    )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Subscriber)


def encode_row(row: Subscriber) -> bytes:
    """The row as it is kept in the table and its changelog."""
    return _encoder.encode(row)


def decode_row(value: bytes) -> Subscriber:
    """The row of some bytes of the table."""
    return _decoder.decode(value)


def row_due(row: Subscriber) -> int:
    """Stream time of the row's next timer, epoch milliseconds; 0 for none."""
    times = [checkout.closes for checkout in row.checkouts.values()]
    if row.settles_at is not None:
        times.append(row.settles_at)
    return min(times, default=0)
