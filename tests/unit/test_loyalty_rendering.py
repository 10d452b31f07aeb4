"""Loyalty at the vendors: what is left out, what is cleared, and who is meant."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.destinations.loyalty import number
from streams.families import MEMBERS
from streams.model.delivery import Options, Part, Refusal
from streams.model.enriched import EnrichedEvent, MemberView, PointsView, ProfileView, TierView
from streams.model.loyalty import ENROLLED, LOYALTY_EVENTS, POINTS_REDEEMED, TIER_CHANGED
from tests.support.okendo import DAY, EMAIL, MEMBER, START, STORE

WHO = ProfileView(0, 0, ever_subscribed=False, version=3, email=EMAIL)
NOBODY = replace(WHO, email=None)


def event(event_type: str, member: MemberView | None = None, **more: Any) -> EnrichedEvent:
    """A loyalty event of which only the ids are known, and what a case adds."""
    return EnrichedEvent(
        **{
            "event_id": "e1",
            "type": event_type,
            "occurred_at": START,
            "merchant": STORE,
            "customer_id": MEMBER,
            "source_event_id": "msg_1",
            "profile": WHO,
            "member": member or MemberView(),
            **more,
        }
    )


def asked(vendor: str, about: EnrichedEvent, **options: Any) -> list[Part | Refusal]:
    """The parts, judged at the event's own time."""
    superseded = options.pop("superseded", False)
    return DESTINATIONS[vendor].render(
        about, "d1", START, Options(**options), superseded=superseded
    )


def body(vendor: str, about: EnrichedEvent, **options: Any) -> Any:
    """The body of the last part."""
    part = asked(vendor, about, **options)[-1]
    assert isinstance(part, Part), part
    return part.request.body


def attributes(about: EnrichedEvent, **options: Any) -> Any:
    """What Klaviyo is told of an event."""
    return body("klaviyo", about, **options)["data"]["attributes"]


def test_what_is_not_known_is_left_out() -> None:
    """No null and no empty text, but where something is to be cleared."""
    bare = event(POINTS_REDEEMED, points=PointsView("t1", "5"))

    assert ["event"] == [part.name for part in asked("attentive", bare)]
    assert {"Points Spent": 5} == body("attentive", bare)["properties"]
    assert {"email": EMAIL} == attributes(bare)["profile"]["data"]["attributes"]


def test_whether_it_is_an_upgrade_is_said_only_if_it_is_known() -> None:
    """False is told, not known is left out."""
    down, unknown = (
        event(TIER_CHANGED, tier=TierView("Gold", "Silver", START, told)) for told in (False, None)
    )

    assert {
        "Old Tier": "Gold",
        "New Tier": "Silver",
        "Earning Period End": "2026-10-01",
        "Is Tier Upgrade": False,
    } == body("attentive", down)["properties"]
    assert "Is Tier Upgrade" not in attributes(unknown)["properties"]


def test_what_holds_no_longer_is_cleared_as_each_vendor_can() -> None:
    """At Klaviyo by null; at Attentive a tier by a word, dates not at all."""
    left = event("profile.changed", MemberView("blocked", cleared="tier tier_expires_at"))
    klaviyo = body("klaviyo", left)["data"]["attributes"]["properties"]

    assert {
        "Okendo Loyalty Program Status": "blocked",
        "Okendo Loyalty VIP Tier": None,
        "Okendo Loyalty VIP Tier Expiry Date": None,
    } == klaviyo
    assert {
        "Okendo Loyalty Program Status": "blocked",
        "Okendo Loyalty VIP Tier": "none",
    } == body("attentive", left)["properties"]


def test_a_profile_of_which_nothing_is_known_asks_nothing_of_attentive() -> None:
    """An address alone is no attribute."""
    assert [] == asked("attentive", event("profile.changed"))


def test_an_older_profile_says_only_who_it_is() -> None:
    """What the vendor knows is newer."""
    told = attributes(event(ENROLLED, MemberView("enrolled")), superseded=True)

    assert {"email": EMAIL} == told["profile"]["data"]["attributes"]


def test_okendos_id_is_not_the_shops() -> None:
    """A member's id never identifies a client, whatever the connection lets customers' ids do."""
    about = event(ENROLLED, MemberView("enrolled"))
    told = asked("attentive", about, client_user_id=True)

    assert [{"email": EMAIL}] * 2 == [
        part.request.body["user"] for part in told if isinstance(part, Part)
    ]


@pytest.mark.parametrize("vendor", ["attentive", "klaviyo"])
def test_a_member_without_an_address_is_refused(vendor: str) -> None:
    """The field is named; nothing is sent."""
    about = event(ENROLLED, MemberView("enrolled"), profile=NOBODY)
    parts = asked(vendor, about)

    assert parts
    assert {"no_identifier"} == {
        part.reason if isinstance(part, Refusal) else "sent" for part in parts
    }


@pytest.mark.parametrize("vendor", ["attentive", "klaviyo"])
def test_an_event_may_be_called_otherwise(vendor: str) -> None:
    """The option replaces the page's name."""
    about = event(ENROLLED, MemberView("enrolled"))
    told = body(vendor, about, event_names={ENROLLED: "Joined"})

    assert "Joined" == (
        told["type"]
        if vendor == "attentive"
        else told["data"]["attributes"]["metric"]["data"]["attributes"]["name"]
    )


def test_what_is_late_starts_nothing() -> None:
    """Data at Klaviyo; at Attentive the event stays away and the profile goes."""
    about = event(ENROLLED, MemberView("enrolled"), late=True)
    profile, told = asked("attentive", about)

    assert attributes(about)["backfill"]
    assert isinstance(profile, Part)
    assert isinstance(told, Refusal)
    assert "late" == told.reason


def test_what_is_too_old_starts_no_journey() -> None:
    """Attentive's twelve hours hold for loyalty too."""
    about = event(ENROLLED, MemberView("enrolled"), occurred_at=START - DAY)
    part = asked("attentive", about)[-1]

    assert isinstance(part, Part)
    assert "delivered_no_trigger" == str(part.outcome)


@pytest.mark.parametrize(
    ("text", "expected"), [("120", 120), ("-40", -40), ("1240.5", 1240.5), ("0", 0), (None, None)]
)
def test_points_are_numbers(text: str | None, expected: float | None) -> None:
    """Whole where they are whole."""
    found = number(text)

    assert expected == found
    assert type(expected) is type(found)


def test_only_who_takes_loyalty_gets_a_members_profile() -> None:
    """A vendor that knows nothing of members must not be told that one has no subscriptions."""
    taking = {name for name, each in DESTINATIONS.items() if MEMBERS.concerns(each.takes)}

    assert {"attentive", "klaviyo"} == taking
    assert [] == [
        name
        for name, each in DESTINATIONS.items()
        if name not in taking and each.takes & LOYALTY_EVENTS
    ]
