"""The demo's bookkeeping for Ometria: histories by hand, with records and outcomes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.demo.compare import Received, compare
from streams.demo.parts import Labels
from streams.model.ids import delivery_id
from tests.support.written_webhooks import (
    CANCEL,
    CANCELLED,
    CHANGE_LIVE,
    CREATE,
    KEY,
    NOON,
    OATS,
    SUBSCRIPTION,
    Json,
    books,
    subscriber,
    webhook,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.demo.ledger import Ledger

PUSH = "/v2/push"
WHO = {"identity_email": "noor.hale@shop-demo.io", "identity_account_id": "0088"}
BEGUN, OVER = "2026-09-21T14:13:20.000Z", "2026-09-21T14:30:01.000Z"
SOLD = {"delivery_frequency": "Every 8 weeks", "product_set": ["44120991"]}


def ometria(bodies: Iterable[bytes]) -> Ledger:
    """What those come to at Ometria."""
    return books(bodies).ledgers["ometria"]


def calls(ledger: Ledger) -> list[tuple[str, Any]]:
    """What is expected for the one customer of these tests."""
    return [(one.path, one.body) for one in ledger.requests.get(KEY, [])]


def contact(status: str, active: int, total: int, **fields: str) -> tuple[str, list[Json]]:
    """A contact, contracts/ometria.md §4."""
    record = {
        "@type": "contact",
        "@collection": "ordergroove",
        "@merge": True,
        "id": "0088",
        "customer_id": "0088",
        "email": "noor.hale@shop-demo.io",
        "properties": {
            "ordergroove_status": status,
            "active_subscriptions": active,
            "total_subscription": total,
        },
    }
    return PUSH, [record | fields]


def event(source: str, kind: str, at: str, properties: Json, **who: str) -> tuple[str, list[Json]]:
    """A custom event, contracts/ometria.md §3."""
    name = "order_reminder" if kind == "order.reminder" else "subscription_event"
    return PUSH, [
        {
            "@type": "custom_event",
            "id": delivery_id(source, kind, "ometria"),
            "timestamp": at,
            "event_type": f"Ordergroove_{name}",
            **(who or WHO),
            "properties": properties,
        }
    ]


CREATED = event("ev-2", "subscription.create", BEGUN, SOLD)
ENDED = event("ev-4", "subscription.cancel", OVER, SOLD | {"cancellation_reason": "Costs too much"})
MOVED = {"email": "n.hale@shop-demo.io"}

HISTORIES: dict[str, tuple[list[bytes], list[tuple[str, list[Json]]]]] = {
    "who somebody is means nothing without a subscription": ([subscriber(1)], []),
    "a first subscription: the contact, then the event": (
        [subscriber(1), CREATE],
        [contact("active", 1, 1), CREATED],
    ),
    "the last one cancelled: it still counts among all": (
        [subscriber(1), CREATE, CANCEL],
        [contact("active", 1, 1), CREATED, contact("inactive", 0, 1), ENDED],
    ),
    "what is no event here changes the contact": (
        [subscriber(1), CREATE, CANCEL, CHANGE_LIVE],
        [
            *(contact("active", 1, 1), CREATED),
            *(contact("inactive", 0, 1), ENDED),
            contact("active", 1, 1),
        ],
    ),
    "a new address is told": (
        [subscriber(1), CREATE, subscriber(30, **MOVED, last_updated=NOON + 60)],
        [contact("active", 1, 1), CREATED, contact("active", 1, 1, **MOVED)],
    ),
    "first seen dead: the late event is not sent": (
        [subscriber(1), CANCEL, CREATE],
        [contact("inactive", 0, 1), ENDED],
    ),
    "without an address the customer's id finds the contact": (
        [CREATE],
        [event("ev-2", "subscription.create", BEGUN, SOLD, identity_account_id="0088")],
    ),
    "an address that is none is as good as none": (
        [subscriber(1, email="at the office"), CREATE],
        [event("ev-2", "subscription.create", BEGUN, SOLD, identity_account_id="0088")],
    ),
}


@pytest.mark.parametrize(("bodies", "wanted"), HISTORIES.values(), ids=HISTORIES.keys())
def test_a_history_gives_these_records(
    bodies: list[bytes], wanted: list[tuple[str, list[Json]]]
) -> None:
    """The books expect exactly these records, in this order, each in a push of its own."""
    assert wanted == calls(ometria(bodies))


ORDER: Json = {"merchant": "M", "customer": "0088", "public_id": "O1"}
REMINDER = webhook(5, "order.reminder", NOON, ORDER)

PARTS: dict[str, tuple[list[bytes], list[str]]] = {
    "a contact is told once": (
        [subscriber(1), CREATE, REMINDER],
        [
            "profile.changed: event filtered nothing_to_send",
            "subscription.create: profile delivered, event delivered",
            "order.reminder: profile duplicate unchanged, event delivered",
        ],
    ),
    "a late event is not sent": (
        [subscriber(1), CANCEL, CREATE],
        [
            "profile.changed: event filtered nothing_to_send",
            "subscription.cancel: profile delivered, event delivered",
            "subscription.create: profile duplicate unchanged, event filtered late",
        ],
    ),
    "a contact without an address is given up": (
        [CREATE],
        ["subscription.create: profile rejected missing_field, event delivered"],
    ),
}


@pytest.mark.parametrize(("bodies", "wanted"), PARTS.values(), ids=PARTS.keys())
def test_a_history_has_these_outcomes(bodies: list[bytes], wanted: list[str]) -> None:
    """Of each delivery, part by part."""
    found: dict[tuple[str, str], list[str]] = {}
    for (delivery, name), one in ometria(bodies).parts.items():
        told = (name, one.part.outcome, one.part.reason)
        found.setdefault((delivery, one.type), []).append(" ".join(filter(None, told)))

    assert wanted == [f"{kind}: {', '.join(each)}" for (_, kind), each in found.items()]


def test_an_event_is_fresh_for_four_hours() -> None:
    """After that it enters no campaign, which the outcome says."""
    parts = ometria([subscriber(1), CREATE]).parts.values()
    fresh = {one.part.fresh_until for one in parts if one.part.name == "event"} - {None}

    assert {(NOON + 4 * 3_600) * 1_000} == fresh


REASONS = {
    "text": ("8|Costs too much", "Costs too much"),
    "code alone": ("4|", "not given"),
    "nothing": (None, "not given"),
}


@pytest.mark.parametrize(("reason", "told"), REASONS.values(), ids=REASONS.keys())
def test_a_cancellation_always_has_a_reason(reason: str | None, told: str) -> None:
    """That is what tells it from a creation, which never has one."""
    ended = webhook(4, "subscription.cancel", NOON + 1, CANCELLED | {"cancel_reason": reason})
    came = webhook(2, "subscription.create", NOON, SUBSCRIPTION | {"cancel_reason": "8|Old"})
    events = [body[0] for _, body in calls(ometria([subscriber(1), came, ended]))[1::2]]

    assert [None, told] == [one["properties"].get("cancellation_reason") for one in events]


def test_a_subscription_shows_its_product_s_page_and_picture() -> None:
    """As far as a snapshot told them."""
    page = {"detail_url": "https://shop-demo.io/p/oat", "image_url": "https://shop-demo.io/oat.png"}
    body = webhook(
        2, "subscription.create", NOON, SUBSCRIPTION, snapshot={"products": [OATS | page]}
    )

    assert SOLD | page == calls(ometria([subscriber(1), body]))[1][1][0]["properties"]


LINES = [
    {"public_id": f"I{place}", "order": "O1", "product": product, "quantity": 1}
    for place, product in enumerate(["7", "5", "7", *["5"] * 25, "9"])
]
VALUES = {"42.00": 42, "42.49": 42, "42.50": 43, "43.50": 44, "0.50": 1, None: None}


@pytest.mark.parametrize(("total", "value"), VALUES.items(), ids=map(str, VALUES))
def test_a_reminder_has_whole_dollars_and_each_product_once(
    total: str | None, value: int | None
) -> None:
    """Half a dollar is rounded up; ids are text, in the order's order, however many lines."""
    body = webhook(5, "order.reminder", NOON, ORDER | {"total": total}, snapshot={"items": LINES})
    told = {"order_id": "O1", "product_set": ["7", "5", "9"]}
    wanted = event(
        "ev-5", "order.reminder", BEGUN, told if value is None else told | {"total_value": value}
    )

    assert [wanted] == calls(ometria([subscriber(1), body]))


LABELS: dict[str, tuple[object, Labels]] = {
    "an event": (CREATED[1], Labels(CREATED[1][0]["id"], ("0088", "noor.hale@shop-demo.io"))),
    "a contact": (contact("active", 1, 1)[1], Labels(None, ("0088", "noor.hale@shop-demo.io"))),
    "nothing": ([], Labels("None", ())),
    "no list": ({"id": "x"}, Labels("None", ())),
}


@pytest.mark.parametrize(("body", "labels"), LABELS.values(), ids=LABELS.keys())
def test_a_record_is_known_by_its_labels(body: object, labels: Labels) -> None:
    """An event's id, whose contact it is; what has no shape has none of them."""
    assert labels == ometria([]).vendor.labels(body)


def test_the_records_of_a_push_are_compared_one_by_one() -> None:
    """Two of one customer in one push; the second differs in one property."""
    book = ometria([subscriber(1), CREATE, CANCEL])
    wanted = [body[0] for _, body in calls(book)]
    pushes = [[wanted[0]], [wanted[1], wanted[2]], [wanted[3]]]
    came = [Received(PUSH, one) for push in pushes for one in book.vendor.records(push)]
    properties = wanted[3]["properties"] | {"cancellation_reason": "not given"}
    wrong = [*came[:3], Received(PUSH, [wanted[3] | {"properties": properties}])]

    assert compare(book, came).ok
    assert [(KEY, "Costs too much", "not given")] == [
        (one.customer, one.expected, one.got) for one in compare(book, wrong).differences
    ]
