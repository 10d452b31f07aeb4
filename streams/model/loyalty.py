"""Loyalty events: what Okendo tells of a member, decoded from a source record.

The entities mirror `avro_schemas/sources/okendo.avsc`, where each field is explained. Times are
epoch milliseconds, points are decimal text, ids are the source's own.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .events import Entity, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOMER = "loyalty_customer"
EARNING = "loyalty_earning_transaction"
REDEMPTION = "loyalty_redemption_transaction"
ADJUSTMENT = "loyalty_adjustment_transaction"
DELETE = "delete"
COMPLETE = "complete"
"""The one status of a transaction whose meaning is documented (contracts/okendo.md §6)."""

ENROLLED = "loyalty.enrolled"
POINTS_AWARDED = "loyalty.points_awarded"
POINTS_REDEEMED = "loyalty.points_redeemed"
POINTS_ADJUSTED = "loyalty.points_adjusted"
TIER_CHANGED = "loyalty.tier_changed"

POINTS_OF: Mapping[str, str] = MappingProxyType(
    {EARNING: POINTS_AWARDED, REDEMPTION: POINTS_REDEEMED, ADJUSTMENT: POINTS_ADJUSTED}
)
"""Resource type of a transaction → the event that it becomes when it is complete."""

LOYALTY_EVENTS = frozenset({ENROLLED, TIER_CHANGED, *POINTS_OF.values()})
"""All that a member's records may become, beside `profile.changed`."""


class LoyaltyCustomer(Entity, frozen=True):
    """A member as a record of `loyalty_customer` tells it; without status it was deleted."""

    email: str | None = None
    status: str | None = None
    tier: str | None = None
    balance: str | None = None
    enrolled_at: int | None = None
    tier_entered_at: int | None = None
    tier_expires_at: int | None = None
    points_expire_at: int | None = None
    birthday_month: int | None = None
    birthday_day: int | None = None


class LoyaltyTransaction(Entity, frozen=True):
    """Points earned, redeemed or adjusted. A delete tells its id alone."""

    transaction_id: str
    status: str | None = None
    amount: str | None = None
    date: int | None = None
    email: str | None = None
    action: str | None = None
    description: str | None = None
    coupon_code: str | None = None
    coupon_description: str | None = None
    coupon_expires_at: int | None = None
    store_credit: str | None = None


class LoyaltyEvent(Entity, frozen=True):
    """One webhook of Okendo, decoded.

    `type` is the resource type and the topic, `loyalty_customer.update`; `sequence` orders the
    webhooks of one resource type; `guard` stands for both. `created` is the transaction's date,
    else the time of receipt: no webhook says when it was sent.
    """

    event_id: str
    type: str
    created: int
    merchant: str
    customer_id: str
    sequence: int
    guard: bytes
    subject: LoyaltyCustomer | LoyaltyTransaction
    kind: Kind = "event"
    received_at: int = 0

    @property
    def resource(self) -> str:
        """The resource type."""
        return self.type.partition(".")[0]

    @property
    def deletes(self) -> bool:
        """Whether the resource is no more."""
        return self.type.endswith(f".{DELETE}")
