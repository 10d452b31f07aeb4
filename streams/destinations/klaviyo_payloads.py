"""Klaviyo's payloads: the page "Information sent to Klaviyo" (seed 001) as tables.

`EVENTS` can be held beside the page, row by row: base payload, then additions. What is not known is
left out, never sent as null or "".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from streams.model.wording import days_until

from . import fields
from .fields import prepaid, subscriber, subscription_total, told
from .klaviyo_entitlements import entitlement_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Options
    from streams.model.enriched import EnrichedEvent, SubscriptionView

    from .fields import Fields, Table


def _remaining(about: SubscriptionView | None) -> Fields:
    return told(prepaid_orders_remaining=about.prepaid_orders_remaining if about else None)


def subscription(event: EnrichedEvent, options: Options) -> Fields:
    """Base payload — Subscription events."""
    about = event.subscription
    if about is None:
        return {}
    return (
        fields.subscription(event, options)
        | told(has_prepaid=event.prepaid)
        | prepaid(about)
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


def order(event: EnrichedEvent, options: Options) -> Fields:
    """Base payload — Order events."""
    about = event.order
    if about is None:
        return {}
    return (
        told(
            days_until_place_date=days_until(about.place, event.occurred_at, options.display_zone),
            tries=about.tries,
        )
        | fields.totals(event, options)
        | told(
            has_prepaid=event.prepaid,
            currency_code=about.currency_code,
            total_items_count=about.items_count,
        )
        | fields.contents(event, options)
        | entitlement_fields(event, options)
    )


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
        told(has_prepaid=event.prepaid)
        | fields.out_of_stock(event, options)
        | told(currency_code=about.subscription.currency_code if about.subscription else None)
        | prepaid(about.subscription)
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
