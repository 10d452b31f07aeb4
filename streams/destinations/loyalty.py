"""Okendo Loyalty: the page "Integrating Loyalty with Attentive" (seed 003) as tables.

Attentive and Klaviyo get the same five events and seven properties; only one word is spelled
otherwise. `EVENTS` and `PROPERTIES` can be held beside the page, row by row. The page describes an
event's properties in prose: the names here are those that Okendo prints where it lists them (its
Shopify Flow page, contracts/okendo.md §1), and so is what the page lacks, the coupon's expiry date
and the store credit of a redemption without a coupon. Dates are days, as Okendo tells them, in UTC.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from streams.model.loyalty import (
    ENROLLED,
    POINTS_ADJUSTED,
    POINTS_AWARDED,
    POINTS_REDEEMED,
    TIER_CHANGED,
)
from streams.model.wording import day_in

from .fields import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Options
    from streams.model.enriched import EnrichedEvent, MemberView

    from .fields import Fields, Table

Spelling = Literal["Enrollment", "Enrolment"]
"""How a vendor's page spells it: Attentive's as America does, Klaviyo's does not."""


def nothing(_: EnrichedEvent, __: Options) -> Fields:
    """An enrolment tells nothing beside the profile."""
    return {}


def awarded(event: EnrichedEvent, _: Options) -> Fields:
    """Points that an action earned."""
    about = event.points
    if about is None:
        return {}
    return told(
        **{
            "Points Earned": number(about.amount),
            "Action": about.action,
            "Description": about.description,
        }
    )


def redeemed(event: EnrichedEvent, _: Options) -> Fields:
    """Points that were spent: on a coupon, or on store credit without one."""
    about = event.points
    if about is None:
        return {}
    return told(
        **{
            "Points Spent": number(about.amount),
            "Description": about.description,
            "Coupon Description": about.coupon_description,
            "Coupon Code": about.coupon_code,
            "Coupon Expiry Date": day(about.coupon_expires_at),
            "Store Credit Amount": number(about.store_credit),
        }
    )


def tier_changed(event: EnrichedEvent, _: Options) -> Fields:
    """The tiers before and after; which is the higher one only where their order is configured."""
    about = event.tier
    if about is None:
        return {}
    return told(
        **{
            "Old Tier": about.old,
            "New Tier": about.new,
            "Earning Period End": day(about.expires_at),
            "Is Tier Upgrade": about.is_upgrade,
        }
    )


def adjusted(event: EnrichedEvent, _: Options) -> Fields:
    """Points that the merchant gave or took, with their sign."""
    about = event.points
    if about is None:
        return {}
    return told(
        **{"Adjusted Amount": number(about.amount), "Adjusted Description": about.description}
    )


EVENTS: Mapping[str, Table] = MappingProxyType(
    {
        ENROLLED: (nothing,),
        POINTS_AWARDED: (awarded,),
        POINTS_REDEEMED: (redeemed,),
        TIER_CHANGED: (tier_changed,),
        POINTS_ADJUSTED: (adjusted,),
    }
)
"""Event type → what it carries (seed 003, in the page's order)."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        ENROLLED: "Enrolled in Okendo Loyalty",
        POINTS_AWARDED: "Okendo Loyalty Points Awarded",
        POINTS_REDEEMED: "Okendo Loyalty Points Redeemed",
        TIER_CHANGED: "Okendo Loyalty Tier Changed",
        POINTS_ADJUSTED: "Okendo Loyalty Points Adjusted",
    }
)
"""Event type → its name on the page, and at the vendors."""

PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "tier": "Okendo Loyalty VIP Tier",
        "status": "Okendo Loyalty Program Status",
        "enrolled_at": "Okendo Loyalty {enrollment} Date",
        "balance": "Okendo Loyalty Points Balance",
        "next_birthday": "Okendo Loyalty Next Birthday Date",
        "points_expire_at": "Okendo Loyalty Points Expiry Date",
        "tier_expires_at": "Okendo Loyalty VIP Tier Expiry Date",
    }
)
"""What a member's view calls it → the property on the page, in the page's order."""


def label(field: str, spelling: Spelling) -> str:
    """The name of a property at a vendor."""
    return PROPERTIES[field].format(enrollment=spelling)


def properties(member: MemberView | None, spelling: Spelling) -> Fields:
    """The properties of a member that hold now; none for who is no member."""
    if member is None:
        return {}
    values = {
        "tier": member.tier,
        "status": member.status,
        "enrolled_at": day(member.enrolled_at),
        "balance": number(member.balance),
        "next_birthday": member.next_birthday,
        "points_expire_at": day(member.points_expire_at),
        "tier_expires_at": day(member.tier_expires_at),
    }
    return told(**{label(field, spelling): value for field, value in values.items()})


def cleared(member: MemberView | None) -> list[str]:
    """What was told of a member and holds no longer, in the page's order."""
    gone = (member.cleared or "").split() if member is not None else []
    return [field for field in PROPERTIES if field in gone]


def number(text: str | None) -> int | float | None:
    """Decimal text as the JSON number that vendors filter on: whole where it is whole."""
    if text is None:
        return None
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)


def day(instant: int | None) -> str | None:
    """A time as its day, "2027-06-01"."""
    return None if instant is None else day_in(instant, "UTC").isoformat()
