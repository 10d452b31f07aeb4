"""Why something differs: each sign that Kafka or Ordergroove gives, and which one counts first."""

from __future__ import annotations

from typing import Any

import pytest

from streams.model.events import Subscription
from streams.model.subscriber import OrderKey, Profile, Stamp, Subscriber, SubscriptionState
from streams.reconcile.at_source import Held, Theirs, compared, why_here
from streams.reconcile.comparing import Difference, same, shown
from streams.reconcile.reasons import (
    MEANING,
    REPAIRED_BY_READING,
    REPAIRED_BY_SENDING,
    LastOutcome,
    Reason,
    Signs,
    Why,
    why_there,
)

VERSION = 7
REJECTED = LastOutcome("rejected", "HTTP 400", "attributes.email")
SHADOW = LastOutcome("filtered", "shadow", None)
PHONE = LastOutcome("delivered", "phone_number", None)
DELIVERED = LastOutcome("delivered", None, None)
SUPERSEDED = LastOutcome("superseded", None, None)


@pytest.mark.parametrize(
    ("signs", "more", "why"),
    [
        (Signs(), {}, Why(Reason.NEVER_SENT)),
        (Signs(applied=VERSION), {}, Why(Reason.CHANGED_THERE)),
        (Signs(applied=VERSION, last=DELIVERED), {}, Why(Reason.CHANGED_THERE)),
        (Signs(applied=VERSION, last=PHONE), {}, Why(Reason.IGNORED, "phone_number")),
        (Signs(applied=VERSION), {"nobody": True}, Why(Reason.GONE)),
        (Signs(applied=VERSION), {"taken": True}, Why(Reason.TAKEN)),
        (Signs(applied=VERSION - 1), {}, Why(Reason.NOT_APPLIED)),
        (Signs(applied=VERSION - 1, last=SUPERSEDED), {}, Why(Reason.NOT_APPLIED, "superseded")),
        (Signs(applied=VERSION + 1), {}, Why(Reason.NEWER_THERE)),
        (Signs(last=REJECTED), {}, Why(Reason.REFUSED, "rejected, HTTP 400, attributes.email")),
        (Signs(last=SHADOW), {"nobody": True}, Why(Reason.FILTERED, "filtered, shadow")),
        (Signs(applied=3, last=REJECTED, waits="live"), {}, Why(Reason.WAITING, "live")),
        (Signs(waits="low lane", paused=True), {}, Why(Reason.PAUSED, "low lane")),
        (Signs(applied=VERSION, paused=True), {}, Why(Reason.CHANGED_THERE)),
        (Signs(lags=True), {}, Why(Reason.LAG)),
        (Signs(waits="live", lags=True), {}, Why(Reason.WAITING, "live")),
        (Signs(parked=True, waits="live"), {}, Why(Reason.PARKED)),
        (Signs(kept="shadow", parked=True), {}, Why(Reason.MODE, "shadow")),
    ],
)
def test_why_a_vendor_has_something_else(signs: Signs, more: dict[str, bool], why: Why) -> None:
    """From what holds a profile back to what became of it."""
    told = {"nobody": False, "taken": False} | more

    assert why == why_there(VERSION, ["phone_number"], signs, **told)


def test_every_reason_is_explained() -> None:
    """And none is mended in two ways."""
    assert set(Reason) == MEANING.keys()
    assert REPAIRED_BY_READING.isdisjoint(REPAIRED_BY_SENDING)


def row(
    *live: bool, complete: bool = True, stated: bool = False, updated: int = 100, **who: Any
) -> Subscriber:
    """A row with such subscriptions, `s0`, `s1`, … and a person told at 100."""
    subscriptions = {
        f"s{n}": SubscriptionState(
            Subscription(f"s{n}", live=each, updated=updated), OrderKey(updated, updated, 1, "e")
        )
        for n, each in enumerate(live)
    }
    stamp = Stamp(100, 100, "e")
    person = {"email": "noor@shop-demo.io", "first_name": "Noor"} | who
    return Subscriber(
        profile=Profile(**person, stamps=(stamp,), stamped=(0, 0, 0, 0)),
        subscriptions=subscriptions,
        complete=complete,
        stated=stated,
    )


def theirs(*live: bool, changed: int = 100, updated: int = 100, **who: Any) -> Theirs:
    """The same at Ordergroove."""
    person = {
        "email": "Noor@shop-demo.io",
        "phone_number": None,
        "first_name": "Noor",
        "last_name": None,
    } | who
    return Theirs(person, changed, {f"s{n}": Held(each, updated) for n, each in enumerate(live)})


NOBODY = Theirs(None, 0, {})


@pytest.mark.parametrize(
    ("ours", "other", "fields"),
    [
        (row(True, False), theirs(True, False), []),
        (row(), theirs(), []),
        (row(first_name=None), theirs(first_name=None), []),
        (row(last_name="Hale"), theirs(), []),
        (row(), theirs(last_name="Hale"), ["last_name"]),
        (row(True), theirs(False), ["status", "active_subscriptions"]),
        (row(True, True), theirs(True, False), ["active_subscriptions"]),
        (row(), theirs(True), ["status", "active_subscriptions", "total_subscriptions"]),
        (row(True, False), theirs(False, True), ["subscriptions"]),
        (row(True), NOBODY, ["person"]),
        (None, theirs(True), ["person"]),
        (None, theirs(), []),
    ],
)
def test_a_row_beside_ordergroove(
    ours: Subscriber | None, other: Theirs, fields: list[str]
) -> None:
    """Counts, status, who it is; what they do not tell, and the case of an address, is nothing."""
    assert fields == [each.field for each in compared(ours, other)]


@pytest.mark.parametrize(
    ("ours", "other", "more", "reason"),
    [
        (row(True), theirs(True, first_name="X", changed=101), {}, Reason.NO_WEBHOOK),
        (row(True), theirs(True, first_name="X"), {}, Reason.UNEXPLAINED),
        (row(True), theirs(False, updated=101), {}, Reason.UNHEARD),
        (row(True), theirs(False), {}, Reason.UNEXPLAINED),
        (row(True), theirs(True, True), {}, Reason.NO_WEBHOOK),
        (row(True, complete=False), theirs(True, True), {}, Reason.INCOMPLETE),
        (row(True, complete=False, stated=True), theirs(True, True), {}, Reason.NO_WEBHOOK),
        (row(True), NOBODY, {}, Reason.UNKNOWN_THERE),
        (None, theirs(True), {}, Reason.NO_ROW),
        (None, theirs(True), {"given_up": True}, Reason.GIVEN_UP),
        (row(True), theirs(False, updated=101), {"lags": True, "given_up": True}, Reason.LAG),
    ],
)
def test_why_a_row_is_not_ordergrooves(
    ours: Subscriber | None, other: Theirs, more: dict[str, bool], reason: Reason
) -> None:
    """What waits first, then who is unknown, then what is newer where."""
    found = compared(ours, other)
    told = {"lags": False, "given_up": False} | more

    assert found
    assert reason == why_here(ours, other, found, **told).reason


@pytest.mark.parametrize(
    ("field", "ours", "theirs_", "alike"),
    [
        ("email", "a@shop-demo.io", "A@shop-demo.io", True),
        ("first_name", "noor", "Noor", False),
        ("Points", 24, "24", True),
        ("Member", True, "true", True),
        ("Tier", None, None, True),
        ("Tier", None, "Gold", False),
        ("Tier", "Gold", None, False),
    ],
)
def test_what_counts_as_the_same(field: str, ours: Any, theirs_: Any, *, alike: bool) -> None:
    """A vendor may spell a value in its own way."""
    assert alike == same(field, ours, theirs_)


def test_a_person_is_not_shown() -> None:
    """Statuses and counts are; all else of a person only as much as tells two apart, or less."""
    told = [
        Difference("email", "noor@shop-demo.io", "new@shop-demo.io"),
        Difference("phone_number", "+13125550148", None),
        Difference("Ordergroove Subscriber Status", "active", "inactive"),
        Difference("Okendo Next Birthday", "2027-02-28", None),
        Difference("active_subscriptions", 2, 1),
    ]

    assert [
        ("n***@shop-demo.io", "n***@shop-demo.io"),
        ("***48", None),
        ("active", "inactive"),
        ("***", None),
        (2, 1),
    ] == [(each.ours, each.theirs) for each in map(shown, told)]
