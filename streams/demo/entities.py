"""What the demo's shop consists of: people, subscriptions, orders, as the source knows them.

Plain values that `streams.demo.stories` changes and `streams.demo.bodies` writes down. Times are
epoch seconds, money is `Decimal`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

    from streams.demo.catalog import Town


@dataclass(eq=False)
class Payment:
    """A payment method; PayPal's has no digits and the filler 12/2099."""

    id: str
    ending: str | None
    expires: str
    card: int | None
    created: int


@dataclass(eq=False)
class Address:
    """A shipping address."""

    id: str
    street: str
    second: str | None
    town: Town
    created: int


@dataclass(eq=False)
class Customer:
    """A person. `phone` is E.164 or something that is no number; `told` is what was last edited."""

    id: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    currency: str
    created: int
    last_updated: int
    payment: Payment
    address: Address
    busy_until: int = 0
    subscriptions: list[Subscription] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    products: set[str] = field(default_factory=set)
    """Every product ever subscribed to: a swap goes to a new one."""

    @property
    def live(self) -> list[Subscription]:
        """Those of their subscriptions that are active."""
        return [one for one in self.subscriptions if one.live]


@dataclass(eq=False)
class Subscription:
    """One subscription; `told_currency` says whether the source tells its currency at all."""

    id: str
    customer: Customer
    product: str
    quantity: int
    frequency: tuple[int, int, int]
    created: int
    updated: int
    payment: Payment
    address: Address
    checkout: str
    session: str | None
    told_currency: bool
    prepaid: dict[str, Any] | None
    extra: Any
    live: bool = True
    cancelled: int | None = None
    reason: tuple[str | None, int | str | None] = (None, None)
    """(cancel_reason, cancel_reason_code) as the source writes them."""


@dataclass(eq=False)
class Item:
    """A line of an order; a sample or gift has no subscription."""

    id: str
    subscription: Subscription | None
    product: str
    quantity: int
    price: Decimal

    @property
    def total(self) -> Decimal:
        """What the line costs."""
        return self.price * self.quantity


@dataclass(eq=False)
class Order:
    """An upcoming shipment. `place` is a day, YYYY-MM-DD."""

    id: str
    customer: Customer
    items: list[Item]
    payment: Payment
    address: Address
    created: int
    place: str
    told_currency: bool
    shipping: Decimal
    discount: Decimal
    tries: int = 0
    errors: int = 0
    status: tuple[int, str] = (1, "Unsent")
    rejected_message: str | None = None
    placed_as: str | None = None
