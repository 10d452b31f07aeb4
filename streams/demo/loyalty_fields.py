"""What the vendors' pages say of loyalty, as the demo's bookkeeping works it out.

Seed 003 names five events and seven properties; Klaviyo spells one word otherwise. The names of the
events' fields are those of Okendo's Shopify Flow page (contracts/okendo.md §1). Dates are days in
UTC. What is unknown is left out everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.demo.loyalty_conclusions import Fact
    from streams.demo.loyalty_truth import Member

Json = dict[str, Any]

MARK = "Okendo Loyalty"
"""Stands in the name of every event and every property."""
STATUS = "Okendo Loyalty Program Status"
TIER = "Okendo Loyalty VIP Tier"

EVENTS = {
    "loyalty.enrolled": "Enrolled in Okendo Loyalty",
    "loyalty.points_awarded": "Okendo Loyalty Points Awarded",
    "loyalty.points_redeemed": "Okendo Loyalty Points Redeemed",
    "loyalty.tier_changed": "Okendo Loyalty Tier Changed",
    "loyalty.points_adjusted": "Okendo Loyalty Points Adjusted",
}

_PROPERTIES = {
    "tier": TIER,
    "status": STATUS,
    "enrolled": "Okendo Loyalty {spelled} Date",
    "balance": "Okendo Loyalty Points Balance",
    "birthday": "Okendo Loyalty Next Birthday Date",
    "points_end": "Okendo Loyalty Points Expiry Date",
    "tier_ends": "Okendo Loyalty VIP Tier Expiry Date",
}
"""What the bookkeeping calls it → the page's property."""

_MOMENTS = {"enrolled", "points_end", "tier_ends"}


def properties(member: Member, spelled: str) -> Json:
    """What holds of the member now."""
    return {
        _PROPERTIES[name].format(spelled=spelled): _day(value) if name in _MOMENTS else value
        for name, value in member.view.items()
    }


def cleared(member: Member, spelled: str) -> list[str]:
    """The properties that held once and hold no longer."""
    return [_PROPERTIES[name].format(spelled=spelled) for name in member.gone]


def about(fact: Fact) -> Json:
    """What an event tells beside the profile."""
    told = _FIELDS[fact.type](fact.about)
    return {name: value for name, value in told.items() if value is not None}


def _nothing(_: Json) -> Json:
    return {}


def _awarded(told: Json) -> Json:
    return {
        "Points Earned": told["amount"],
        "Action": told.get("action"),
        "Description": told.get("description"),
    }


def _redeemed(told: Json) -> Json:
    """Whichever sign the points have (§5.7)."""
    return {
        "Points Spent": abs(told["amount"]),
        "Description": told.get("description"),
        "Coupon Description": told.get("coupon_text"),
        "Coupon Code": told.get("coupon"),
        "Coupon Expiry Date": _day(told.get("coupon_ends")),
        "Store Credit Amount": told.get("credit"),
    }


def _tier(told: Json) -> Json:
    return {
        "Old Tier": told["old"],
        "New Tier": told["new"],
        "Earning Period End": _day(told["ends"]),
        "Is Tier Upgrade": told["up"],
    }


def _adjusted(told: Json) -> Json:
    return {"Adjusted Amount": told["amount"], "Adjusted Description": told.get("notice")}


_FIELDS = {
    "loyalty.enrolled": _nothing,
    "loyalty.points_awarded": _awarded,
    "loyalty.points_redeemed": _redeemed,
    "loyalty.tier_changed": _tier,
    "loyalty.points_adjusted": _adjusted,
}


def _day(instant: int | None) -> str | None:
    """The day of a time, 2027-06-01."""
    if instant is None:
        return None
    return datetime.fromtimestamp(instant / 1_000, UTC).date().isoformat()


def apart(body: Any, contacts: tuple[str, ...]) -> tuple[str, ...]:
    """The contacts that a body names: a member's are others than those of the same subscriber.

    A person is told of by both sources, in an order of each that knows nothing of the other.
    """
    return tuple(f"{MARK}: {one}" for one in contacts) if MARK in str(body) else contacts
