"""Fields that the vendors' pages share to the letter.

Ordergroove's pages promise much the same to several vendors; what they share stands here once, so
that destinations need not know each other. The functions that take an event and options are rows of
a payload table. What is not known is left out, never sent as null or "".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Options, Outcome, Refusal
from streams.model.enriched import EnrichedEvent
from streams.model.wording import CARDS, amount, days_between, frequency_description

if TYPE_CHECKING:
    from streams.model.enriched import ItemView, OrderView, ProfileView, SubscriptionView
    from streams.model.events import Product

Fields = dict[str, Any]
Table = tuple[Callable[[EnrichedEvent, Options], Fields], ...]

LIST_CUT = 25
"""Items of an order that a list in a message's data has (DESIGN §6)."""

NO_DELETION = Refusal("event", Outcome.FILTERED, "no_deletion")
"""Of who was erased, at a vendor whose contract has no call for it."""

STATUS = "Ordergroove Subscriber Status"
"""The one customer property of these pages."""


def told(**fields: Any) -> Fields:
    """The fields that somebody told us."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def is_data(event: EnrichedEvent, options: Options) -> bool:
    """Whether the event is data that must start no flow: it is late, and the connection says so."""
    return event.late and options.late_events == "data"


def standing(who: ProfileView) -> dict[str, str | int | None]:
    """How a customer stands, by the names of `Options.contact_fields`."""
    return {
        "status": who.status,
        "active_subscriptions": who.active_subscriptions,
        "total_subscriptions": who.total_subscriptions,
    }


def subscriber(event: EnrichedEvent, _: Options) -> Fields:
    """Who it is, and the subscriptions that the event is about: the newest of them."""
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
            | prepaid(each)
            | told(product=_product(each.product))
            for each in event.subscriptions or ()
        ]
        or None,
    )


def subscription_total(event: EnrichedEvent, _: Options) -> Fields:
    """total_subscriptions_count: the size of the list before it was cut."""
    return told(total_subscriptions_count=event.subscriptions_count)


def subscription(event: EnrichedEvent, _: Options) -> Fields:
    """A subscription, its product nested and flat."""
    about = event.subscription
    if about is None:
        return {}
    return (
        _frequency(about)
        | told(product=_product(about.product))
        | flat_product(about.product)
        | told(quantity=about.quantity)
    )


def prepaid(about: SubscriptionView | None) -> Fields:
    """How a subscription is paid ahead."""
    if about is None:
        return {}
    return told(
        prepaid_orders_per_billing=about.prepaid_orders_per_billing,
        prepaid_renewal_behavior=about.prepaid_renewal_behavior,
    )


def flat_product(product: Product | None) -> Fields:
    """A product for texts, which cannot look into an object."""
    if product is None:
        return {}
    return told(product_id=product.id, product_name=product.name, product_sku=product.sku)


def totals(event: EnrichedEvent, _: Options) -> Fields:
    """What an order costs."""
    about = event.order
    if about is None:
        return {}
    return told(
        discount_total=amount(about.discount_total),
        shipping_total=amount(about.shipping_total),
        sub_total=amount(about.sub_total),
        total=amount(about.total),
    )


def contents(event: EnrichedEvent, _: Options) -> Fields:
    """What is in an order, how it is paid, when it is placed and where it goes."""
    about = event.order
    if about is None:
        return {}
    address = about.shipping_address
    return told(
        items_subset=[_line(item) for item in (about.items or ())[:LIST_CUT]] or None,
        payment=_payment(about),
        place_date=about.place,
        shipping_address=(told(**msgspec.structs.asdict(address)) or None) if address else None,
    )


def out_of_stock(event: EnrichedEvent, options: Options) -> Fields:
    """An item that could not be had, and since when."""
    about = event.item
    if about is None:
        return {}
    return told(
        product=_product(about.product),
        quantity=about.quantity,
        price=amount(about.price),
        total_price=amount(about.total_price),
        days_since_first_attempt=days_between(
            about.first_out_of_stock, event.occurred_at, options.display_zone
        ),
    )


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


def _frequency(about: SubscriptionView) -> Fields:
    return told(
        frequency_days=about.frequency_days,
        frequency_description=frequency_description(about.every, about.every_period),
        id=about.id,
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
