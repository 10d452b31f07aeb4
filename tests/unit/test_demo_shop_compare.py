"""The demo's comparison notices every way in which what arrived is not what was expected."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from streams.demo.compare import Difference, Received, compare
from tests.support.written_webhooks import (
    CANCEL,
    CREATE,
    KEY,
    REACTIVATE,
    attentive,
    books,
    klaviyo,
    subscriber,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.demo.ledger import Ledger

LIFE = [subscriber(1), CREATE, CANCEL, REACTIVATE]
BOOK = klaviyo(LIFE)
"""A profile call, subscription.create, subscriber.create, both cancels, reactivation, checkout."""


def sent(ledger: Ledger, key: str = KEY) -> list[Received]:
    """Exactly what is expected of one customer."""
    return [Received(one.path, one.body, held=one.status) for one in ledger.requests[key]]


ALL = sent(BOOK)


def changed(received: Received, change: Callable[[Any], object]) -> Received:
    """The same request with something else in its attributes."""
    body = deepcopy(received.body)
    change(body["data"]["attributes"])
    return Received(received.path, body)


def found(received: list[Received]) -> list[tuple[str, str, Any, Any]]:
    """The differences without whose they are."""
    return [
        (one.kind, one.where.split()[-1], one.expected, one.got)
        for one in compare(BOOK, received).differences
    ]


def test_what_arrived_as_expected_is_fine() -> None:
    """Everything once, in order."""
    report = compare(BOOK, ALL)

    assert report.ok
    assert (7, 7, 0) == (report.expected, report.received, report.repeats)
    assert "7 records expected, 7 received (0 of them repeats); differences: none" == str(report)


P = "$.data.attributes"
CHANGES: dict[str, tuple[int, Callable[[Any], object], tuple[str, Any, Any]]] = {
    "a value": (
        1,
        lambda it: it["properties"].update(quantity=3),
        (f"{P}.properties.quantity", 2, 3),
    ),
    "a field too few": (
        1,
        lambda it: it["properties"].pop("product_id"),
        (f"{P}.properties.product_id", "44120991", "(absent)"),
    ),
    "a field too many": (
        3,
        lambda it: it.update(backfill=True),
        (f"{P}.backfill", "(absent)", True),
    ),
    "false where 0 is": (
        3,
        lambda it: it["properties"].update(has_prepaid=0),
        (f"{P}.properties.has_prepaid", False, 0),
    ),
    "in a list": (
        2,
        lambda it: it["properties"]["subscriptions_subset"][0].update(id="S2"),
        (f"{P}.properties.subscriptions_subset[0].id", "S1", "S2"),
    ),
    "a shorter list": (
        2,
        lambda it: it["properties"]["subscriptions_subset"].clear(),
        (f"{P}.properties.subscriptions_subset.length", 1, 0),
    ),
    "a profile": (0, lambda it: it.pop("last_name"), (f"{P}.last_name", "Hale", "(absent)")),
}


@pytest.mark.parametrize(("place", "change", "wanted"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_body_is_shown_by_its_path(
    place: int, change: Callable[[Any], object], wanted: tuple[str, Any, Any]
) -> None:
    """JSON path, what was expected, what came."""
    received = [*ALL[:place], changed(ALL[place], change), *ALL[place + 1 :]]

    assert [("changed", *wanted)] == found(received)


def test_the_number_of_decimals_is_no_difference() -> None:
    """JSON knows numbers only: 2 and 2.0 are one."""
    same = changed(ALL[1], lambda it: it["properties"].update(quantity=2.0))

    assert compare(BOOK, [ALL[0], same, *ALL[2:]]).ok


def test_another_path_is_a_difference() -> None:
    """The right body at the wrong endpoint."""
    wrong = Received("/api/profiles", ALL[0].body)

    assert [("changed", "path", "/api/profile-import", "/api/profiles")] == found([wrong, *ALL[1:]])


@pytest.mark.parametrize("place", range(len(ALL)))
def test_a_missing_request_is_noticed(place: int) -> None:
    """Whichever it is, the first and the last too."""
    report = compare(BOOK, [*ALL[:place], *ALL[place + 1 :]])
    kinds = [one.kind for one in report.differences]

    assert ["missing"] == kinds
    assert BOOK.requests[KEY][place].type == report.differences[0].expected


@pytest.mark.parametrize("place", range(len(ALL) + 1))
def test_an_extra_event_is_noticed(place: int) -> None:
    """An event of a known customer that nobody expects, wherever it comes."""
    extra = changed(ALL[1], lambda it: it.update(unique_id="unheard-of"))
    report = compare(BOOK, [*ALL[:place], extra, *ALL[place:]])

    assert ["extra"] == [one.kind for one in report.differences]


def test_a_stranger_is_noticed() -> None:
    """A profile call for somebody whom the shop does not know."""
    stranger = Received(
        "/api/profile-import",
        {"data": {"type": "profile", "attributes": {"email": "who@shop-demo.io"}}},
    )

    assert ["extra"] == [one.kind for one in compare(BOOK, [*ALL, stranger]).differences]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"data": None},
        {"data": {"attributes": 1}},
        {"data": {"attributes": {"unique_id": []}}},
        {"type": [], "user": [], "properties": 1},
        {"user": {"email": {}}, "properties": {"Ordergroove Subscriber Status": []}},
        [{"@type": "contact", "customer_id": {}}],
        [7],
        {"orders": [None]},
        {"contacts": [{"channels": {}}]},
        {"params": [{"name": "email", "value": []}]},
    ],
    ids=repr,
)
@pytest.mark.parametrize("ledger", books(LIFE).ledgers.values(), ids=lambda one: one.connection)
def test_a_body_of_no_known_shape_is_noticed(ledger: Ledger, body: Any) -> None:
    """It is an extra one, not a crash."""
    report = compare(ledger, [*sent(ledger), Received("/api/events", body)])

    assert ["extra"] == [one.kind for one in report.differences]


@pytest.mark.parametrize("place", range(len(ALL) - 1))
def test_a_swapped_order_is_noticed(place: int) -> None:
    """Two neighbours of one customer, every pair of them."""
    received = list(ALL)
    received[place], received[place + 1] = received[place + 1], received[place]
    report = compare(BOOK, received)

    assert [("order", f"request {place + 1}")] == [
        (one.kind, one.where) for one in report.differences
    ]


def test_swapped_profile_calls_are_noticed() -> None:
    """They have no id of their own: the bodies give them away."""
    first = subscriber(1)
    second = subscriber(30, last_name="Quill", last_updated=1_790_000_060)
    book = klaviyo([first, second])
    came = sent(book)
    where = "profile.changed (profile) $.data.attributes.last_name"

    assert compare(book, came).ok
    assert [
        Difference("changed", KEY, where, "Hale", "Quill"),
        Difference("changed", KEY, where, "Quill", "Hale"),
    ] == compare(book, came[::-1]).differences


def test_equal_profile_calls_may_be_expected() -> None:
    """Who takes a name and gives it up again is told three times: no repeats."""
    edits = [
        subscriber(number, last_name=name, last_updated=1_790_000_000 + number)
        for number, name in ((40, "Hale"), (41, "Quill"), (42, "Hale"))
    ]
    book = klaviyo(edits)
    report = compare(book, sent(book))

    assert report.ok
    assert (3, 0) == (report.received, report.repeats)


REPEATS = {
    "the last one again": [*ALL, ALL[-1]],
    "one in the middle again": [*ALL[:4], ALL[2], *ALL[4:]],
    "what was in flight again": [*ALL[:3], *ALL[1:]],
    "a profile call again": [ALL[0], *ALL],
}


@pytest.mark.parametrize("received", REPEATS.values(), ids=REPEATS.keys())
def test_a_repeat_with_an_equal_body_is_counted(received: list[Received]) -> None:
    """After a crash a request may come again; that is no difference."""
    report = compare(BOOK, received)

    assert report.ok
    assert len(received) - len(ALL) == report.repeats


def test_a_repeat_with_another_body_is_noticed() -> None:
    """The same unique_id must always say the same."""
    other = changed(ALL[2], lambda it: it["properties"].update(has_prepaid=True))

    assert [
        ("repeat", "$.data.attributes.properties.has_prepaid", False, True),
    ] == found([*ALL, other])


def test_customers_need_no_order_between_them() -> None:
    """Only within one customer does the order count."""
    other = subscriber(31, merchant_user_id="0099", email="ada@shop-demo.io", phone_number=None)
    book = klaviyo([other, subscriber(1), CREATE])
    mine, theirs = sent(book), sent(book, "M:0099")

    assert compare(book, [*mine, *theirs]).ok
    assert compare(book, [mine[0], *theirs, *mine[1:]]).ok


ENDED = attentive([subscriber(1), CREATE, CANCEL])
"""Active by an attribute call, two events, inactive by an attribute call, two events."""
CAME = sent(ENDED)


def test_a_status_is_held_when_its_event_comes() -> None:
    """At Attentive it is not in the event: a call of its own must have come before."""
    wrong = [*CAME[:4], CAME[4]._replace(held="active"), CAME[5]._replace(held=None)]

    assert compare(ENDED, CAME).ok
    assert {"status": 2} == kinds(ENDED, wrong)
    assert {"status": 1} == kinds(ENDED, [*CAME, CAME[1]._replace(held="inactive")])


def kinds(ledger: Ledger, received: list[Received]) -> dict[str, int]:
    """How many differences of each kind there are."""
    found: dict[str, int] = {}
    for one in compare(ledger, received).differences:
        found[one.kind] = found.get(one.kind, 0) + 1
    return found


def test_every_swap_at_attentive_is_noticed() -> None:
    """Attribute calls and events of one customer are in one order."""
    swapped = [
        [*CAME[:place], later, earlier, *CAME[place + 2 :]]
        for place, (earlier, later) in enumerate(pairwise(CAME))
    ]

    assert [1] * 5 == [kinds(ENDED, each).get("order", 0) for each in swapped]
