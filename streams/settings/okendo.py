"""`[okendo]`: Okendo Loyalty as a source, and where its webhooks have their fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from .tables import Group
from .values import Zone  # noqa: TC001 - pydantic reads it at run time

DottedPath = Annotated[str, Field(pattern=r"^\w+(\.\w+)*$")]


class OkendoFields(Group):
    """Where fields stand in a webhook's `resource`: names that its documents do not confirm."""

    store: DottedPath = Field("subscriberId", description="Okendo's id of the store.")
    status: DottedPath = Field("status", description="A member's status.")
    balance: DottedPath = Field("points.balance", description="A member's points.")
    tier: DottedPath = Field("vipTierName", description="A member's tier.")
    enrolled_at: DottedPath = Field("dateEnrolled", description="When a member opted in.")
    tier_entered_at: DottedPath = Field("dateTierEntered", description="Since when the tier is.")
    tier_expires_at: DottedPath = Field("dateTierExpires", description="Until when the tier is.")
    points_expire_at: DottedPath = Field("datePointsExpire", description="When points are lost.")
    birthday_month: DottedPath = Field("birthday.month", description="Month of the birthday.")
    earning_action: DottedPath = Field("action", description="What earned points.")
    earning_description: DottedPath = Field("description", description="Text of points earned.")
    redemption_description: DottedPath = Field("description", description="Text of points spent.")
    coupon_code: DottedPath = Field("coupon.code", description="A coupon's code.")
    coupon_description: DottedPath = Field("coupon.description", description="A coupon's text.")
    coupon_expires_at: DottedPath = Field("coupon.dateExpires", description="A coupon's end.")
    store_credit: DottedPath = Field("storeCreditAmount", description="Store credit given.")


def _tiers(value: list[str]) -> list[str]:
    if not all(map(str.strip, value)) or len(set(value)) < len(value):
        raise ValueError("each tier is named once, by its name")
    return value


class Okendo(Group):
    """Okendo Loyalty: with this table, derive reads its webhooks too."""

    store: Annotated[str, Field(pattern=r"^[^:\s]+$")] | None = Field(
        None, description="The store's id, where webhooks do not tell it. No colon."
    )
    zone: Zone = Field("America/New_York", description="Zone of the days on which birthdays are.")
    tiers: Annotated[list[str], AfterValidator(_tiers)] = Field(
        default_factory=list,
        description="The programme's tiers, lowest first: what is an upgrade. A tier that is not"
        " among them is a dead letter.",
    )
    enrolled_on_any_status: bool = Field(
        default=False,
        description="Tell the enrolment event at every change of status, as Okendo's page has it.",
    )
    fields: OkendoFields = Field(
        default_factory=OkendoFields, description="Where fields stand, as dotted paths."
    )
