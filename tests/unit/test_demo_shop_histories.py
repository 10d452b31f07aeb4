"""The demo's bookkeeping on histories written by hand, with the calls written by hand as well."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.support.written_webhooks import (
    CANCEL,
    CHANGE_LIVE,
    CREATE,
    FLAT,
    LISTED,
    NOON,
    PERSON,
    REACTIVATE,
    SUBSCRIPTION,
    Json,
    books,
    calls,
    event,
    klaviyo,
    profile,
    subscriber,
    webhook,
)

STATUS_ACTIVE = {"Ordergroove Subscriber Status": "active"}
TELLING = profile(**PERSON)
CREATED = event(
    "ordergroove.subscription.create",
    "add82879-5b7f-5b75-b71c-e061b409a1f9",
    "2026-09-21T14:13:20+00:00",
    FLAT,
    "active",
)
WELCOME = event(
    "ordergroove.subscriber.create",
    "e93640cf-1f34-54e6-b78f-219014a6facd",
    "2026-09-21T14:13:20+00:00",
    PERSON
    | {"has_prepaid": False, "total_subscriptions_count": 1, "subscriptions_subset": [LISTED]},
    "active",
)
ENDED = event(
    "ordergroove.subscription.cancel",
    "6302b034-36e2-598e-ab40-ed5ade30afb9",
    "2026-09-21T14:30:01+00:00",
    FLAT
    | {
        "cancel_reason": "Costs too much",
        "cancel_reason_code": 8,
        "cancel_reason_message": "Costs too much",
    },
    "inactive",
)
FAREWELL = event(
    "ordergroove.subscriber.cancel",
    "342a686c-4856-59b1-8d92-90316b57c718",
    "2026-09-21T14:30:00+00:00",
    PERSON
    | {"has_prepaid": False, "total_subscriptions_count": 1, "subscriptions_subset": [LISTED]},
    "inactive",
)
CHECKED_OUT = event(
    "ordergroove.subscriber.subscriptions_created",
    "766a95cb-d253-5f26-af56-a700e60270e8",
    "2026-09-21T14:13:20+00:00",
    PERSON | {"has_prepaid": False, "subscriptions_subset": [LISTED]},
    "active",
)
BACK = event(
    "ordergroove.subscription.reactivate",
    "0d7bfde3-460a-50ed-9907-898d439cacb8",
    "2026-09-21T14:46:40+00:00",
    FLAT,
    "active",
)


def of_former(body: Json, **changes: Any) -> Json:
    """The same event, late, of somebody who is inactive by then."""
    changed: Json = json.loads(json.dumps(body))
    attributes = changed["data"]["attributes"]
    person = attributes["profile"]["data"]["attributes"]
    person["properties"] = {"Ordergroove Subscriber Status": "inactive"}
    attributes.update(changes, backfill=True)
    return changed


EVENTS, IMPORT = "/api/events", "/api/profile-import"
NOBODY = webhook(11, "subscription.create", NOON, SUBSCRIPTION, context={"source": "XML IMPORT"})
HISTORIES = {
    "who somebody is, then a first subscription": (
        [subscriber(1), CREATE],
        [(IMPORT, TELLING), (EVENTS, CREATED), (EVENTS, WELCOME), (EVENTS, CHECKED_OUT)],
    ),
    "the last one cancelled, both types of reactivation": (
        [subscriber(1), CREATE, CANCEL, CHANGE_LIVE, REACTIVATE],
        [
            (IMPORT, TELLING),
            (EVENTS, CREATED),
            (EVENTS, WELCOME),
            (EVENTS, ENDED),
            (EVENTS, FAREWELL),
            (EVENTS, BACK),
            (EVENTS, CHECKED_OUT),
        ],
    ),
    "repeated by id and by fact": (
        [
            subscriber(1),
            CREATE,
            CREATE,
            webhook(12, "subscription.create", NOON, dict(reversed(SUBSCRIPTION.items()))),
        ],
        [(IMPORT, TELLING), (EVENTS, CREATED), (EVENTS, WELCOME), (EVENTS, CHECKED_OUT)],
    ),
    "first seen dead, the create comes late": (
        [subscriber(1), CANCEL, CREATE],
        [
            (IMPORT, TELLING),
            (EVENTS, ENDED),
            (EVENTS, of_former(WELCOME, time="2026-09-21T14:30:01+00:00")),
            (EVENTS, FAREWELL),
            (EVENTS, of_former(CREATED)),
            (EVENTS, of_former(CHECKED_OUT)),
        ],
    ),
    "an import starts nothing": (
        [subscriber(1), NOBODY],
        [(IMPORT, TELLING), (IMPORT, profile(**PERSON, properties=STATUS_ACTIVE))],
    ),
    "an edit shown by something nobody takes": (
        [
            subscriber(1),
            webhook(
                13,
                "order.delete",
                NOON + 60,
                {"merchant": "M", "customer": "0088", "public_id": "O1"},
                snapshot={
                    "customer": {
                        "email": " n.hale@shop-demo.io ",
                        "phone_number": "",
                        "first_name": "Noor",
                        "last_name": "Hale",
                        "last_updated": "2026-09-21 09:14:00",
                    }
                },
            ),
        ],
        [(IMPORT, TELLING), (IMPORT, profile(**PERSON | {"email": "n.hale@shop-demo.io"}))],
    ),
    "nobody can be reached": (
        [subscriber(1, email=None, phone_number="n/a"), CREATE],
        [],
    ),
}


@pytest.mark.parametrize(("bodies", "wanted"), HISTORIES.values(), ids=HISTORIES.keys())
def test_a_history_gives_these_calls(bodies: list[bytes], wanted: list[tuple[str, Json]]) -> None:
    """The books expect exactly these calls, in this order."""
    assert wanted == calls(klaviyo(bodies))


def test_a_farewell_is_told_once() -> None:
    """Late news of an older subscription lead to the same last end again, which is known."""
    older = SUBSCRIPTION | {"public_id": "S2"}
    ended = older | {"live": False, "updated": NOON + 500}
    book = klaviyo(
        [
            subscriber(1),
            CREATE,
            CANCEL,
            webhook(26, "subscription.create", NOON, older),
            webhook(27, "subscription.cancel", NOON + 500, ended),
        ]
    )

    assert 1 == book.deliveries["subscriber.cancel"]


def test_everything_is_counted() -> None:
    """What could not be read, was repeated, overtaken, withheld or refused has its number."""
    change = webhook(3, "subscription.change_payment", NOON, SUBSCRIPTION)
    order = {"merchant": "M", "customer": "0088", "public_id": "O1"}
    unreachable = webhook(20, "subscription.create", NOON, SUBSCRIPTION | {"customer": "0099"})
    book = books(
        [
            subscriber(1),
            CREATE,
            CREATE,
            change,
            unreachable,
            b"<html>",
            webhook(21, "order.teleport", NOON, order),
            webhook(22, "order.success", NOON, order | {"customer": ""}),
            webhook(23, "order.success", NOON, {"merchant": "M", "customer": "0088"}),
            webhook(24, "subscription.create", NOON, SUBSCRIPTION | {"live": "maybe"}),
            webhook(25, "order.success", NOON, order | {"extra_data": "x" * 1_000_000}),
        ]
    )

    assert (11, 5) == (book.bodies, book.records)
    assert {
        "malformed": 1,
        "unknown_type": 1,
        "no_customer": 1,
        "missing_field": 1,
        "wrong_type": 1,
        "too_large": 1,
    } == book.dead_letters
    assert {"derived_mode": 1} == book.withheld
    assert (1, 1, 1) == tuple(book.noticed[name] for name in ("repeated_id", "stale", "late"))
    assert (2, 2) == tuple(book.noticed[name] for name in ("checkout of 1", "checkout, last"))
    assert {"rejected": 3} == book.ledgers["klaviyo"].dead_letters
    assert {
        "subscription.create": 2,
        "subscriber.create": 2,
        "subscription.change_payment": 1,
        "subscriber.subscriptions_created": 2,
        "profile.changed": 1,
    } == book.ledgers["klaviyo"].deliveries
    assert {
        ("profile", "delivered", None): 1,
        ("event", "delivered", None): 3,
        ("event", "delivered_no_trigger", None): 1,
        ("event", "rejected", "no_identifier"): 3,
    } == Counter(
        (one.part.name, one.part.outcome, one.part.reason)
        for one in book.ledgers["klaviyo"].parts.values()
    )
