"""Attentive's page "Information sent to Attentive" (seed 000), typed in as data.

`PAGE` has a row for each of its events: the name it prints and the path of every field, in the
page's order. `[]` after a name says that it is a list; all of them stand inside the event's
`properties`. What goes beyond the seed stands apart: `NEWER` and `OURS`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.support.pages import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS = "Ordergroove Subscriber Status"
"""The one customer property."""

SUBSCRIBER = (
    "first_name",
    "last_name",
    "email",
    "phone_number",
    "subscriptions_subset[].frequency_days",
    "subscriptions_subset[].frequency_description",
    "subscriptions_subset[].id",
    "subscriptions_subset[].quantity",
    *(
        f"subscriptions_subset[].product.{field}"
        for field in ("id", "name", "sku", "image_url", "detail_url")
    ),
)
SUBSCRIPTION = (
    "frequency_days",
    "frequency_description",
    "id",
    *(f"product.{field}" for field in ("detail_url", "id", "name", "sku", "image_url")),
    "product_id",
    "product_name",
    "product_sku",
    "quantity",
)
TOTALS = ("discount_total", "shipping_total", "sub_total", "total")
REJECTION = ("reject_reason", "reject_code")
CONTENTS = (
    *(
        f"items_subset[].product.{field}"
        for field in ("detail_url", "id", "image_url", "name", "price", "sku")
    ),
    "items_subset[].subscription.frequency_days",
    "items_subset[].subscription.frequency_description",
    "items_subset[].subscription.id",
    "items_subset[].price",
    "items_subset[].quantity",
    "items_subset[].total_price",
    "payment.cc_number_ending",
    "payment.cc_exp_date",
    "payment.cc_type_description",
    "place_date",
    "shipping_address.address",
    "shipping_address.address2",
    "shipping_address.city",
    "shipping_address.state_province_code",
    "shipping_address.zip_postal_code",
    "shipping_address.country_code",
)
ORDER = (*TOTALS, *CONTENTS)
OUT_OF_STOCK = (
    "days_since_first_attempt",
    "price",
    "quantity",
    "total_price",
    *(f"product.{field}" for field in ("id", "name", "sku", "image_url", "detail_url")),
)

PAGE: Mapping[str, Row] = MappingProxyType(
    {
        "subscriber.create": Row("ordergroove.subscriber.create", SUBSCRIBER),
        "subscriber.cancel": Row("ordergroove.subscriber.cancel", SUBSCRIBER),
        "subscriber.subscriptions_created": Row(
            "ordergroove.subscriber.subscriptions_created", SUBSCRIBER
        ),
        "subscription.create": Row("ordergroove.subscription.create", SUBSCRIPTION),
        "subscription.cancel": Row("ordergroove.subscription.cancel", SUBSCRIPTION),
        "subscription.change_frequency": Row(
            "ordergroove.subscription.change_frequency", SUBSCRIPTION
        ),
        "subscription.change_payment": Row("ordergroove.subscription.change_payment", SUBSCRIPTION),
        "subscription.change_quantity": Row(
            "ordergroove.subscription.change_quantity", SUBSCRIPTION
        ),
        "subscription.change_shipping_address": Row(
            "ordergroove.subscription.change_shipping_address", SUBSCRIPTION
        ),
        "subscription.sku_swap": Row("ordergroove.subscription.sku_swap", SUBSCRIPTION),
        "order.reminder": Row("ordergroove.order.reminder", ORDER),
        "order.credit_card_expiration_warning": Row(
            "ordergroove.order.credit_card_expiration_warning", ORDER
        ),
        "order.cancel": Row("ordergroove.order.cancel", ORDER),
        "order.success": Row("ordergroove.order.success", ORDER),
        "order.change_next_order_date": Row("ordergroove.order.success", ORDER),
        "order.change_payment": Row("ordergroove.order.change_payment", ORDER),
        "order.change_shipping_address": Row("ordergroove.order.change_shipping_address", ORDER),
        "order.reject": Row("ordergroove.order.reject", (*TOTALS, *REJECTION, *CONTENTS)),
        "order.send_now": Row("ordergroove.order.send_now", ORDER),
        "order.skip_order": Row("ordergroove.order.skip_order", ORDER),
        "item.out_of_stock": Row("ordergroove.item.out_of_stock", OUT_OF_STOCK),
    }
)
"""Event type → what the page says of it, in the page's order."""

SLIPS: Mapping[str, str] = MappingProxyType(
    {"order.change_next_order_date": "ordergroove.order.change_next_order_date"}
)
"""Where the page prints another event's name: the one that is sent (DESIGN §7)."""

PREPAID = (
    "has_prepaid",
    "subscriptions_subset[].prepaid_orders_per_billing",
    "subscriptions_subset[].prepaid_renewal_behavior",
)
NEWER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "subscriber.create": (*PREPAID, "total_subscriptions_count"),
        "subscriber.cancel": (*PREPAID, "total_subscriptions_count"),
    }
)
"""What a newer edition of the page adds, as far as it could be read: its first two events."""

OURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "subscriber.subscriptions_created": PREPAID,
        "item.out_of_stock": ("product_id", "product_name", "product_sku"),
    }
)
"""What we add: as in the newer edition's other subscriber events, and flat fields for texts."""
