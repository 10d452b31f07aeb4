"""Klaviyo's page "Information sent to Klaviyo" (seed 001), typed in as data.

`PAGE` has a row for each of its events: the name it prints and the path of every field, in the
page's order. `[]` after a name says that it is a list; all of them stand inside the event's
`properties`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.support.pages import Row

if TYPE_CHECKING:
    from collections.abc import Mapping


STATUS = "Ordergroove Subscriber Status"
"""The one customer property."""

PRODUCT = ("id", "name", "sku", "image_url", "detail_url")
ENTITLEMENTS = (
    "entitlement_summaries[].live",
    "entitlement_summaries[].merchant",
    "entitlement_summaries[].identified_product",
    "entitlement_summaries[].resource_name",
    "entitlement_summaries[].expires_at",
    "entitlement_summaries[].access_type",
    "entitlement_summaries[].grace_expires_at",
    "entitlement_summaries[].merchant_user_id",
    "entitlement_summaries[].resource_public_id",
    "meta_entitlement_expires_at",
    "has_grace_entitlement",
    "has_active_entitlement",
)
SUBSCRIPTIONS_CREATED = (
    "first_name",
    "last_name",
    "email",
    "phone_number",
    "has_prepaid",
    "subscriptions_subset[].frequency_days",
    "subscriptions_subset[].frequency_description",
    "subscriptions_subset[].id",
    "subscriptions_subset[].quantity",
    "subscriptions_subset[].prepaid_orders_per_billing",
    "subscriptions_subset[].prepaid_renewal_behavior",
    *(f"subscriptions_subset[].product.{field}" for field in PRODUCT),
)
SUBSCRIBER = (*SUBSCRIPTIONS_CREATED, "total_subscriptions_count")
SUBSCRIPTION = (
    "frequency_days",
    "frequency_description",
    "id",
    *(f"product.{field}" for field in PRODUCT),
    "product_id",
    "product_name",
    "product_sku",
    "quantity",
    "has_prepaid",
    "prepaid_orders_per_billing",
    "prepaid_renewal_behavior",
    "prepaid_orders_remaining",
    "currency_code",
    *ENTITLEMENTS,
)
CANCELLATION = ("cancel_reason", "cancel_reason_code", "cancel_reason_message")
ORDER = (
    "days_until_place_date",
    "tries",
    "discount_total",
    "shipping_total",
    "sub_total",
    "total",
    "has_prepaid",
    "currency_code",
    "total_items_count",
    *(f"items_subset[].product.{field}" for field in (*PRODUCT, "price")),
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
    *ENTITLEMENTS,
)
REJECTION = ("rejected_code", "rejected_message")
OUT_OF_STOCK = (
    "has_prepaid",
    *(f"product.{field}" for field in PRODUCT),
    "quantity",
    "price",
    "currency_code",
    "total_price",
    "days_since_first_attempt",
    "prepaid_orders_per_billing",
    "prepaid_renewal_behavior",
    "prepaid_orders_remaining",
)

PAGE: Mapping[str, Row] = MappingProxyType(
    {
        "subscriber.create": Row("ordergroove.subscriber.create", SUBSCRIBER),
        "subscriber.cancel": Row("ordergroove.subscriber.cancel", SUBSCRIBER),
        "subscriber.subscriptions_created": Row(
            "ordergroove.subscriber.subscriptions_created", SUBSCRIPTIONS_CREATED
        ),
        "subscription.create": Row("ordergroove.subscription.create", SUBSCRIPTION),
        "subscription.reactivate": Row("ordergroove.subscription.reactivate", SUBSCRIPTION),
        "subscription.cancel": Row(
            "ordergroove.subscription.cancel", (*SUBSCRIPTION, *CANCELLATION)
        ),
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
        "order.change_next_order_date": Row("ordergroove.order.change_next_order_date", ORDER),
        "order.change_payment": Row("ordergroove.order.change_payment", ORDER),
        "order.change_shipping_address": Row("ordergroove.order.change_shipping_address", ORDER),
        "order.send_now": Row("ordergroove.order.send_now", ORDER),
        "order.skip_order": Row("ordergroove.order.skip_order", ORDER),
        "order.reject": Row("ordergroove.order.reject", (*ORDER, *REJECTION)),
        "order.retryable_placement_failure": Row(
            "order.retryable_placement_failure", (*ORDER, *REJECTION)
        ),
        "item.out_of_stock": Row("ordergroove.item.out_of_stock", OUT_OF_STOCK),
    }
)
"""Event type → what the page says of it, in the page's order."""
