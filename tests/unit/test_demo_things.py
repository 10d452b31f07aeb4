"""What the demo's books allow of an order that is told again in the same status, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.demo.compare import Received, compare
from streams.demo.verdicts import Verdict, differing_verdicts
from tests.support.written_webhooks import KEY, NOON, SUBSCRIPTION, Json, books, subscriber, webhook

if TYPE_CHECKING:
    from streams.demo.ledger import Ledger

ORDER: Json = {"merchant": "M", "customer": "0088", "public_id": "O1", "total": "40.00"}
ORDER |= {"currency_code": "USD", "rejected_message": None}
HELLO = subscriber(1)


def told(number: int, kind: str = "skip_order", why: str | None = None, **fields: Any) -> bytes:
    """The order, again, so many seconds after noon; `why` is part of what it is set to."""
    return webhook(
        number, f"order.{kind}", NOON + number, ORDER | {"rejected_message": why} | fields
    )


def ledger(*bodies: bytes) -> Ledger:
    """What those come to at Yespo."""
    return books([HELLO, *bodies]).ledgers["yespo"]


def fates(book: Ledger) -> list[str]:
    """What becomes of each order, in order."""
    kinds = [one for (_, name), one in book.parts.items() if name == "event"]
    return [one.part.outcome for one in kinds if one.type != "profile.changed"]


def names(book: Ledger) -> list[str]:
    """The delivery ids of the orders, in order."""
    return [id_ for (id_, _), one in book.parts.items() if one.type != "profile.changed"]


SAME = [told(2), told(3)]
OTHER = [told(2), told(3, why="Stop")]
APART = [told(2), told(3, public_id="O2"), told(4, why="Stop")]
PARTED = [told(2), webhook(3, "order.reminder", NOON, ORDER), told(4, why="Stop")]
PROFILE = subscriber(30, last_name="Quill", last_updated=NOON + 60)

UNSETTLED: dict[str, tuple[list[bytes], list[str]]] = {
    "the same again": (SAME, ["delivered", "duplicate"]),
    "the same by another event type": ([told(2), told(3, "cancel")], ["delivered", "duplicate"]),
    "another content": (OTHER, ["delivered", "delivered"]),
    "another status": ([told(2, "success"), told(3)], ["delivered", "delivered"]),
    "another order": (APART[:2], ["delivered", "delivered"]),
    "back again": ([*OTHER, told(4)], ["delivered", "delivered", "delivered"]),
    "given up": ([told(2), told(3, total=None), told(4)], ["delivered", "rejected", "duplicate"]),
}


@pytest.mark.parametrize(("bodies", "wanted"), UNSETTLED.values(), ids=UNSETTLED.keys())
def test_what_is_there_already_is_not_sent_again(bodies: list[bytes], wanted: list[str]) -> None:
    """As long as nothing is superseded: a duplicate is like what was last sent."""
    assert wanted == fates(ledger(*bodies))


SETTLED: dict[str, tuple[list[bytes], list[int], list[str]]] = {
    "the older one waited": (OTHER, [0], ["superseded", "delivered"]),
    "the newer one is like it": (SAME, [0], ["superseded", "delivered"]),
    "three in a row": (
        [*OTHER, told(4)],
        [0, 1],
        ["superseded", "superseded", "delivered"],
    ),
    "the last one goes, always": (OTHER, [1], ["delivered", "delivered"]),
    "back to what was there": (
        [*OTHER, told(4)],
        [1],
        ["delivered", "superseded", "duplicate"],
    ),
    "what is there is no reason to wait": (
        [*SAME, told(4)],
        [1],
        ["delivered", *["duplicate"] * 2],
    ),
    "another order between them": (APART, [0], ["delivered", "delivered", "delivered"]),
    "another event between them": (PARTED, [0], ["delivered", "delivered", "delivered"]),
    "another status": (
        [told(2, "success"), told(3)],
        [0],
        ["delivered", "delivered"],
    ),
    "one that goes nowhere": ([told(2), told(3, total=None)], [0], ["delivered", "rejected"]),
}


@pytest.mark.parametrize(("bodies", "places", "wanted"), SETTLED.values(), ids=SETTLED.keys())
def test_the_older_one_may_be_superseded(
    bodies: list[bytes], places: list[int], wanted: list[str]
) -> None:
    """Only by the customer's very next delivery, and only if that sets the same thing anew."""
    book = ledger(*bodies)
    came = names(book)
    book.settle({came[place] for place in places})

    assert wanted == fates(book)
    assert wanted.count("delivered") == sum(
        one.type != "profile.changed" for one in book.requests[KEY]
    )
    assert book.least <= book.expected


def test_a_profile_told_between_them_parts_them() -> None:
    """It is a delivery of its own, so the older order no longer waits for a newer one."""
    created = webhook(9, "subscription.create", NOON, SUBSCRIPTION)
    book = ledger(created, told(2), PROFILE, told(4, why="Stop"))
    cancelled = [id_ for (id_, _), one in book.parts.items() if one.type == "order.skip_order"]
    book.settle(set(cancelled))
    found = [one.part.outcome for one in book.parts.values() if one.type == "order.skip_order"]

    assert 2 == found.count("delivered")


def differing(book: Ledger, received: list[Received], outcome: str) -> bool:
    """Whether anything differs where the older order has that outcome, all else as expected."""
    older = (names(book)[0], "event")
    book.settle({older[0]} if outcome == "superseded" else set())
    came = {name: Verdict(one.part.outcome, one.part.reason, 0) for name, one in book.parts.items()}
    came[older] = Verdict(outcome, None, 0)
    return not compare(book, received).ok or any(differing_verdicts(book, came))


def test_what_was_superseded_was_not_sent() -> None:
    """The record must be missing exactly where the outcome says so, and only the older one."""
    book = ledger(*OTHER)
    arrived = [Received(one.path, one.body) for one in book.requests[KEY][-2:]]

    assert not differing(book, arrived, "delivered")
    assert not differing(book, arrived[1:], "superseded")
    assert differing(book, arrived[1:], "delivered")
    assert differing(book, arrived, "superseded")
    assert differing(book, arrived[:1], "superseded")


def test_an_order_s_repeat_is_like_an_earlier_one() -> None:
    """After a crash one may come again as it was; anything else is a difference."""
    book = ledger(*OTHER)
    one, other = (Received(each.path, each.body) for each in book.requests[KEY][-2:])
    strange = Received(one.path, {"orders": [one.body["orders"][0] | {"totalCost": 1}]})

    again = compare(book, [one, one, other])
    swapped = {each.kind for each in compare(book, [other, one]).differences}
    more = [each.kind for each in compare(book, [one, other, strange]).differences]

    assert (True, 1) == (again.ok, again.repeats)
    assert {"changed"} == swapped
    assert ["extra"] == more
