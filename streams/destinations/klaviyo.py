"""Klaviyo: the page "Information sent to Klaviyo" (seed 001) on the wire of contracts/klaviyo.md.

`EVENTS` can be held beside the page, row by row. What is not known is left out, never sent as null
or "". The profile, with the subscriber's status, travels in the event call itself; alone it goes to
profile-import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from streams.model.delivery import (
    Limit,
    Options,
    Outcome,
    Part,
    PartName,
    Refusal,
    Request,
    Response,
    Verdict,
)
from streams.model.enriched import (
    EnrichedEvent,
    ItemView,
    OrderView,
    ProfileView,
    SubscriptionView,
)
from streams.model.events import Product
from streams.model.wording import (
    CARDS,
    amount,
    days_between,
    days_until,
    frequency_description,
    iso_seconds,
)

from .klaviyo_answers import classify
from .klaviyo_entitlements import entitlement_fields
from .klaviyo_limits import LIMITS, refusal_of

REVISION = "2026-07-15"
"""The newest general revision: the first with `backfill` (contract §1)."""

STATUS = "Ordergroove Subscriber Status"

Fields = dict[str, Any]
Table = tuple[Callable[[EnrichedEvent, Options], Fields], ...]


def _told(**fields: Any) -> Fields:
    """The fields that somebody told us."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _product(product: Product | None, *, price: bool = False) -> Fields | None:
    if product is None:
        return None
    return _told(
        detail_url=product.detail_url,
        id=product.id,
        name=product.name,
        sku=product.sku,
        image_url=product.image_url,
        price=amount(product.price) if price else None,
    )


def _frequency(subscription: SubscriptionView) -> Fields:
    return _told(
        frequency_days=subscription.frequency_days,
        frequency_description=frequency_description(subscription.every, subscription.every_period),
        id=subscription.id,
    )


def _prepaid(subscription: SubscriptionView | None) -> Fields:
    if subscription is None:
        return {}
    return _told(
        prepaid_orders_per_billing=subscription.prepaid_orders_per_billing,
        prepaid_renewal_behavior=subscription.prepaid_renewal_behavior,
    )


def _remaining(subscription: SubscriptionView | None) -> Fields:
    return _told(
        prepaid_orders_remaining=subscription.prepaid_orders_remaining if subscription else None
    )


def subscriber(event: EnrichedEvent, _: Options) -> Fields:
    """Base payload — Subscriber events, without the count."""
    who = event.profile
    return _told(
        first_name=who.first_name,
        last_name=who.last_name,
        email=who.email,
        phone_number=who.phone_number,
        has_prepaid=event.prepaid,
        subscriptions_subset=[
            _frequency(each)
            | _told(quantity=each.quantity)
            | _prepaid(each)
            | _told(product=_product(each.product))
            for each in event.subscriptions or ()
        ]
        or None,
    )


def subscription_total(event: EnrichedEvent, _: Options) -> Fields:
    """total_subscriptions_count: the size of the list before it was cut."""
    return _told(total_subscriptions_count=event.subscriptions_count)


def subscription(event: EnrichedEvent, options: Options) -> Fields:
    """Base payload — Subscription events."""
    about = event.subscription
    if about is None:
        return {}
    product = about.product
    return (
        _frequency(about)
        | _told(
            product=_product(product),
            product_id=product.id if product else None,
            product_name=product.name if product else None,
            product_sku=product.sku if product else None,
            quantity=about.quantity,
            has_prepaid=event.prepaid,
        )
        | _prepaid(about)
        | _remaining(about)
        | _told(currency_code=about.currency_code)
        | entitlement_fields(event, options)
    )


def cancellation(event: EnrichedEvent, _: Options) -> Fields:
    """The additions of Subscription Canceled."""
    about = event.subscription
    if about is None:
        return {}
    return _told(
        cancel_reason=about.cancel_reason,
        cancel_reason_code=about.cancel_reason_code,
        cancel_reason_message=about.cancel_reason,
    )


def _line(item: ItemView) -> Fields:
    return _told(
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
        _told(
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
    return (
        _told(
            days_until_place_date=days_until(
                about.place, event.occurred_at, options.display_zone
            ),
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
            shipping_address=(_told(**msgspec.structs.asdict(address)) or None)
            if address
            else None,
        )
        | entitlement_fields(event, options)
    )


def rejection(event: EnrichedEvent, _: Options) -> Fields:
    """The additions of Order Rejected; of Order Retry-able Failure where the shop tells them."""
    about = event.order
    return _told(
        rejected_code=about.rejected_code if about else None,
        rejected_message=about.rejected_message if about else None,
    )


def item(event: EnrichedEvent, options: Options) -> Fields:
    """The payload of Item Out of Stock."""
    about = event.item
    if about is None:
        return {}
    return (
        _told(
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

NAMES: Mapping[str, str] = MappingProxyType(
    {"order.retryable_placement_failure": "order.retryable_placement_failure"}
)
"""Names that the page prints without the usual prefix."""


class Klaviyo:
    """The destination (contracts/klaviyo.md)."""

    name = "klaviyo"
    url = "https://a.klaviyo.com"
    takes = frozenset(EVENTS)
    limits: tuple[Limit, ...] = LIMITS

    def render(
        self, event: EnrichedEvent, delivery_id: str, now: int, options: Options
    ) -> list[Part | Refusal]:
        """One part: the event with its profile, or the profile alone for `profile.changed`."""
        table = EVENTS.get(event.type)
        if table is None:
            body = {"data": {"type": "profile", "attributes": _profile(event.profile)}}
            return [_part("profile", "profile-import", body, event, now, options)]
        properties: Fields = {}
        for fields in table:
            properties |= fields(event, options)
        body = _event_body(event, delivery_id, properties, options)
        return [_part("event", "events", body, event, now, options)]

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The private key's header (contract §1)."""
        return {"authorization": f"Klaviyo-API-Key {credentials}"}

    def classify(self, request: Request, response: Response) -> Verdict:
        """What an answer means (contract §6)."""
        return classify(request, response)


def _part(
    name: PartName, endpoint: str, body: Fields, event: EnrichedEvent, now: int, options: Options
) -> Part | Refusal:
    refused = refusal_of(event, body, now)
    if refused is not None:
        return Refusal(name, Outcome.REJECTED, *refused)
    request = Request(
        method="POST",
        path=f"/api/{endpoint}",
        headers={
            "accept": "application/vnd.api+json",
            "content-type": "application/vnd.api+json",
            "revision": options.revision or REVISION,
        },
        body=body,
        endpoint=endpoint,
    )
    silent = name == "event" and event.late
    return Part(name, request, Outcome.DELIVERED_NO_TRIGGER if silent else Outcome.DELIVERED)


def _event_body(
    event: EnrichedEvent, delivery_id: str, properties: Fields, options: Options
) -> Fields:
    name = (
        options.event_names.get(event.type)
        or NAMES.get(event.type)
        or f"ordergroove.{event.type}"
    )
    attributes: Fields = {
        "metric": {"data": {"type": "metric", "attributes": {"name": name}}},
        "profile": {"data": {"type": "profile", "attributes": _profile(event.profile)}},
        "properties": properties,
        "time": iso_seconds(event.occurred_at),
        "unique_id": delivery_id,
    }
    if event.late:
        attributes["backfill"] = True
    return {"data": {"type": "event", "attributes": attributes}}


def _profile(who: ProfileView) -> Fields:
    """Identifiers that are known good, names, and the status from the row (contract §2, §4)."""
    return _told(
        email=who.email,
        phone_number=who.phone_number,
        first_name=who.first_name,
        last_name=who.last_name,
        properties={STATUS: who.status} if who.status else None,
    )


KLAVIYO = Klaviyo()
