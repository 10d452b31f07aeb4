"""Klaviyo's payloads: the page "Information sent to Klaviyo" (seed 001) as tables.

`EVENTS` can be held beside the page, row by row: base payload, then additions. What is not known is
left out, never sent as null or "".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Options
from streams.model.enriched import EnrichedEvent
from streams.model.wording import CARDS, amount, days_between, days_until, frequency_description

from .klaviyo_entitlements import entitlement_fields

if TYPE_CHECKING:
    from streams.model.enriched import ItemView, OrderView, SubscriptionView
    from streams.model.events import Product

Fields = dict[str, Any]
Table = tuple[Callable[[EnrichedEvent, Options], Fields], ...]


def told(**fields: Any) -> Fields:
    """The fields that somebody told us."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _product(product: Product | None, *, price: bool = False) -> Fields | None:
    if product is None:
        return None
    return told(
        detail_url=product.detail_url,
        id=product.id,
        name=product.name,
        sku=product.sku,
        image_url=product.image_url,
        price=amount(product.price) if price else None,
    )


def _frequency(subscription: SubscriptionView) -> Fields:
    return told(
        frequency_days=subscription.frequency_days,
        frequency_description=frequency_description(subscription.every, subscription.every_period),
        id=subscription.id,
    )


def _prepaid(subscription: SubscriptionView | None) -> Fields:
    if subscription is None:
        return {}
    return told(
        prepaid_orders_per_billing=subscription.prepaid_orders_per_billing,
        prepaid_renewal_behavior=subscription.prepaid_renewal_behavior,
    )


def _remaining(subscription: SubscriptionView | None) -> Fields:
    return told(
        prepaid_orders_remaining=subscription.prepaid_orders_remaining if subscription else None
    )


def subscriber(event: EnrichedEvent, _: Options) -> Fields:
    """Base payload — Subscriber events, without the count."""
    who = event.profile
    return told(
        first_name=who.first_name,
        last_name=who.last_name,
        email=who.email,
        phone_number=who.phone_number,
        has_prepaid=event.prepaid,
        subscriptions_subset=[
            _frequency(each)
            | told(quantity=each.quantity)
            | _prepaid(each)
            | told(product=_product(each.product))
            for each in event.subscriptions or ()
        ]
        or None,
    )


def subscription_total(event: EnrichedEvent, _: Options) -> Fields:
    """total_subscriptions_count: the size of the list before it was cut."""
    return told(total_subscriptions_count=event.subscriptions_count)


def subscription(event: EnrichedEvent, options: Options) -> Fields:
    """Base payload — Subscription events."""
    about = event.subscription
    if about is None:
        return {}
    product = about.product
    return (
        _frequency(about)
        | told(
            product=_product(product),
            product_id=product.id if product else None,
            product_name=product.name if product else None,
            product_sku=product.sku if product else None,
            quantity=about.quantity,
            has_prepaid=event.prepaid,
        )
        | _prepaid(about)
        | _remaining(about)
        | told(currency_code=about.currency_code)
        | entitlement_fields(event, options)
    )


def cancellation(event: EnrichedEvent, _: Options) -> Fields:
    """The additions of Subscription Canceled."""
    about = event.subscription
    if about is None:
        return {}
    return told(
        cancel_reason=about.cancel_reason,
        cancel_reason_code=about.cancel_reason_code,
        cancel_reason_message=about.cancel_reason,
    )


def _line(item: ItemView) -> Fields:
    return told(
        product=_product(item.product, price=True),
        subscription=_frequency(item.subscription) if item.subscription else None,
        price=amount(item.price),
        quantity=item.quantity,
        total_price=amount(item.total_price),
    )


def _payment(order: OrderView) -> Fields | None:
    if order.payment is None:
        return None
    return (
        told(
            cc_number_ending=order.payment.cc_number_ending,
            cc_exp_date=order.payment.cc_exp_date,
            cc_type_description=CARDS.get(order.payment.cc_type or 0),
        )
        or None
    )


def order(event: EnrichedEvent, options: Options) -> Fields:
    """Base payload — Order events."""
    about = event.order
    if about is None:
        return {}
    address = about.shipping_address
    return told(
        days_until_place_date=days_until(about.place, event.occurred_at, options.display_zone),
        tries=about.tries,
        discount_total=amount(about.discount_total),
        shipping_total=amount(about.shipping_total),
        sub_total=amount(about.sub_total),
        total=amount(about.total),
        has_prepaid=event.prepaid,
        currency_code=about.currency_code,
        total_items_count=about.items_count,
        items_subset=[_line(item) for item in about.items or ()] or None,
        payment=_payment(about),
        place_date=about.place,
        shipping_address=(told(**msgspec.structs.asdict(address)) or None) if address else None,
    ) | entitlement_fields(event, options)


def rejection(event: EnrichedEvent, _: Options) -> Fields:
    """The additions of Order Rejected; of Order Retry-able Failure where the shop tells them."""
    about = event.order
    return told(
        rejected_code=about.rejected_code if about else None,
        rejected_message=about.rejected_message if about else None,
    )


def item(event: EnrichedEvent, options: Options) -> Fields:
    """The payload of Item Out of Stock."""
    about = event.item
    if about is None:
        return {}
    return (
        told(
            has_prepaid=event.prepaid,
            product=_product(about.product),
            quantity=about.quantity,
            price=amount(about.price),
            currency_code=about.subscription.currency_code if about.subscription else None,
            total_price=amount(about.total_price),
            days_since_first_attempt=days_between(
                about.first_out_of_stock, event.occurred_at, options.display_zone
            ),
        )
        | _prepaid(about.subscription)
        | _remaining(about.subscription)
    )


EVENTS: Mapping[str, Table] = MappingProxyType(
    {
        "subscriber.create": (subscriber, subscription_total),
        "subscriber.cancel": (subscriber, subscription_total),
        "subscriber.subscriptions_created": (subscriber,),
        "subscription.create": (subscription,),
        "subscription.reactivate": (subscription,),
        "subscription.cancel": (subscription, cancellation),
        "subscription.change_frequency": (subscription,),
        "subscription.change_payment": (subscription,),
        "subscription.change_quantity": (subscription,),
        "subscription.change_shipping_address": (subscription,),
        "subscription.sku_swap": (subscription,),
        "order.reminder": (order,),
        "order.credit_card_expiration_warning": (order,),
        "order.cancel": (order,),
        "order.success": (order,),
        "order.change_next_order_date": (order,),
        "order.change_payment": (order,),
        "order.change_shipping_address": (order,),
        "order.send_now": (order,),
        "order.skip_order": (order,),
        "order.reject": (order, rejection),
        "order.retryable_placement_failure": (order, rejection),
        "item.out_of_stock": (item,),
    }
)
"""Event type → what it carries: base payload, then additions (seed 001, in the page's order)."""
