"""Attentive's payloads: the page "Information sent to Attentive" (seed 000) as a table.

`EVENTS` can be held beside the page, row by row. Texts can use flat fields only, e-mails nested
ones too: both are sent. A newer edition of the page tells them apart and names more of a subscriber
event: has_prepaid, total_subscriptions_count (create and cancel), and how each subscription is
prepaid. Those are sent beside what the seed has.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .fields import (
    contents,
    flat_product,
    out_of_stock,
    subscriber,
    subscription,
    subscription_total,
    told,
    totals,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Options
    from streams.model.enriched import EnrichedEvent

    from .fields import Fields, Table


def rejection(event: EnrichedEvent, _: Options) -> Fields:
    """Why an order was rejected: this page's names for it."""
    about = event.order
    return told(
        reject_reason=about.rejected_message if about else None,
        reject_code=about.rejected_code if about else None,
    )


def flat_item(event: EnrichedEvent, _: Options) -> Fields:
    """The item's product for texts, named as in subscription events: ours, the page has none."""
    return flat_product(event.item.product if event.item else None)


EVENTS: Mapping[str, Table] = MappingProxyType(
    {
        "subscriber.create": (subscriber, subscription_total),
        "subscriber.cancel": (subscriber, subscription_total),
        "subscriber.subscriptions_created": (subscriber,),
        "subscription.create": (subscription,),
        "subscription.cancel": (subscription,),
        "subscription.change_frequency": (subscription,),
        "subscription.change_payment": (subscription,),
        "subscription.change_quantity": (subscription,),
        "subscription.change_shipping_address": (subscription,),
        "subscription.sku_swap": (subscription,),
        "order.reminder": (totals, contents),
        "order.credit_card_expiration_warning": (totals, contents),
        "order.cancel": (totals, contents),
        "order.success": (totals, contents),
        "order.change_next_order_date": (totals, contents),
        "order.change_payment": (totals, contents),
        "order.change_shipping_address": (totals, contents),
        "order.reject": (totals, rejection, contents),
        "order.send_now": (totals, contents),
        "order.skip_order": (totals, contents),
        "item.out_of_stock": (out_of_stock, flat_item),
    }
)
"""Event type → what it carries (seed 000, in the page's order)."""
