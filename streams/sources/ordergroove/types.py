"""The event types of every generation of Ordergroove's documents (contracts/ordergroove.md §1.2).

`subscription.change_consumer` is in no source and so is not here: an unknown type is a dead letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ObjectKind = Literal["Subscriber", "Subscription", "Order", "Item", "Entitlements", "Communication"]

ACTIONS: Mapping[str, tuple[ObjectKind, tuple[str, ...]]] = {
    "subscriber": ("Subscriber", ("create", "cancel", "subscriptions_created")),
    "subscription": (
        "Subscription",
        (
            "create",
            "cancel",
            "reactivate",
            "change_live",
            "sku_swap",
            "change_frequency",
            "change_quantity",
            "change_shipping_address",
            "change_payment",
            "change_components",
            "refresh_one_click_token",
        ),
    ),
    "order": (
        "Order",
        (
            "create",
            "change_shipping_address",
            "change_payment",
            "change_billing",
            "change_next_order_date",
            "skip_order",
            "send_now",
            "cancel",
            "success",
            "generic_error",
            "retryable_placement_failure",
            "awaiting_retry_instructions",
            "reject",
            "reminder",
            "delete",
            "refresh_one_click_token",
            "credit_card_expiration_warning",
        ),
    ),
    "item": (
        "Item",
        (
            "create",
            "change_quantity",
            "remove",
            "item_subscribe",
            "update_price",
            "successfully_placed",
            "change_order",
            "sku_swap",
            "out_of_stock",
        ),
    ),
    "entitlement": (
        "Entitlements",
        (
            "entitlements_granted",
            "entitlements_expiring",
            "entitlements_expired",
            "entitlements_grace_period_expired",
            "entitlements_expiration_modified",
            "entitlements_voided",
        ),
    ),
    "workflow": ("Communication", ("send_communication",)),
}
"""Resource → the object it carries and its actions."""

OBJECT_OF: Mapping[str, ObjectKind] = {
    f"{resource}.{action}": kind
    for resource, (kind, actions) in ACTIONS.items()
    for action in actions
}
"""Event type → the object it carries."""

LIVE_OF: Mapping[str, bool] = {
    "subscription.create": True,
    "subscription.reactivate": True,
    "subscription.change_live": True,
    "subscription.cancel": False,
}
"""What a type says of `live` where its object forgot to."""

SYNC_COMPLETED = "sync.completed"
"""Ends a merchant's first sync: one record in each partition, of nobody (customer `*`)."""

STATE_OF: Mapping[str, ObjectKind] = {
    "customer.state": "Subscriber",
    "subscription.state": "Subscription",
    "order.state": "Order",
    "item.state": "Item",
    SYNC_COMPLETED: "Subscriber",
}
"""Type of a record of kind `state` → the object it carries.

No webhook has them and no destination takes them: they say how things stand, not what happened.
"""
