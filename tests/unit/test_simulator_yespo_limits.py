"""The simulated Yespo: 350 events a second, and 200 of everything else together (§5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.yespo_simulator import (
    BOOKS,
    CONTACT,
    CONTACTS,
    EVENT,
    EVENT_V1,
    INFO,
    NOW,
    ORDERS,
    basic,
    bulk,
    contact,
    event,
    orders,
    tell,
)

if TYPE_CHECKING:
    import httpx2

    from tests.support.yespo_simulator import Account

FEW = 2 / 200
"""A factor: 2 requests a second, and 3 events."""


async def _at(account: Account, path: str, times: list[float]) -> list[httpx2.Response]:
    document = event() if path in {EVENT, EVENT_V1} else orders()
    responses = []
    for at in times:
        account.now = NOW + at
        responses.append(await account.post(path, document))
    return responses


@pytest.mark.parametrize(("path", "number"), [(ORDERS, 200), (EVENT, 350), (EVENT_V1, 350)])
def test_the_numbers_of_the_contract(path: str, number: int) -> None:
    """One more in a second is refused, and the next second is free again."""

    async def story(account: Account) -> list[int]:
        answers = await _at(account, path, [0.9] * (number + 1) + [1.0])
        return [each.status_code for each in answers]

    assert [200] * number + [429, 200] == tell(story, limits=1, repeats="off")


def test_no_minute_is_counted() -> None:
    """Every second of many has its full number."""

    async def story(account: Account) -> set[int]:
        times = [second + 0.5 for second in range(70) for _ in range(3)]
        return {each.status_code for each in await _at(account, EVENT, times)}

    assert {200} == tell(story, limits=FEW)


def test_all_but_events_share_one_number() -> None:
    """Orders, contacts and questions together; events have their own, for both versions."""

    async def story(account: Account) -> list[int]:
        answers = [
            await account.post(ORDERS, orders()),
            await account.get(INFO),
            await account.post(CONTACT, contact()),
            await account.post(CONTACTS, bulk(contact())),
            await account.get(BOOKS),
            await account.get("/api/v1/importstatus/import-000001"),
        ]
        answers += [await account.post(path, event()) for path in (EVENT, EVENT_V1) * 2]
        return [each.status_code for each in answers]

    assert [200, 200, *[429] * 4, 200, 200, 200, 429] == tell(story, limits=FEW)


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, (b"Too many requests", None)),
        ({"retry_after": True}, (b"Too many requests", "1")),
        ({"error_body": "empty"}, (b"", None)),
        ({"error_body": "json"}, (b'{"status":429,"message":"Too many requests"}', None)),
    ],
)
def test_what_429_looks_like(switches: Any, expected: object) -> None:
    """No `Retry-After` and no quota headers, unless switched."""

    async def story(account: Account) -> object:
        refused = (await _at(account, EVENT, [0.25] * 4))[-1]
        assert 429 == refused.status_code
        assert not [name for name in refused.headers if "limit" in name]
        return refused.content, refused.headers.get("Retry-After")

    assert expected == tell(story, limits=FEW, **switches)


def test_a_refused_request_leaves_no_trace() -> None:
    """What got 429 is not kept, and is no repetition when it comes again."""

    async def story(account: Account) -> tuple[int, list[str], int]:
        await account.get(INFO)
        await account.get(INFO)
        await account.post(ORDERS, orders())
        kept = len(await account.state("events"))
        account.now += 1
        again = await account.post(ORDERS, orders())
        return kept, account.fates[2:], again.status_code

    assert (0, ["refused:limit", "accepted"], 200) == tell(story, limits=FEW)


def test_each_account_has_its_own() -> None:
    """Two keys of one account share its number."""
    keys = {"a": {}, "b": {}, "c": {"account": "other"}}

    async def story(account: Account) -> list[int]:
        statuses = []
        for key in ("a", "b", "a", "c"):
            account.headers["authorization"] = basic(key)
            statuses.append((await account.get(INFO)).status_code)
        return statuses

    assert [200, 200, 429, 200] == tell(story, limits=FEW, keys=keys)


def test_strangers_are_not_counted() -> None:
    """A request without a known key or path uses nothing up."""

    async def story(account: Account) -> list[int]:
        statuses = [
            (await account.post(EVENT, event(), authorization=basic("x"))).status_code,
            (await account.client.put(EVENT, headers=account.headers)).status_code,
        ]
        return [*statuses, *(each.status_code for each in await _at(account, EVENT, [0] * 4))]

    assert [401, 405, 200, 200, 200, 429] == tell(story, limits=FEW, keys={"key-1": {}})


def test_a_stranger_uses_up_a_share() -> None:
    """With a thief of half the quota, half of each window is left."""

    async def story(account: Account) -> list[int]:
        return [each.status_code for each in await _at(account, EVENT, [0] * 6)]

    assert [200] * 5 + [429] == tell(story, limits=10 / 350, stolen_share=0.5)
