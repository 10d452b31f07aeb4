"""The demo's bookkeeping field by field: what a body says, and what Klaviyo is to be sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.written_webhooks import (
    CANCELLED,
    CREATE,
    FLAT,
    KEY,
    NOON,
    PERSON,
    SUBSCRIPTION,
    Json,
    calls,
    klaviyo,
    subscriber,
    webhook,
)


def test_a_phone_in_us_spelling_is_sent_as_e164() -> None:
    """(312) 555-0148 and 312-555-0148 are +13125550148; what is no number is left out."""
    sent = [
        calls(klaviyo([subscriber(1, phone_number=spelling)]))[0][1]["data"]["attributes"]
        for spelling in ("(312) 555-0148", "312-555-0148", "1-312-555-0148", "n/a")
    ]

    assert [PERSON, PERSON, PERSON] == sent[:3]
    assert "phone_number" not in sent[3]


REASONS = {
    "code and text": ("8|Costs too much", 8, "Costs too much", 8),
    "code as text": ("8|Costs too much", "8", "Costs too much", 8),
    "only the first pipe splits": ("1|other|Moving", 1, "other|Moving", 1),
    "code without text": ("4|", "4|", None, 4),
    "text without code": ("Moving abroad", None, "Moving abroad", None),
    "code in the text alone": ("9|Disengaged", None, "Disengaged", 9),
    "nothing": ("", None, None, None),
}


@pytest.mark.parametrize(("reason", "code", "text", "number"), REASONS.values(), ids=REASONS.keys())
def test_a_cancel_reason_is_read_in_every_shape(
    reason: str, code: Any, text: str | None, number: int | None
) -> None:
    """What is not told is left out of the cancel event."""
    told = CANCELLED | {"cancel_reason": reason, "cancel_reason_code": code}
    book = klaviyo([subscriber(1), webhook(4, "subscription.cancel", NOON + 1_001, told)])
    sent = calls(book)[1][1]["data"]["attributes"]["properties"]

    assert (text, number, text) == (
        sent.get("cancel_reason"),
        sent.get("cancel_reason_code"),
        sent.get("cancel_reason_message"),
    )


FREQUENCIES = {
    "days, one": (1, 1, "Every day"),
    "days": (30, 1, "Every 30 days"),
    "weeks": (8, 2, "Every 8 weeks"),
    "months, one": (1, 3, "Every month"),
    "years, one": (1, 4, "Every year"),
    "unknown": (None, None, None),
}


@pytest.mark.parametrize(("every", "period", "words"), FREQUENCIES.values(), ids=FREQUENCIES.keys())
def test_a_frequency_is_put_into_words(
    every: int | None, period: int | None, words: str | None
) -> None:
    """As DESIGN §6 words it; left out where the source says nothing."""
    told = SUBSCRIPTION | {"every": every, "every_period": period}
    book = klaviyo([subscriber(1), webhook(2, "subscription.create", NOON, told)])
    sent = calls(book)[1][1]["data"]["attributes"]["properties"]

    assert words == sent.get("frequency_description")


def test_a_list_is_cut_at_the_newest_25() -> None:
    """27 end together: the 25 newest are listed, all are counted, the oldest is the prepaid one."""
    many = [
        SUBSCRIPTION | {"public_id": f"S{90 - age}", "created": NOON - age} for age in range(27)
    ]
    many[26]["prepaid_subscription_context"] = {"prepaid_orders_remaining": 1}
    dead = [one | {"live": False, "updated": NOON + 60} for one in many]
    bodies = [
        subscriber(1),
        *[webhook(100 + i, "subscription.create", NOON, one) for i, one in enumerate(many)],
        *[webhook(200 + i, "subscription.cancel", NOON + 60, one) for i, one in enumerate(dead)],
    ]
    told = klaviyo(bodies).requests[KEY]
    farewell = next(one.body for one in told if one.type == "subscriber.cancel")
    properties = farewell["data"]["attributes"]["properties"]

    assert [f"S{90 - age}" for age in range(25)] == [
        one["id"] for one in properties["subscriptions_subset"]
    ]
    assert 27 == properties["total_subscriptions_count"]
    assert properties["has_prepaid"]


def test_an_entitlement_is_seen_where_it_belongs() -> None:
    """Tied to one of two subscriptions, it is shown on that one's events only."""
    grant = {
        "merchant": "M",
        "customer": "0088",
        "entitlements": [
            {
                "public_id": "E1",
                "access_type": "time_based",
                "last_updated": NOON,
                "expiration": 1_816_800_517,
                "grace_period": 86_400,
                "live": True,
                "resource": {"public_id": "R1", "name": "Recipe vault"},
                "entitlement_transaction": {
                    "source_object": "subscription",
                    "source_object_id": "S1",
                },
            }
        ],
    }
    other = SUBSCRIPTION | {"public_id": "S2"}
    bodies = [
        subscriber(1),
        CREATE,
        webhook(15, "subscription.create", NOON, other),
        webhook(16, "entitlement.entitlements_granted", NOON, grant),
        webhook(17, "subscription.change_quantity", NOON + 5, SUBSCRIPTION | {"updated": NOON + 5}),
        webhook(18, "subscription.change_quantity", NOON + 5, other | {"updated": NOON + 5}),
    ]
    first, second = (
        body["data"]["attributes"]["properties"] for _, body in calls(klaviyo(bodies))[4:6]
    )

    assert (
        FLAT
        | {
            "entitlement_summaries": [
                {
                    "live": True,
                    "merchant": "M",
                    "identified_product": "44120991",
                    "resource_name": "Recipe vault",
                    "expires_at": "2027-07-28T18:48:37.000Z",
                    "access_type": "time_based",
                    "grace_expires_at": "2027-07-29T18:48:37.000Z",
                    "merchant_user_id": "0088",
                    "resource_public_id": "R1",
                }
            ],
            "meta_entitlement_expires_at": "July 28, 2027 at 02:48 PM",
            "has_grace_entitlement": False,
            "has_active_entitlement": True,
        }
        == first
    )
    assert FLAT | {"id": "S2"} == second


@pytest.mark.parametrize(
    ("others", "shown"), [([], True), ([SUBSCRIPTION | {"public_id": "S2"}], False)], ids=["1", "2"]
)
def test_an_untied_entitlement_belongs_to_an_only_subscription(
    others: list[Json], shown: bool
) -> None:
    """Then it is seen on an order, too, of which no line is shown; with two, nobody can tell."""
    transaction = {"source_object": "item", "source_object_id": "I77"}
    entitlement = {
        "public_id": "E1",
        "access_type": "time_based",
        "last_updated": NOON,
        "expiration": NOON + 90,
        "grace_period": 0,
        "live": True,
        "resource": {"public_id": "R1", "name": "Recipe vault"},
        "entitlement_transaction": transaction,
    }
    whose = {"merchant": "M", "customer": "0088"}
    grant = whose | {"entitlements": [entitlement]}
    bodies = [
        subscriber(1),
        CREATE,
        *[webhook(15, "subscription.create", NOON, other) for other in others],
        webhook(16, "entitlement.entitlements_granted", NOON, grant),
        webhook(28, "order.reminder", NOON + 90, whose | {"public_id": "O1"}),
    ]
    told = klaviyo(bodies).requests[KEY]
    reminder = next(one.body for one in told if one.type == "order.reminder")
    sent = reminder["data"]["attributes"]["properties"]
    summaries = sent.get("entitlement_summaries", [])

    assert [("44120991", None)] * shown == [
        (one["identified_product"], one["grace_expires_at"]) for one in summaries
    ]
    assert (False if shown else None) == sent.get("has_grace_entitlement")
