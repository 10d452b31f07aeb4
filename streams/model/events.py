"""Events: facts in our vocabulary, decoded from a source record.

The entities mirror `avro_schemas/sources/ordergroove.avsc`, where each field is explained.
Times are epoch milliseconds, money is decimal text, ids are the source's own.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

Kind = Literal["event", "state", "erase"]


class AnyEvent(Protocol):
    """What every source's events have."""

    @property
    def event_id(self) -> str:
        """The source's own id."""

    @property
    def type(self) -> str:
        """What it is."""

    @property
    def created(self) -> int:
        """When it happened, or was said to have."""

    @property
    def merchant(self) -> str:
        """Whose shop it is of."""

    @property
    def customer_id(self) -> str:
        """Whom it is about."""

    @property
    def guard(self) -> bytes:
        """Stands for what it says: the same under another id is a repetition."""


class Entity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What all entities are: immutable, compared by value."""


class Kept(Entity, frozen=True, array_like=True):
    """What a row keeps of them, positional: **append fields, never reorder or remove them**."""


class Prepaid(Kept, frozen=True):
    """A prepayment; a subscription without one has none."""

    orders_remaining: int | None = None
    orders_per_billing: int | None = None
    renewal_behavior: str | None = None


class Subscription(Kept, frozen=True):
    """A subscription, by the event or in a snapshot."""

    public_id: str
    live: bool
    updated: int
    product: str | None = None
    quantity: int | None = None
    currency_code: str | None = None
    frequency_days: int | None = None
    every: int | None = None
    every_period: int | None = None
    cancel_reason: str | None = None
    cancel_reason_code: int | None = None
    session_id: str | None = None
    merchant_order_id: str | None = None
    created: int | None = None
    prepaid: Prepaid | None = None


class Item(Entity, frozen=True):
    """One line of an order."""

    public_id: str
    order: str | None = None
    subscription: str | None = None
    product: str | None = None
    quantity: int | None = None
    price: str | None = None
    total_price: str | None = None

    @property
    def stock_key(self) -> str:
        """What an out-of-stock run belongs to: the subscription, as items are new each order."""
        return self.subscription or self.public_id


class Order(Entity, frozen=True):
    """One upcoming or placed shipment."""

    public_id: str
    payment: str | None = None
    shipping_address: str | None = None
    sub_total: str | None = None
    tax_total: str | None = None
    shipping_total: str | None = None
    discount_total: str | None = None
    total: str | None = None
    currency_code: str | None = None
    created: int | None = None
    place: str | None = None
    tries: int | None = None
    status: int | None = None
    order_merchant_id: str | None = None
    rejected_code: str | None = None
    rejected_message: str | None = None


class Entitlement(Kept, frozen=True):
    """Access to a digital resource."""

    public_id: str
    access_type: str | None = None
    created: int | None = None
    last_updated: int | None = None
    expiration: int | None = None
    grace_period: int | None = None
    live: bool | None = None
    resource_public_id: str | None = None
    resource_name: str | None = None
    source_object: str | None = None
    source_object_id: str | None = None


class Entitlements(Entity, frozen=True):
    """Entitlements of one customer that changed together."""

    entitlements: tuple[Entitlement, ...]


class Person(Entity, frozen=True):
    """Who somebody is: `subscriber.*`, `workflow.*` and the snapshot's customer all tell it."""

    email: str | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    created: int | None = None
    last_updated: int | None = None
    subscriptions: tuple[str, ...] = ()
    """Those that were created together (`subscriber.subscriptions_created`)."""


class Address(Entity, frozen=True):
    """A shipping address."""

    public_id: str
    address: str | None = None
    address2: str | None = None
    city: str | None = None
    state_province_code: str | None = None
    zip_postal_code: str | None = None
    country_code: str | None = None


class Payment(Entity, frozen=True):
    """A payment method, without token or holder."""

    public_id: str
    cc_number_ending: str | None = None
    cc_exp_date: str | None = None
    cc_type: int | None = None


class Product(Kept, frozen=True):
    """A product as the shop describes it."""

    id: str
    name: str | None = None
    sku: str | None = None
    image_url: str | None = None
    detail_url: str | None = None
    price: str | None = None


class Snapshot(Entity, frozen=True):
    """Entities beside the event's own object; empty where the webhook had none.

    Orders are not among them: nobody asks for another than the event's own.
    """

    customer: Person | None = None
    subscriptions: tuple[Subscription, ...] = ()
    items: tuple[Item, ...] = ()
    addresses: tuple[Address, ...] = ()
    payments: tuple[Payment, ...] = ()
    products: tuple[Product, ...] = ()


NO_SNAPSHOT = Snapshot()


class Event(Entity, frozen=True):
    """One fact of the source, decoded.

    `subject` is the event's own object; `guard` stands for (type, object, `updated` or `created`,
    the object's content): two records with one guard are the same fact under two event ids.
    """

    event_id: str
    type: str
    created: int
    merchant: str
    customer_id: str
    guard: bytes
    subject: Subscription | Order | Item | Entitlements | Person
    kind: Kind = "event"
    source: str | None = None
    received_at: int = 0
    snapshot: Snapshot = NO_SNAPSHOT
