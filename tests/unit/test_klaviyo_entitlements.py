"""Klaviyo's entitlement fields (seed 001, base payloads of subscriptions and orders)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from streams.model.delivery import Options
from streams.model.enriched import EntitlementView
from tests.support.enriched import AT, bare, properties
from tests.support.webhooks import CUSTOMER, MERCHANT

SECOND = 1000
GRACE = 86_400
END = int(datetime.fromisoformat("2027-07-28T18:48:37.783Z").timestamp() * 1000)
"""The end that the page prints, in both of its forms."""

PASS = EntitlementView("e1", live=True, expires_at=AT, grace_period=GRACE)


def told(*entitlements: EntitlementView, **options: Any) -> dict[str, Any]:
    """The entitlement fields of a subscription's event."""
    event = bare("subscription.create", entitlements=list(entitlements))
    found = properties(event, Options(**options))
    found.pop("id")
    return found


def test_a_summary_has_every_key() -> None:
    """A summary has all keys of the page, in its order; times are ISO with milliseconds."""
    whole = EntitlementView(
        "e1",
        live=True,
        access_type="time_based",
        expires_at=END,
        grace_period=GRACE,
        resource_id="49d79c3cbcc54f0983ea95c04b68fc28",
        resource_name="Ad Free Music Streaming",
        product="701644259235M",
    )
    expected = {
        "live": True,
        "merchant": MERCHANT,
        "identified_product": "701644259235M",
        "resource_name": "Ad Free Music Streaming",
        "expires_at": "2027-07-28T18:48:37.783Z",
        "access_type": "time_based",
        "grace_expires_at": "2027-07-29T18:48:37.783Z",
        "merchant_user_id": CUSTOMER,
        "resource_public_id": "49d79c3cbcc54f0983ea95c04b68fc28",
    }
    [summary] = told(whole)["entitlement_summaries"]

    assert list(expected.items()) == list(summary.items())


def test_what_a_summary_does_not_know_is_null() -> None:
    """Inside a summary unknown is null, as the page prints None."""
    [summary] = told(EntitlementView("e1"))["entitlement_summaries"]

    assert {
        "live": None,
        "merchant": MERCHANT,
        "identified_product": None,
        "resource_name": None,
        "expires_at": None,
        "access_type": None,
        "grace_expires_at": None,
        "merchant_user_id": CUSTOMER,
        "resource_public_id": None,
    } == summary


def test_without_end_is_until_the_calendars_end() -> None:
    """An end in 9999 stands for none; its grace does not go beyond."""
    forever = int(datetime.fromisoformat("9999-12-31T00:00:00Z").timestamp() * 1000)
    found = told(replace(PASS, expires_at=forever, grace_period=7 * GRACE))

    assert "December 30, 9999 at 07:00 PM" == found["meta_entitlement_expires_at"]
    assert "9999-12-31T23:59:59.999Z" == found["entitlement_summaries"][0]["grace_expires_at"]


@pytest.mark.parametrize("grace", [None, 0])
def test_without_grace_there_is_no_end_of_it(grace: int | None) -> None:
    """grace_expires_at is null where there is no grace period."""
    [summary] = told(replace(PASS, grace_period=grace))["entitlement_summaries"]

    assert summary["grace_expires_at"] is None


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        pytest.param("America/New_York", "July 28, 2027 at 02:48 PM", id="the page's own pair"),
        pytest.param("UTC", "July 28, 2027 at 06:48 PM", id="Greenwich"),
        pytest.param("Asia/Tokyo", "July 29, 2027 at 03:48 AM", id="the next morning"),
    ],
)
def test_the_end_is_told_in_words(zone: str, text: str) -> None:
    """The page's pair 18:48:37Z and 02:48 PM is in New York; a zone may be chosen."""
    assert (
        text
        == told(replace(PASS, expires_at=END), display_zone=zone)["meta_entitlement_expires_at"]
    )


def test_the_latest_end_is_told() -> None:
    """meta_entitlement_expires_at is the greatest end; an entitlement without one has no say."""
    ends = [END - 30 * GRACE * SECOND, END, None]
    found = told(*(replace(PASS, id=str(end), expires_at=end) for end in ends))

    assert "July 28, 2027 at 02:48 PM" == found["meta_entitlement_expires_at"]
    assert 3 == len(found["entitlement_summaries"])


def test_without_an_end_nothing_is_told_of_it() -> None:
    """An entitlement without an end leaves meta_entitlement_expires_at out."""
    assert "meta_entitlement_expires_at" not in told(replace(PASS, expires_at=None))


@pytest.mark.parametrize(
    ("lives", "active"),
    [([True, False], True), ([False, False], False), ([None], False)],
    ids=["one of them", "none", "not told"],
)
def test_any_live_one_makes_it_active(lives: list[bool | None], active: bool) -> None:
    """has_active_entitlement: at least one is live."""
    assert active is told(*(replace(PASS, live=live) for live in lives))["has_active_entitlement"]


@pytest.mark.parametrize(
    ("expires_at", "grace", "expected"),
    [
        pytest.param(AT + 1, GRACE, False, id="not yet expired"),
        pytest.param(AT, GRACE, True, id="expires now"),
        pytest.param(AT - GRACE * SECOND + 1, GRACE, True, id="last moment of grace"),
        pytest.param(AT - GRACE * SECOND, GRACE, False, id="grace is over"),
        pytest.param(AT, 0, False, id="no grace"),
        pytest.param(AT, None, False, id="grace not told"),
        pytest.param(None, GRACE, False, id="no end"),
    ],
)
def test_grace_is_judged_at_the_events_time(
    expires_at: int | None, grace: int | None, expected: bool
) -> None:
    """has_grace_entitlement: expired at the event's own time, and still within grace."""
    pass_ = replace(PASS, expires_at=expires_at, grace_period=grace)

    assert expected is told(pass_)["has_grace_entitlement"]


@pytest.mark.parametrize("event_type", ["subscription.sku_swap", "order.reminder"])
def test_nothing_known_is_nothing_said(event_type: str) -> None:
    """Without entitlements all four fields are absent: false would be a claim."""
    fields = {
        "entitlement_summaries",
        "meta_entitlement_expires_at",
        "has_grace_entitlement",
        "has_active_entitlement",
    }

    assert set() == fields & set(properties(bare(event_type)))
    assert fields == fields & set(properties(bare(event_type, entitlements=[PASS])))
