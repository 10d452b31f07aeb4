"""The demo's books of checkouts: who is told of together, when, and under which id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from streams.demo.expected import Bookkeeping
from tests.support.written_webhooks import FED, KEY, NOON, SUBSCRIPTION, subscriber, webhook

if TYPE_CHECKING:
    from streams.demo.ledger import ExpectedRequest

Arrivals = list[tuple[int, bytes]]
"""(milliseconds after the first, webhook)."""


def made(name: str, created: int = NOON, **more: Any) -> bytes:
    """A subscription is made in the checkout with order number 70441."""
    told = SUBSCRIPTION | {"public_id": name, "created": created, "merchant_order_id": "70441"}
    told |= {"updated": created, **more}
    number = crc32(repr((name, created, more)).encode())
    return webhook(number, "subscription.create", created, told)


def ended(name: str) -> bytes:
    """A subscription ends a minute after it was made."""
    told = SUBSCRIPTION | {"public_id": name, "live": False, "updated": NOON + 60}
    return webhook(ord(name[1]) + 5_000, "subscription.cancel", NOON + 60, told)


def changed(name: str, quantity: int) -> bytes:
    """A subscription's quantity changes a minute after it was made."""
    told = SUBSCRIPTION | {"public_id": name, "quantity": quantity, "updated": NOON + 60}
    return webhook(ord(name[1]) + 6_000, "subscription.change_quantity", NOON + 60, told)


REMINDER = webhook(
    7_000, "order.reminder", NOON, {"merchant": "M", "customer": "0088", "public_id": "O1"}
)
HELLO = (0, subscriber(1))


def sent(arrivals: Arrivals) -> list[ExpectedRequest]:
    """What Klaviyo is to be sent for the customer, but for the first profile call."""
    book = Bookkeeping()
    for after, body in [HELLO, *arrivals]:
        book.arrive(body, FED + after)
    book.end()
    return book.ledgers["klaviyo"].requests[KEY][1:]


def told(arrivals: Arrivals) -> list[str]:
    """The same in short: `checkout S1 S2`, `checkout S1, late`, else the type and its object."""
    return [_short(one) for one in sent(arrivals)]


def _short(one: ExpectedRequest) -> str:
    attributes = one.body["data"]["attributes"]
    properties = attributes["properties"]
    late = ", late" if attributes.get("backfill") else ""
    if one.type == "subscriber.subscriptions_created":
        return " ".join(["checkout", *(each["id"] for each in _listed(one))]) + late
    about = f" {properties['id']}" if "id" in properties else ""
    return f"{one.type}{about}{late}"


def _listed(one: ExpectedRequest) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = one.body["data"]["attributes"]["properties"][
        "subscriptions_subset"
    ]
    return listed


WELCOME = "subscriber.create"
S1, S2, S3 = (f"subscription.create S{number}" for number in (1, 2, 3))
TOLD: dict[str, tuple[Arrivals, list[str]]] = {
    "together, at the end": (
        [(0, made("S1")), (1, made("S2")), (2, made("S3"))],
        [S1, WELCOME, S2, S3, "checkout S1 S2 S3"],
    ),
    "told before the next record, once it is over": (
        [(0, made("S1")), (5_000, REMINDER)],
        [S1, WELCOME, "checkout S1", "order.reminder"],
    ),
    "not told before it is over": (
        [(0, made("S1")), (4_999, REMINDER)],
        [S1, WELCOME, "order.reminder", "checkout S1"],
    ),
    "who comes just before the close belongs to it": (
        [(0, made("S1")), (4_999, made("S2"))],
        [S1, WELCOME, S2, "checkout S1 S2"],
    ),
    "who comes at the close makes another event": (
        [(0, made("S1")), (5_000, made("S2"))],
        [S1, WELCOME, "checkout S1", S2, "checkout S2"],
    ),
    "the first member sets the close, no later one moves it": (
        [(0, made("S1")), (4_000, made("S2")), (6_000, made("S3"))],
        [S1, WELCOME, S2, "checkout S1 S2", S3, "checkout S3"],
    ),
    "another order number is another checkout, by number if they close together": (
        [(0, made("S1", merchant_order_id="B")), (0, made("S2", merchant_order_id="A"))],
        [S1, WELCOME, S2, "checkout S2", "checkout S1"],
    ),
    "the one that closes first is told first": (
        [(0, made("S1", merchant_order_id="B")), (1, made("S2", merchant_order_id="A"))],
        [S1, WELCOME, S2, "checkout S1", "checkout S2"],
    ),
    "without an order number: session and second": (
        [
            (0, made("S1", merchant_order_id="", session_id="V1")),
            (0, made("S2", merchant_order_id=None, session_id="V1")),
        ],
        [S1, WELCOME, S2, "checkout S1 S2"],
    ),
    "another session of the same second": (
        [
            (0, made("S1", merchant_order_id="", session_id="V1")),
            (1, made("S2", merchant_order_id="", session_id="V2")),
        ],
        [S1, WELCOME, S2, "checkout S1", "checkout S2"],
    ),
    "another second of the same session": (
        [
            (0, made("S1", merchant_order_id="", session_id="V1")),
            (1, made("S2", NOON + 1, merchant_order_id="", session_id="V1")),
        ],
        [S1, WELCOME, S2, "checkout S1", "checkout S2"],
    ),
    "neither number nor session: the second alone": (
        [(0, made("S1", merchant_order_id="")), (1, made("S2", merchant_order_id=None))],
        [S1, WELCOME, S2, "checkout S1 S2"],
    ),
    "the number outweighs session and second": (
        [(0, made("S1", session_id="V1")), (1, made("S2", NOON + 1, session_id="V2"))],
        [S1, WELCOME, S2, "checkout S2 S1"],
    ),
    "a repetition opens nothing": (
        [(0, made("S1")), (5_000, made("S1")), (5_001, REMINDER)],
        [S1, WELCOME, "checkout S1", "order.reminder"],
    ),
    "told twice of the same subscription": (
        [(0, made("S1")), (1, made("S1", quantity=6, updated=NOON + 1))],
        [S1, WELCOME, S1, "checkout S1"],
    ),
    "who has left by then is listed beside who stays": (
        [(0, made("S1")), (1, made("S2")), (2, ended("S1"))],
        [S1, WELCOME, S2, "subscription.cancel S1", "checkout S1 S2"],
    ),
    "all have left by then": (
        [(0, made("S1")), (2, ended("S1"))],
        [S1, WELCOME, "subscription.cancel S1", "subscriber.cancel", "checkout S1, late"],
    ),
    "all were overtaken": (
        [(0, changed("S1", 6)), (1, made("S1"))],
        ["subscription.change_quantity S1", WELCOME, f"{S1}, late", "checkout S1, late"],
    ),
    "one of them was overtaken": (
        [(0, changed("S1", 6)), (1, made("S1")), (2, made("S2"))],
        ["subscription.change_quantity S1", WELCOME, f"{S1}, late", S2, "checkout S1 S2"],
    ),
}


@pytest.mark.parametrize(("arrivals", "wanted"), TOLD.values(), ids=TOLD.keys())
def test_a_checkout_is_told(arrivals: Arrivals, wanted: list[str]) -> None:
    """What goes out, in order."""
    assert wanted == told(arrivals)


def test_an_import_is_no_checkout() -> None:
    """Who moves in has bought nothing just now."""
    moved = webhook(
        9_000, "subscription.create", NOON, SUBSCRIPTION, context={"source": "XML IMPORT"}
    )
    book = Bookkeeping()
    for body in (subscriber(1), moved):
        book.arrive(body, FED)
    book.end()

    assert {"profile.changed": 2} == book.ledgers["klaviyo"].deliveries
    assert 0 == book.noticed["checkout, last"]


def test_a_checkout_has_an_id_of_its_own() -> None:
    """Of merchant, customer and checkout; what is told of it later adds which time it is."""
    first, second, third = (made(f"S{n}", merchant_order_id="") for n in (1, 2, 3))
    requests = sent([(0, first), (5_000, second), (10_000, third)])
    ids = [
        one.body["data"]["attributes"]["unique_id"]
        for one in requests
        if one.type == "subscriber.subscriptions_created"
    ]

    assert [
        "766a95cb-d253-5f26-af56-a700e60270e8",
        "c892ae67-27d0-5a99-a17b-780332e3940c",
        "2b5aace8-9191-54e1-bd11-149095122eab",
    ] == ids


def test_a_checkout_began_with_its_earliest_member() -> None:
    """Its time is the least `created`, whoever came first; the list shows the newest first."""
    checkout = sent([(0, made("S2", NOON + 2)), (1, made("S1", NOON))])[-1]

    assert "2026-09-21T14:13:20+00:00" == checkout.body["data"]["attributes"]["time"]
    assert ["S2", "S1"] == [one["id"] for one in _listed(checkout)]


def test_a_checkout_is_told_as_it_is_by_then() -> None:
    """What changed before the close is told with the change; what comes after, without it."""
    open_then = sent([(0, made("S1")), (1, changed("S1", 6))])[-1]
    over_then = sent([(0, made("S1")), (5_000, changed("S1", 6))])[2]

    assert (6, 2) == (_listed(open_then)[0]["quantity"], _listed(over_then)[0]["quantity"])
