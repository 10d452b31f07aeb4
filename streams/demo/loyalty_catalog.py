"""What the demo's loyalty programme is made of: its tiers, what earns points and what they buy.

Invented words only, read by `streams.demo.loyalty_stories`. The order of the tiers is what the
demo's settings tell the program, for no webhook says it (contracts/okendo.md §5.3).
"""

from __future__ import annotations

from typing import NamedTuple

STORE = "b4b0c3de-1111-4222-8333-944445555666"
"""The source's id of the shop; Ordergroove has another one for it."""

TIERS = ("Bronze", "Silver", "Gold", "Miso Circle")
"""The lowest first."""

ZONE = "America/New_York"
"""Where the programme looks at the calendar for birthdays: the default of the settings."""

ACTIONS = (
    ("place-order", "Order {number}", 120),
    ("leave-review", "Review of your last order", 25),
    ("refer-friend", "Café visit with a friend", 300),
    ("join-program", None, 50),
    (None, "Thanks for staying", 12.5),
)
"""What earns points: action, description, points."""


class Reward(NamedTuple):
    """What points buy: description, points, the coupon's text, store credit; one of these two."""

    description: str
    points: float
    coupon: str | None
    credit: float | None


REWARDS = (
    Reward("5 off next order", 500, "5.00 off", None),
    Reward("Store credit 7.50", 750, None, 7.5),
    Reward("Free sampler", 240, "Dark roast 50 g", None),
    Reward("Store credit 10", 1_000, None, 10),
)

CORRECTIONS = (
    ("Points corrected", -40),
    ("Sorry for the wait", 75),
    (None, -12.5),
    ("Happy to have you", 0.5),
)
"""What the merchant does by hand: the text for the member, points."""

OTHER_RESOURCES = ("review", "survey_response", "quiz_response", "referral")
"""Okendo's webhooks that have nothing to do with loyalty."""
