"""The enriched event: an event plus what the row knows; the only thing destinations ever see.

Mirrors `avro_schemas/events/enriched.avsc`, where each field is explained. Times are epoch
milliseconds, money is decimal text; None means that nobody told us.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .events import Address, Entity, Payment, Product
from .loyalty import POINTS_REDEEMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .events import Entitlement
    from .loyalty import LoyaltyTransaction


class Because(Entity, frozen=True):
    """Why a derived event was concluded: the revealing event, and the counts around it."""

    event_id: str
    active_before: int
    active_after: int
    text: str


class ProfileView(Entity, frozen=True):
    """Who the customer is, and how they stand, after the event."""

    active_subscriptions: int
    total_subscriptions: int
    ever_subscribed: bool
    version: int
    generation: int = 0
    email: str | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    status: str | None = None


class SubscriptionView(Entity, frozen=True):
    """A subscription as the row knows it after the event."""

    id: str
    live: bool
    quantity: int | None = None
    frequency_days: int | None = None
    every: int | None = None
    every_period: int | None = None
    product: Product | None = None
    currency_code: str | None = None
    prepaid: bool | None = None
    prepaid_orders_remaining: int | None = None
    prepaid_orders_per_billing: int | None = None
    prepaid_renewal_behavior: str | None = None
    cancel_reason: str | None = None
    cancel_reason_code: int | None = None
    created: int | None = None


class ItemView(Entity, frozen=True):
    """A line of an order."""

    id: str
    quantity: int | None = None
    price: str | None = None
    total_price: str | None = None
    product: Product | None = None
    subscription: SubscriptionView | None = None
    order_id: str | None = None
    first_out_of_stock: int | None = None


class PaymentView(Entity, frozen=True):
    """How an order is paid."""

    cc_number_ending: str | None = None
    cc_exp_date: str | None = None
    cc_type: int | None = None


class AddressView(Entity, frozen=True):
    """Where an order goes."""

    address: str | None = None
    address2: str | None = None
    city: str | None = None
    state_province_code: str | None = None
    zip_postal_code: str | None = None
    country_code: str | None = None


class OrderView(Entity, frozen=True):
    """An order with what the snapshot or the row told of it."""

    id: str
    place: str | None = None
    tries: int | None = None
    sub_total: str | None = None
    tax_total: str | None = None
    shipping_total: str | None = None
    discount_total: str | None = None
    total: str | None = None
    currency_code: str | None = None
    rejected_code: str | None = None
    rejected_message: str | None = None
    merchant_order_id: str | None = None
    items: list[ItemView] | None = None
    items_count: int | None = None
    payment: PaymentView | None = None
    shipping_address: AddressView | None = None


class EntitlementView(Entity, frozen=True):
    """Access to a digital resource, tied to the event's subject."""

    id: str
    live: bool | None = None
    access_type: str | None = None
    expires_at: int | None = None
    grace_period: int | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    product: str | None = None


class MemberView(Entity, frozen=True):
    """How a member of a loyalty programme stands after the event; balance is decimal text.

    `cleared` names fields, with spaces between, that were told before and hold no longer.
    """

    status: str | None = None
    tier: str | None = None
    enrolled_at: int | None = None
    balance: str | None = None
    next_birthday: str | None = None
    points_expire_at: int | None = None
    tier_expires_at: int | None = None
    cleared: str | None = None


class PointsView(Entity, frozen=True):
    """Points earned, redeemed (a positive number) or adjusted (with its sign); decimal text."""

    transaction_id: str
    amount: str | None = None
    action: str | None = None
    description: str | None = None
    coupon_code: str | None = None
    coupon_description: str | None = None
    coupon_expires_at: int | None = None
    store_credit: str | None = None


class TierView(Entity, frozen=True):
    """A change of tier. `is_upgrade` is None where nobody says how the tiers are ordered."""

    old: str | None = None
    new: str | None = None
    expires_at: int | None = None
    is_upgrade: bool | None = None


class EnrichedEvent(Entity, frozen=True):
    """What travels on a delivery topic."""

    event_id: str
    type: str
    occurred_at: int
    merchant: str
    customer_id: str
    source_event_id: str
    profile: ProfileView
    late: bool = False
    because: Because | None = None
    subscription: SubscriptionView | None = None
    subscriptions: list[SubscriptionView] | None = None
    subscriptions_count: int | None = None
    prepaid: bool | None = None
    item: ItemView | None = None
    order: OrderView | None = None
    entitlements: list[EntitlementView] | None = None
    member: MemberView | None = None
    points: PointsView | None = None
    tier: TierView | None = None


STRUCTS: Mapping[str, type[Entity]] = MappingProxyType(
    {
        "EnrichedEvent": EnrichedEvent,
        "Because": Because,
        "Profile": ProfileView,
        "Subscription": SubscriptionView,
        "Product": Product,
        "Item": ItemView,
        "Order": OrderView,
        "Payment": PaymentView,
        "Address": AddressView,
        "Entitlement": EntitlementView,
        "Member": MemberView,
        "Points": PointsView,
        "Tier": TierView,
    }
)
"""Record of the schema → its struct."""


def payment_view(payment: Payment) -> PaymentView:
    """A payment method without its id."""
    return PaymentView(payment.cc_number_ending, payment.cc_exp_date, payment.cc_type)


def address_view(address: Address) -> AddressView:
    """An address without its id."""
    return AddressView(
        address.address,
        address.address2,
        address.city,
        address.state_province_code,
        address.zip_postal_code,
        address.country_code,
    )


def entitlement_view(entitlement: Entitlement, product: str | None) -> EntitlementView:
    """An entitlement of the subscription to a product."""
    return EntitlementView(
        id=entitlement.public_id,
        live=entitlement.live,
        access_type=entitlement.access_type,
        expires_at=entitlement.expiration,
        grace_period=entitlement.grace_period,
        resource_id=entitlement.resource_public_id,
        resource_name=entitlement.resource_name,
        product=product,
    )


def points_view(told: LoyaltyTransaction, event_type: str) -> PointsView:
    """A transaction's points. Which sign a redemption has is not documented: points are spent."""
    amount = told.amount
    if event_type == POINTS_REDEEMED and amount is not None:
        amount = amount.removeprefix("-")
    return PointsView(
        told.transaction_id,
        amount,
        told.action,
        told.description,
        told.coupon_code,
        told.coupon_description,
        told.coupon_expires_at,
        told.store_credit,
    )
