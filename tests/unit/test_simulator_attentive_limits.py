"""The simulated Attentive: rate limits in windows of one second, and their headers (§6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.attentive_account import ATTRIBUTES, EMAIL, EVENTS, ME, attributes, event, tell
from tests.support.simulation import NOW

if TYPE_CHECKING:
    import httpx2

    from tests.support.simulation import Account

FEW = 2 / 150
"""A factor: 2 requests a second."""


async def _at(account: Account, times: list[float]) -> list[httpx2.Response]:
    responses = []
    for at in times:
        account.now = NOW + at
        responses.append(await account.post(EVENTS, event()))
    return responses


def test_the_number_of_the_contract() -> None:
    """At factor 1 the 151st request of a second is refused, and the next second is free again."""

    async def story(account: Account) -> list[int]:
        return [each.status_code for each in await _at(account, [0.9] * 151 + [1.0])]

    assert [200] * 150 + [429, 200] == tell(story, limits=1)


def test_no_minute_is_counted() -> None:
    """Every second of many has its full number."""

    async def story(account: Account) -> list[int]:
        times = [second + 0.5 for second in range(70) for _ in range(2)]
        return [each.status_code for each in await _at(account, times)]

    assert [200] * 140 == tell(story, limits=FEW)


def test_headers() -> None:
    """Every answer to a known token tells the limit and what is left of it, refusals too."""

    async def story(account: Account) -> list[tuple[object, ...]]:
        responses = [await account.post(EVENTS, document) for document in (event(), {}, event())]
        responses += [await account.get(ME), await account.get("/v1/you")]
        names = ("x-ratelimit-limit", "x-ratelimit-remaining")
        return [(r.status_code, *(r.headers.get(name) for name in names)) for r in responses]

    assert [
        (200, "2", "1"),
        (400, "2", "0"),
        (429, "2", "0"),
        (200, "2", "1"),
        (404, None, None),
    ] == tell(story, limits=FEW)


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, (b"", None)),
        ({"retry_after": True}, (b"", "1")),
        ({"throttle_body": "text"}, (b'{"error":"Too many requests."}', None)),
        ({"error_body": "text"}, (b"", None)),
    ],
)
def test_what_429_looks_like(switches: Any, expected: object) -> None:
    """An empty body and no `Retry-After`, unless switched."""

    async def story(account: Account) -> object:
        refused = (await _at(account, [0.25] * 3))[-1]
        assert 429 == refused.status_code
        return refused.content, refused.headers.get("Retry-After")

    assert expected == tell(story, limits=FEW, **switches)


def test_a_refused_request_leaves_no_trace() -> None:
    """What got 429 is not kept."""

    async def story(account: Account) -> tuple[int, list[str]]:
        await _at(account, [0] * 3)
        return len(await account.state("events")), account.fates

    assert (2, ["accepted", "accepted", "refused:limit"]) == tell(story, limits=FEW)


def test_each_token_and_each_endpoint_has_its_own() -> None:
    """Two tokens of one app do not share, nor do two endpoints; reading shares with writing."""
    tokens = {"a": {"app": "shop"}, "b": {"app": "shop"}}

    async def story(account: Account) -> list[tuple[str, str]]:
        refused = []
        for token in tokens:
            account.headers["authorization"] = f"Bearer {token}"
            for _ in range(2):
                responses = [
                    await account.post(EVENTS, event()),
                    await account.post(ATTRIBUTES, attributes()),
                    await account.get(ME),
                ]
                refused += [(token, str(r.url)) for r in responses if r.status_code == 429]
        over = await account.get(f"{ATTRIBUTES}?email={EMAIL}")
        return [*refused, ("b", "read") if over.status_code == 429 else ("", "")]

    assert [("b", "read")] == tell(story, limits=FEW, tokens=tokens)


def test_strangers_are_not_counted() -> None:
    """A request without a known token or path uses nothing up."""

    async def story(account: Account) -> list[int]:
        statuses = [
            (await account.post(EVENTS, event(), authorization="Bearer x")).status_code,
            (await account.client.put(EVENTS, headers=account.headers)).status_code,
        ]
        return [*statuses, *(each.status_code for each in await _at(account, [0] * 3))]

    assert [401, 405, 200, 200, 429] == tell(story, limits=FEW, tokens={"tok": {}})


def test_a_stranger_uses_up_a_share() -> None:
    """With a thief of half the quota, half of each window is left."""

    async def story(account: Account) -> list[int]:
        return [each.status_code for each in await _at(account, [0] * 6)]

    assert [200] * 5 + [429] == tell(story, limits=10 / 150, stolen_share=0.5)


def test_without_limits_nothing_is_said() -> None:
    """`off` means no 429 and no headers."""

    async def story(account: Account) -> bool:
        response = await account.post(EVENTS, event())
        return any(name.startswith("x-ratelimit") for name in response.headers)

    assert tell(story, limits=None) is False
