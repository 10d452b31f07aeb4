"""The demo's loyalty books: a member's history by hand, with the calls and outcomes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.demo.loyalty_catalog import STORE
from streams.demo.loyalty_webhooks import ADJUSTMENT, MEMBER, REDEMPTION, Sent
from streams.model.ids import delivery_id, fact_id
from tests.support.written_loyalty import (
    AT,
    EMAIL,
    ENROLLED_AT,
    ID,
    ROSE_AT,
    Json,
    booked,
    calls,
    gold,
    member,
    parts,
    points,
    sent,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ENROLLED = "loyalty.enrolled", fact_id("loyalty.enrolled", STORE, ID, "at", ENROLLED_AT)
ROSE = "loyalty.tier_changed", fact_id("loyalty.tier_changed", STORE, ID, "at", ROSE_AT, "Gold")
SILVER = {
    "Okendo Loyalty Program Status": "enrolled",
    "Okendo Loyalty Enrollment Date": "2026-10-01",
    "Okendo Loyalty VIP Tier": "Silver",
}
GOLD = SILVER | {
    "Okendo Loyalty VIP Tier": "Gold",
    "Okendo Loyalty VIP Tier Expiry Date": "2027-10-02",
}
UP = {
    "Old Tier": "Silver",
    "New Tier": "Gold",
    "Earning Period End": "2027-10-02",
    "Is Tier Upgrade": True,
}


def attributes(properties: Json, email: str = EMAIL) -> tuple[str, Json]:
    """An attribute call, contracts/attentive.md §3."""
    return "/v1/attributes/custom", {"user": {"email": email}, "properties": properties}


def event(fact: tuple[str, str], name: str, at: str, properties: Json) -> tuple[str, Json]:
    """An event call, contracts/attentive.md §2."""
    kind, id_ = fact
    return "/v1/events/custom", {
        "type": name,
        "externalEventId": delivery_id(id_, kind, "attentive"),
        "occurredAt": at,
        "user": {"email": EMAIL},
        "properties": properties,
    }


def award(properties: Json, kind: str = "awarded") -> tuple[str, Json]:
    """Of transaction T1."""
    fact = f"loyalty.points_{kind}", fact_id(f"loyalty.points_{kind}", STORE, "T1")
    return event(
        fact, f"Okendo Loyalty Points {kind.capitalize()}", "2026-10-02T11:00:00.500Z", properties
    )


WELCOME = event(ENROLLED, "Enrolled in Okendo Loyalty", "2026-10-01T10:00:00.250Z", {})
RISE = event(ROSE, "Okendo Loyalty Tier Changed", "2026-10-02T11:00:00.500Z", UP)
BLOCKED = {"Okendo Loyalty Program Status": "blocked", "Okendo Loyalty VIP Tier": "none"}
COUPON = {"code": "OKE-1", "description": "5 off", "dateExpires": "2026-12-31T23:59:59.000Z"}

HISTORIES: dict[str, tuple[Sequence[Sent], Sequence[tuple[str, Json]]]] = {
    "pending members have points and a birthday, no tier": (
        [member(1, "pending", points={"balance": 12.5}, birthday={"day": 29, "month": 2})],
        [
            attributes(
                {
                    "Okendo Loyalty Program Status": "pending",
                    "Okendo Loyalty Points Balance": 12.5,
                    "Okendo Loyalty Next Birthday Date": "2027-02-28",
                }
            )
        ],
    ),
    "a birthday that is today is the next one": (
        [member(1, "pending", birthday={"day": 3, "month": 10})],
        [
            attributes(
                {
                    "Okendo Loyalty Program Status": "pending",
                    "Okendo Loyalty Next Birthday Date": "2026-10-03",
                }
            )
        ],
    ),
    "enrolment, then a rise": (
        [member(1), gold(2)],
        [attributes(SILVER), WELCOME, attributes(GOLD), RISE],
    ),
    "overtaken: the rise is late news, the profile stays": (
        [gold(2), member(1)],
        [attributes(GOLD), WELCOME],
    ),
    "blocked: the tier is taken back; let in again, nobody enrols anew": (
        [member(1), member(2, "blocked"), member(3)],
        [attributes(SILVER), WELCOME, attributes(BLOCKED), attributes(SILVER)],
    ),
    "the same twice, once as another message": (
        [member(1), member(1), member(1)._replace(message="msg_2")],
        [attributes(SILVER), WELCOME],
    ),
    "numbers are compared as numbers": (
        [gold(100), member(99)],
        [attributes(GOLD), WELCOME],
    ),
    "points are told when they are complete, once": (
        [
            member(1),
            points(2, status="pending"),
            points(3, "update", action="place-order"),
            points(4, "update", amount=60),
            points(5, "delete", customer=None, amount=None, status=None),
        ],
        [attributes(SILVER), WELCOME, award({"Points Earned": 120, "Action": "place-order"})],
    ),
    "spent on a coupon": (
        [points(1, kind=REDEMPTION, amount=-500, coupon=COUPON, description="5 off")],
        [
            award(
                {
                    "Points Spent": 500,
                    "Description": "5 off",
                    "Coupon Code": "OKE-1",
                    "Coupon Description": "5 off",
                    "Coupon Expiry Date": "2026-12-31",
                },
                "redeemed",
            )
        ],
    ),
    "spent on store credit": (
        [points(1, kind=REDEMPTION, amount=750, storeCreditAmount=7.5)],
        [award({"Points Spent": 750, "Store Credit Amount": 7.5}, "redeemed")],
    ),
    "taken by hand": (
        [points(1, kind=ADJUSTMENT, amount=-40, notificationText="Corrected", internalReason="X")],
        [award({"Adjusted Amount": -40, "Adjusted Description": "Corrected"}, "adjusted")],
    ),
    "a member's own address counts, not that of a transaction": (
        [member(1), points(2, customer={"email": "old@shop-demo.io"})],
        [attributes(SILVER), WELCOME, award({"Points Earned": 120})],
    ),
}


@pytest.mark.parametrize(("webhooks", "wanted"), HISTORIES.values(), ids=HISTORIES.keys())
def test_attentive_must_be_asked(
    webhooks: Sequence[Sent], wanted: Sequence[tuple[str, Json]]
) -> None:
    """Every call, in order."""
    _, ledgers = booked(webhooks)

    assert list(wanted) == calls(ledgers["attentive"])


def test_klaviyo_must_be_asked() -> None:
    """The properties travel in the event; what holds no longer is null, what is late backfill."""
    deleted = sent(MEMBER, "delete", 3, customer=None)
    _, ledgers = booked([gold(2), member(1), deleted])
    gone = {name.replace("Enrollment", "Enrolment"): None for name in GOLD}
    held = GOLD | {"Okendo Loyalty Enrolment Date": "2026-10-01"}
    del held["Okendo Loyalty Enrollment Date"]

    def told(
        fact: tuple[str, str], name: str, time: str, properties: Json, **more: Any
    ) -> tuple[str, Json]:
        kind, id_ = fact
        person = {"type": "profile", "attributes": {"email": EMAIL, "properties": held}}
        attributes: Json = {
            "metric": {"data": {"type": "metric", "attributes": {"name": name}}},
            "profile": {"data": person},
            "properties": properties,
            "time": time,
            "unique_id": delivery_id(id_, kind, "klaviyo"),
        } | more
        return "/api/events", {"data": {"type": "event", "attributes": attributes}}

    cleared = {"type": "profile", "attributes": {"email": EMAIL, "properties": gone}}

    assert [
        told(ENROLLED, "Enrolled in Okendo Loyalty", "2026-10-01T10:00:00+00:00", {}),
        told(ROSE, "Okendo Loyalty Tier Changed", "2026-10-02T11:00:00+00:00", UP, backfill=True),
        ("/api/profile-import", {"data": cleared}),
    ] == calls(ledgers["klaviyo"])


OUTCOMES: dict[str, tuple[Sequence[Sent], Sequence[tuple[str, str, str, str | None]]]] = {
    "nobody can be told of who has no address": (
        [member(1, customer=None)],
        [
            ("loyalty.enrolled", "profile", "rejected", "no_identifier"),
            ("loyalty.enrolled", "event", "rejected", "no_identifier"),
        ],
    ),
    "late, and the profile is there already": (
        [gold(2), member(1)],
        [
            ("loyalty.enrolled", "profile", "delivered", None),
            ("loyalty.enrolled", "event", "delivered", None),
            ("loyalty.tier_changed", "profile", "duplicate", "unchanged"),
            ("loyalty.tier_changed", "event", "filtered", "late"),
        ],
    ),
    "deleted, who had no tier: nothing that Attentive could clear": (
        [member(1, "pending"), sent(MEMBER, "delete", 2, customer=None)],
        [
            ("profile.changed", "profile", "delivered", None),
            ("profile.changed", "event", "filtered", "nothing_to_send"),
        ],
    ),
    "an award before anything is known of the member": (
        [points(2)],
        [("loyalty.points_awarded", "event", "delivered", None)],
    ),
    "a tier that the programme does not have": ([member(1, vipTierName="Platinum")], []),
}


@pytest.mark.parametrize(("webhooks", "wanted"), OUTCOMES.values(), ids=OUTCOMES.keys())
def test_what_comes_of_it_at_attentive(
    webhooks: Sequence[Sent], wanted: Sequence[tuple[str, str, str, str | None]]
) -> None:
    """Every part, in order."""
    _, ledgers = booked(webhooks)

    assert list(wanted) == parts(ledgers["attentive"])


def test_vendors_whose_pages_say_nothing_of_loyalty_get_nothing() -> None:
    """Not even the profile."""
    _, ledgers = booked([member(1), gold(2), points(3)])

    assert not ledgers["ometria"].parts
    assert not ledgers["yespo"].parts


def test_a_birthday_that_has_passed_moves_on() -> None:
    """With the first webhook of the day after, in the shop's zone; and not before."""
    born = {"birthday": {"day": 3, "month": 10}}
    awards = [points(place, loyaltyTransactionId=f"T{place}") for place in range(2, 5)]
    day = 24 * 3_600_000
    book, ledgers = booked([member(1, "pending", **born), *awards], gap=day // 2)
    told = [
        body["properties"]["Okendo Loyalty Next Birthday Date"]
        for path, body in calls(ledgers["attentive"])
        if path == "/v1/attributes/custom"
    ]

    assert ["2026-10-03", "2027-10-03"] == told
    assert not book.dead_letters
    assert AT % day < 5 * 3_600_000
