"""Where fields stand inside a webhook's `resource`, as dotted paths (contracts/okendo.md §2, §4).

Okendo's reference could be read in part only. What it was seen to say is fixed here; the names that
the contract marks as guesses are a shop's to correct, with the guesses as defaults.
"""

from __future__ import annotations

from typing import Any

import msgspec

from streams.errors import BadRecord

RESOURCE = "resource"

LOYALTY_CUSTOMER_ID = "loyaltyCustomerId"
TRANSACTION_ID = "loyaltyTransactionId"
AMOUNT = "amount"
DATE = "date"
TRANSACTION_STATUS = "status"
NOTIFICATION_TEXT = "notificationText"
EMAIL = "customer.email"
CUSTOMER_ID = "customer.customerId"
BIRTHDAY_DAY = "birthday.day"


class FieldPaths(msgspec.Struct, frozen=True, kw_only=True):
    """Fields whose names are guesses of the contract (§4, marked *)."""

    store: str = "subscriberId"
    status: str = "status"
    balance: str = "points.balance"
    tier: str = "vipTierName"
    enrolled_at: str = "dateEnrolled"
    tier_entered_at: str = "dateTierEntered"
    tier_expires_at: str = "dateTierExpires"
    points_expire_at: str = "datePointsExpire"
    birthday_month: str = "birthday.month"
    earning_action: str = "action"
    earning_description: str = "description"
    redemption_description: str = "description"
    coupon_code: str = "coupon.code"
    coupon_description: str = "coupon.description"
    coupon_expires_at: str = "coupon.dateExpires"
    store_credit: str = "storeCreditAmount"


def value_at(resource: dict[str, Any], path: str) -> Any:
    """The value at a path, None where there is none; raises `BadRecord` for a wrong way there."""
    value: Any = resource
    for depth, name in enumerate(parts := path.split(".")):
        if value is None:
            return None
        if not isinstance(value, dict):
            passed = ".".join([RESOURCE, *parts[:depth]])
            raise BadRecord("wrong_type", passed, "not an object")
        value = value.get(name)
    return value
