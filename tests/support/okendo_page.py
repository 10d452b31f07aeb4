"""Okendo's page "Integrating Loyalty with Attentive" (seed 003), typed in as data.

The page names events and profile properties; what an event tells it says in prose, and these are
the words of that prose in the page's order. `OURS` is what we add from Okendo's other pages.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.support.pages import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

PROPERTIES = (
    "Okendo Loyalty VIP Tier",
    "Okendo Loyalty Program Status",
    "Okendo Loyalty Enrollment Date",
    "Okendo Loyalty Points Balance",
    "Okendo Loyalty Next Birthday Date",
    "Okendo Loyalty Points Expiry Date",
    "Okendo Loyalty VIP Tier Expiry Date",
)
KLAVIYO_SPELLING = ("Enrollment", "Enrolment")
"""The one word that Klaviyo's page spells otherwise (contracts/okendo.md §1)."""

PAGE: Mapping[str, Row] = MappingProxyType(
    {
        "loyalty.enrolled": Row("Enrolled in Okendo Loyalty", ()),
        "loyalty.points_awarded": Row(
            "Okendo Loyalty Points Awarded", ("points earned", "action", "description")
        ),
        "loyalty.points_redeemed": Row(
            "Okendo Loyalty Points Redeemed",
            ("points spent", "description", "coupon description", "coupon code"),
        ),
        "loyalty.tier_changed": Row(
            "Okendo Loyalty Tier Changed",
            ("old tier", "new tier", "earning period end", "Is Tier Upgrade"),
        ),
        "loyalty.points_adjusted": Row(
            "Okendo Loyalty Points Adjusted", ("adjusted amount", "adjusted description")
        ),
    }
)
"""Event type → what the page says of it, in the page's order."""

OURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"loyalty.points_redeemed": ("coupon expiry date", "store credit amount")}
)
