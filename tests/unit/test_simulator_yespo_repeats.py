"""The simulated Yespo: an identical request within a minute (§2, pitfall 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from streams.simulators.faults import Fault
from tests.support.yespo_simulator import (
    CONTACT,
    CONTACTS,
    EVENT,
    LEE,
    ORDERS,
    basic,
    bulk,
    contact,
    event,
    order,
    orders,
    tell,
)

if TYPE_CHECKING:
    from tests.support.yespo_simulator import Account

DOCUMENTS = {ORDERS: orders(), CONTACT: contact(), CONTACTS: bulk(contact()), EVENT: event()}
TEXT = b"Duplicated request"


async def _twice(account: Account, path: str) -> httpx2.Response:
    await account.post(path, DOCUMENTS[path])
    return await account.post(path, DOCUMENTS[path])


@pytest.mark.parametrize(
    ("switches", "statuses"),
    [
        ({}, [409, 409, 409, 200]),
        ({"repeats": "bad_request"}, [400, 400, 400, 200]),
        ({"repeats": "off"}, [200] * 4),
        ({"repeats_of": "single_contacts"}, [200, 409, 200, 200]),
    ],
)
def test_which_calls_refuse_a_repetition(switches: Any, statuses: list[int]) -> None:
    """Orders and contacts with 409, events never; switches say otherwise."""

    async def story(account: Account) -> list[int]:
        return [(await _twice(account, path)).status_code for path in DOCUMENTS]

    assert statuses == tell(story, **switches)


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("text", TEXT),
        ("empty", TEXT),
        ("json", b'{"status":409,"message":"Duplicated request"}'),
    ],
)
def test_the_text_is_always_told(shape: str, body: bytes) -> None:
    """It is the only sign that a plugin of the vendor goes by."""

    async def story(account: Account) -> bytes:
        return (await _twice(account, ORDERS)).content

    assert body == tell(story, error_body=shape)


def test_a_repetition_changes_nothing() -> None:
    """No second event; every row is told as a duplicate."""
    document = orders(order("a"), order("b"))

    async def story(account: Account) -> Any:
        for _ in range(2):
            await account.post(ORDERS, document)
        return len(await account.state("events")), account.simulator.received[1]

    count, record = tell(story)

    assert (2, 409, "duplicate", ["duplicate"] * 2) == (
        count,
        record.status,
        record.fate,
        record.fates,
    )


@pytest.mark.parametrize(("seconds", "status"), [(0, 409), (59.9, 409), (60, 200)])
def test_a_minute_later_it_is_a_new_request(seconds: float, status: int) -> None:
    """Counted from the first, whatever came between."""

    async def story(account: Account) -> int:
        await account.post(ORDERS, orders())
        account.now += seconds / 2
        await account.post(ORDERS, orders())
        account.now += seconds / 2
        return (await account.post(ORDERS, orders())).status_code

    assert status == tell(story)


@pytest.mark.parametrize("seconds", [1, 600])
def test_how_long_is_a_switch(seconds: int) -> None:
    """The contract knows one minute from contacts only."""

    async def story(account: Account) -> list[int]:
        statuses = []
        for wait in (0, seconds - 0.5, 0.5):
            account.now += wait
            statuses.append((await account.post(ORDERS, orders())).status_code)
        return statuses

    assert [200, 409, 200] == tell(story, repeat_seconds=seconds)


def test_only_what_is_identical_is_a_repetition() -> None:
    """Another value, another order of rows, another account: all are new."""
    one, two = order("a"), order("b")
    sent = [orders(one, two), orders(two, one), orders(one), orders(order("a", totalCost=21))]

    async def story(account: Account) -> list[int]:
        statuses = [(await account.post(ORDERS, each)).status_code for each in sent]
        other = await account.post(ORDERS, orders(one), authorization=basic("key-2"))
        return [*statuses, other.status_code]

    assert [200] * 5 == tell(story, keys={"key-1": {}, "key-2": {"account": "other"}})


def test_what_was_refused_can_be_repeated() -> None:
    """A whole request that got 400 was never taken; one with failed orders was."""
    bad = orders(order(email="kim"))

    async def story(account: Account) -> list[int]:
        sent = [(CONTACT, contact("lee"))] * 2 + [(ORDERS, bad)] * 2 + [(CONTACT, contact(LEE))]
        return [(await account.post(path, each)).status_code for path, each in sent]

    assert [400, 400, 200, 409, 200] == tell(story)


@pytest.mark.parametrize(
    ("kind", "status", "events"),
    [("accept_then_reset", 409, 1), ("reset", 200, 1), ("status", 200, 1)],
)
def test_a_lost_answer_shows_in_the_repetition(kind: Any, status: int, events: int) -> None:
    """The refusal then says that the first one landed (pitfall 3)."""

    async def story(account: Account) -> Any:
        try:
            await account.post(ORDERS, orders())
        except httpx2.TransportError:
            assert kind != "status"
        again = (await account.post(ORDERS, orders())).status_code
        return again, len(await account.state("events"))

    assert (status, events) == tell(story, faults=(Fault(kind=kind, count=1),))
