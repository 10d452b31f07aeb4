"""The subscriber: the state of one customer of one merchant, as a row of the table `subscribers`.

Kept in msgpack (`row_bytes`), positional: **append fields, never reorder or remove them**. Times
are epoch milliseconds. The row is a value: stages make a changed copy (`fork`) and never touch what
they got.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .cards import Cards
from .events import Entitlement, Product, Subscription

Status = Literal["active", "inactive"]


class OrderKey(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """What puts a subscription's events in order, whatever order they arrive in (DESIGN §6)."""

    updated: int
    created: int
    rank: int
    event_id: str


class Stamp(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
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
    """Who the customer is. Field i is as new as `stamps[stamped[i]]`: most were told together.

    A field that nobody told has no stamp (-1).
    """

    email: str | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    stamps: tuple[Stamp, ...] = ()
    stamped: tuple[int, int, int, int] = (-1, -1, -1, -1)


class SeenProduct(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A product's texts and when they were told (the event's `created`)."""

    product: Product
    seen: int


class Checkout(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A checkout: `members` are those not told yet, `closes` the stream time that tells them.

    `closes` is 0 where nothing waits. `told` counts the events told; `touched` is the stream time
    of the newest member. `event_id`, `before` (live subscriptions), `created` (the least of the
    members' events) and `late` (all of them were) say what the next event will say.
    """

    closes: int
    members: tuple[str, ...]
    told: int
    touched: int
    event_id: str
    before: int
    created: int
    late: bool


class Settling(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A subscriber.cancel that waits until stream time `at` for another live subscription.

    `event_id` and `event_type` ended the last one, of `before` live ones.
    """

    at: int
    event_id: str
    event_type: str
    before: int
    late: bool


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
    """Day of stream time → digests of the event ids and guards seen on it, 6 bytes each."""
    entitlements: dict[str, Entitlement] = {}
    products: dict[str, SeenProduct] = {}
    first_out_of_stock: dict[str, int] = {}
    """Subscription (or item) → `created` of the first out-of-stock event of this run."""
    checkouts: dict[str, Checkout] = {}
    """Checkout key → the checkout, for as long as event ids are remembered."""
    settling: Settling | None = None
    customer_created: int | None = None
    """When the customer came to be, if somebody told it."""
    begun: int | None = None
    """`created` of the first event seen of a customer whose past is not known."""
    erased_at: int | None = None
    """When the customer was erased; what was created before is dropped. A row that holds nothing
    else is a marker (`derive.erasure`)."""
    cards: Cards | None = None
    """Upcoming orders and their cards, where warnings are concluded (`derive.cards`)."""
    seeded: bool = False
    """Whether only records of kind `state` have spoken of the customer so far."""
    stated: bool = False
    """Whether a record of kind `state` ever spoke of the customer. One alone is not the whole past:
    `complete` follows with the first record behind the end of the seeding."""

    def live(self) -> tuple[str, ...]:
        """The ids of the live subscriptions."""
        return tuple(id_ for id_, state in self.subscriptions.items() if state.content.live)

    @property
    def active(self) -> int:
        """How many subscriptions are live."""
        count = 0
        for state in self.subscriptions.values():  # the most asked of all: no list, no generator
            if state.content.live:
                count += 1
        return count

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
            self.settling,
            self.customer_created,
            self.begun,
            self.erased_at,
            self.cards,
            self.seeded,
            self.stated,
        )


def _status(active: int, total: int) -> Status | None:
    if not total:
        return None
    return "active" if active else "inactive"


class Standing(msgspec.Struct, frozen=True, gc=False):
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
    active, total = row.active, len(row.subscriptions)
    return Standing(
        _status(active, total),
        active,
        total,
        who.email,
        who.phone_number,
        who.first_name,
        who.last_name,
    )
