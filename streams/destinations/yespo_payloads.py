"""Yespo's payloads: which order event is which status, and what an order and an event carry.

contracts/yespo.md §2 and seed 004. What none of the five statuses can say is an event of its own,
with the fields that the other vendors' pages promise of it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from streams.model.wording import amount, iso_seconds

from .fields import (
    contents,
    flat_product,
    out_of_stock,
    prepaid,
    subscriber,
    subscription,
    subscription_total,
    told,
    totals,
)
from .yespo_rules import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Options
    from streams.model.enriched import AddressView, EnrichedEvent, ItemView, OrderView

    from .fields import Fields, Table

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "order.success": "INITIALIZED",
        "order.cancel": "CANCELLED",
        "order.skip_order": "CANCELLED",
        "order.reject": "CANCELLED",
    }
)
"""Event type → status. An upcoming order is none yet: it begins with its placement. Nobody tells
us that one was delivered; a connection that counts revenue by placement says so
(`order_statuses."order.success" = "DELIVERED"`), since only that status feeds it."""


def cancellation(event: EnrichedEvent, _: Options) -> Fields:
    """Why a subscription ended."""
    about = event.subscription
    return told(
        cancel_reason=about.cancel_reason if about else None,
        cancel_reason_code=about.cancel_reason_code if about else None,
    )


def ahead(event: EnrichedEvent, _: Options) -> Fields:
    """How a subscription is paid ahead."""
    return told(has_prepaid=event.prepaid) | prepaid(event.subscription)


def number(event: EnrichedEvent, _: Options) -> Fields:
    """Which order it is: the id by which its statuses come, and the shop's own."""
    about = event.order
    if about is None:
        return {}
    return told(
        order_id=about.id, merchant_order_id=about.merchant_order_id, currency=about.currency_code
    )


def flat_item(event: EnrichedEvent, _: Options) -> Fields:
    """The item's product for texts."""
    return flat_product(event.item.product if event.item else None)


_SUBSCRIBER: Table = (subscriber, subscription_total)
_SUBSCRIPTION: Table = (subscription, ahead)
_ORDER: Table = (number, totals, contents)

EVENTS: Mapping[str, Table] = MappingProxyType(
    {
        "subscriber.create": _SUBSCRIBER,
        "subscriber.cancel": _SUBSCRIBER,
        "subscriber.subscriptions_created": (subscriber,),
        "subscription.create": _SUBSCRIPTION,
        "subscription.reactivate": _SUBSCRIPTION,
        "subscription.cancel": (*_SUBSCRIPTION, cancellation),
        "subscription.change_frequency": _SUBSCRIPTION,
        "subscription.change_payment": _SUBSCRIPTION,
        "subscription.change_quantity": _SUBSCRIPTION,
        "subscription.change_shipping_address": _SUBSCRIPTION,
        "subscription.sku_swap": _SUBSCRIPTION,
        "order.reminder": _ORDER,
        "order.credit_card_expiration_warning": _ORDER,
        "order.cancel": _ORDER,
        "order.success": _ORDER,
        "order.change_next_order_date": _ORDER,
        "order.change_payment": _ORDER,
        "order.change_shipping_address": _ORDER,
        "order.send_now": _ORDER,
        "order.skip_order": _ORDER,
        "order.reject": _ORDER,
        "order.retryable_placement_failure": _ORDER,
        "item.out_of_stock": (out_of_stock, flat_item),
    }
)
"""Event type → what its event carries, where it is not sent as an order's status."""


def order(event: EnrichedEvent, about: OrderView, status: str) -> dict[str, Any]:
    """An order in a status (contract §2): the union of what its documents require."""
    who, items = event.profile, about.items or ()
    return told(
        externalOrderId=about.id,
        **identifiers_of(event),
        firstName=who.first_name,
        lastName=who.last_name,
        totalCost=amount(about.total),
        status=status,
        date=iso_seconds(event.occurred_at),
        currency=about.currency_code,
        shipping=amount(about.shipping_total),
        discount=amount(about.discount_total),
        taxes=amount(about.tax_total),
        statusDescription=about.rejected_message,
        deliveryAddress=_address(about.shipping_address),
        additionalInfo=_information(event, about) or None,
        items=[_item(each) for each in items] or None,
    )


def _item(item: ItemView) -> Fields:
    product = item.product
    return told(
        externalItemId=product.id if product else None,
        name=product.name if product else None,
        quantity=item.quantity,
        cost=_cost(item),
        url=product.detail_url if product else None,
        imageUrl=product.image_url if product else None,
    )


def _cost(item: ItemView) -> float | None:
    """What one of an item costs, discounts taken off: items must add up to the total."""
    if item.total_price is None or not item.quantity:
        return amount(item.price)
    return round(float(item.total_price) / item.quantity, 2)


def _information(event: EnrichedEvent, about: OrderView) -> dict[str, str]:
    """A flat map of texts: nothing else is allowed there."""
    subscriptions = [each.subscription.id for each in about.items or () if each.subscription]
    return told(
        event_type=event.type,
        merchant_order_id=about.merchant_order_id,
        place_date=about.place,
        rejected_code=about.rejected_code,
        subscription_id=",".join(dict.fromkeys(subscriptions)),
    )


def _address(address: AddressView | None) -> str | None:
    """In one line, as Yespo has it."""
    if address is None:
        return None
    lines = (
        address.address,
        address.address2,
        address.city,
        address.state_province_code,
        address.zip_postal_code,
        address.country_code,
    )
    return ", ".join(line for line in lines if line) or None
