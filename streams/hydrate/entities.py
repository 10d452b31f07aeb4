"""What hydrate looks at of a record, and what it keeps of its entities.

The entities have all the fields of `avro_schemas/sources/ordergroove.avsc`, since they go into
other records as they are. Rows keep them positional: **append fields, never reorder or remove
them**. Ordergroove's tokens and holders of cards are no fields of a record, so none is ever kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

What = Literal["customer", "product", "items", "payment", "address"]
"""What an event may lack; `items` are an order's."""


class Entity(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is kept."""


class Person(Entity, frozen=True):
    """Who the customer is."""

    email: str | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    created: int | None = None
    last_updated: int | None = None
    locale: str | None = None


class Subscriber(Person, frozen=True):
    """The object of `subscriber.*` and `customer.state`: as whole as the API's customer (§1.3)."""


class Communication(Person, frozen=True):
    """The object of `workflow.*`: tells of the person what the message needed."""


class Subscription(Entity, frozen=True):
    """A subscription, as far as its product goes."""

    public_id: str
    product: str | None = None
    updated: int | None = None


class Order(Entity, frozen=True):
    """What an order refers to."""

    public_id: str
    payment: str | None = None
    shipping_address: str | None = None


class Component(Entity, frozen=True):
    """One of a bundle's products."""

    product: str
    public_id: str | None = None
    quantity: int | None = None


class Item(Entity, frozen=True):
    """One line of an order."""

    public_id: str
    order: str | None = None
    subscription: str | None = None
    product: str | None = None
    offer: str | None = None
    quantity: int | None = None
    price: str | None = None
    total_price: str | None = None
    first_placed: int | None = None
    components: tuple[Component, ...] = ()


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
    """A payment method."""

    public_id: str
    cc_number_ending: str | None = None
    cc_exp_date: str | None = None
    cc_type: int | None = None
    payment_method: str | None = None


class Product(Entity, frozen=True):
    """A product as the shop describes it."""

    id: str
    name: str | None = None
    sku: str | None = None
    image_url: str | None = None
    detail_url: str | None = None
    price: str | None = None


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The entities beside a record's object."""

    customer: Person | None = None
    subscriptions: tuple[Subscription, ...] = ()
    items: tuple[Item, ...] = ()
    addresses: tuple[Address, ...] = ()
    payments: tuple[Payment, ...] = ()
    products: tuple[Product, ...] = ()


NO_SNAPSHOT = Snapshot()


class Record(msgspec.Struct, frozen=True, gc=False):
    """What is looked at of a record; `created` is epoch milliseconds.

    `object` is None for what hydrate fills nothing in by (entitlements).
    """

    type: str
    created: int
    merchant: str
    customer_id: str
    kind: Literal["event", "state", "erase"]
    object: Person | Subscription | Order | Item | None
    snapshot: Snapshot | None

    @property
    def beside(self) -> Snapshot:
        """The snapshot, also where there is none."""
        return self.snapshot or NO_SNAPSHOT


STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    "OrdergrooveRecord": Record,
    "Subscriber": Subscriber,
    "Communication": Communication,
    "Subscription": Subscription,
    "Order": Order,
    "Item": Item,
    "Component": Component,
    "Snapshot": Snapshot,
    "Customer": Person,
    "Address": Address,
    "Payment": Payment,
    "Product": Product,
}
"""Record of the schema → the struct that it becomes."""
