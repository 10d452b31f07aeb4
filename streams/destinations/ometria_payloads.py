"""Ometria's payloads: the page "Ordergroove" (seed 002) as a table.

`EVENTS` can be held beside the page, row by row. A subscription created and one cancelled are one
event type there; what tells them apart is `cancellation_reason`, which every cancellation has and
no creation (the page is silent on it).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from streams.model.wording import frequency_description

from .fields import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.model.delivery import MoneyUnit, Options
    from streams.model.enriched import EnrichedEvent
    from streams.model.events import Product

    from .fields import Fields, Table

SUBSCRIPTION = "Ordergroove_subscription_event"
REMINDER = "Ordergroove_order_reminder"

NOT_GIVEN = "not given"
"""The reason of a cancellation that gave none."""


def subscription(event: EnrichedEvent, _: Options) -> Fields:
    """What both of the subscription's events carry."""
    about = event.subscription
    if about is None:
        return {}
    product = about.product
    return told(
        delivery_frequency=frequency_description(about.every, about.every_period),
        detail_url=product.detail_url if product else None,
        image_url=product.image_url if product else None,
        product_set=_products([product]),
    )


def cancellation(event: EnrichedEvent, _: Options) -> Fields:
    """What makes it a cancellation."""
    about = event.subscription
    return {"cancellation_reason": (about.cancel_reason if about else None) or NOT_GIVEN}


def order(event: EnrichedEvent, options: Options) -> Fields:
    """The order that is about to be placed."""
    about = event.order
    if about is None:
        return {}
    return told(
        order_id=about.id,
        product_set=_products(item.product for item in about.items or ()),
        total_value=whole(about.total, options.money_unit),
    )


def whole(amount: str | None, unit: MoneyUnit) -> int | None:
    """Decimal text as a whole number of dollars, or cents, rounded half up: "42.50" → 43."""
    if amount is None:
        return None
    exact = Decimal(amount) * (100 if unit == "minor" else 1)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _products(products: Iterable[Product | None]) -> list[str] | None:
    """Their ids, as text, each once: Ometria has the rest in its own catalogue (contract §3)."""
    return list(dict.fromkeys(each.id for each in products if each is not None)) or None


EVENTS: Mapping[str, tuple[str, Table]] = MappingProxyType(
    {
        "subscription.create": (SUBSCRIPTION, (subscription,)),
        "subscription.cancel": (SUBSCRIPTION, (subscription, cancellation)),
        "order.reminder": (REMINDER, (order,)),
    }
)
"""Event type → its type at Ometria, and what it carries (seed 002)."""
