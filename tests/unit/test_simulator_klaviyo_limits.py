"""The simulated Klaviyo: rate limits in fixed windows, and their headers (§6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.simulators.klaviyo import ENDPOINTS
from streams.simulators.windows import FixedWindows, Limit, limits_factor
from tests.support.klaviyo import BULK, EVENTS, IMPORT, NOW, Account, event, tell

if TYPE_CHECKING:
    import httpx2

FEW = 4 / 3500
"""A factor: 4 events a minute (and 1 a second)."""


async def _statuses(account: Account, times: list[float], path: str = EVENTS) -> list[int]:
    statuses = []
    for at in times:
        account.now = NOW + at
        document = event(unique_id=str(len(account.fates)))
        statuses.append((await account.post(path, document)).status_code)
    return statuses


@pytest.mark.parametrize(
    ("path", "burst", "steady"),
    [
        ("/api/events", 350, 3500),
        ("/api/event-bulk-create-jobs", 10, 150),
        ("/api/profiles", 75, 750),
        ("/api/profile-import", 75, 750),
        ("/api/profile-bulk-import-jobs", 10, 150),
        ("/api/profile-bulk-import-jobs/{id}", 10, 150),
        ("/api/profile-bulk-import-jobs/{id}/import-errors", 10, 150),
        ("/api/data-privacy-deletion-jobs", 3, 60),
    ],
)
def test_the_numbers_of_the_contract(path: str, burst: int, steady: int) -> None:
    """Each endpoint lets through its burst a second and its number a minute, and not one more."""
    limit = ENDPOINTS[path].limit
    windows = FixedWindows(factor=1)

    def passed(at: float) -> int:
        count = 0
        while (verdict := windows.take("a", path, limit, at)) and verdict.allowed:
            count += 1
        return count

    seconds = [passed(NOW + second) for second in range(60)]

    assert burst == seconds[0]
    assert steady == sum(seconds)
    assert burst == passed(NOW + 60)


def test_the_burst_over_a_socket() -> None:
    """At factor 1 the 351st event of a second is refused, and the next second is free again."""

    async def story(account: Account) -> list[int]:
        return await _statuses(account, [0.9] * 351 + [1.0])

    statuses = tell(story, limits=1)

    assert [202] * 350 + [429, 202] == statuses


def test_a_refused_request_leaves_no_trace() -> None:
    """What got 429 is not kept, so that its repetition is the first of its id."""

    async def story(account: Account) -> tuple[int, list[str]]:
        await account.post(EVENTS, event(unique_id="a"))
        await account.post(EVENTS, event(unique_id="b"))
        account.now += 1
        await account.post(EVENTS, event(unique_id="b"))
        return len((await account.state())["events"]), account.fates

    assert (2, ["accepted", "refused:/data/", "accepted"]) == tell(story, limits=FEW)


@pytest.mark.parametrize(
    ("at", "retry_after"),
    [
        pytest.param([0.25, 0.25], 1, id="burst: until the second ends"),
        pytest.param([0, 1, 2, 3, 4.5], 56, id="steady: until the minute ends"),
        pytest.param([0, 1, 2, 3, 59.5], 1, id="steady, nearly over"),
    ],
)
def test_retry_after_names_the_end_of_the_window(at: list[float], retry_after: int) -> None:
    """429 has `Retry-After` in whole seconds in place of the `RateLimit` headers."""

    async def story(account: Account) -> httpx2.Response:
        await _statuses(account, at[:-1])
        account.now = NOW + at[-1]
        return await account.post(EVENTS, event())

    response = tell(story, limits=FEW)

    assert (429, str(retry_after)) == (response.status_code, response.headers["Retry-After"])
    assert not any(name.startswith("ratelimit") for name in response.headers)
    assert "throttled" == response.json()["errors"][0]["code"]


def test_a_throttle_without_retry_after() -> None:
    """The form seen live: no header, a wait of "0 seconds", pointer `/data/`."""

    async def story(account: Account) -> httpx2.Response:
        await _statuses(account, [0])
        return await account.post(EVENTS, event())

    response = tell(story, limits=FEW, retry_after=False)
    [error] = response.json()["errors"]

    assert 429 == response.status_code
    assert "Retry-After" not in response.headers
    assert "0 seconds" in error["detail"]
    assert {"pointer": "/data/"} == error["source"]


@pytest.mark.parametrize(
    ("form", "limit"), [("list", "350, 350;w=1, 3500;w=60"), ("plain", "3500")]
)
def test_headers_of_other_answers(form: str, limit: str) -> None:
    """Every other answer, refusals too, tells limit, remainder and reset of the minute."""

    async def story(account: Account) -> list[tuple[str, ...]]:
        account.now += 10.5
        names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
        responses = [await account.post(EVENTS, document) for document in (event(), {})]
        return [tuple(response.headers[name] for name in names) for response in responses]

    expected = [(limit, "3499", "50"), (limit, "3498", "50")]

    assert expected == tell(story, limits=1, rate_limit_form=form)


def test_endpoints_and_accounts_have_their_own_windows() -> None:
    """The keys of one account share a quota; other endpoints and accounts are not touched."""
    keys = {"pk_a": {"account": "one"}, "pk_b": {"account": "one"}, "pk_c": {"account": "two"}}

    async def story(account: Account) -> dict[tuple[str, str], int]:
        statuses = {}
        for key in keys:
            account.headers["authorization"] = f"Klaviyo-API-Key {key}"
            for path in (EVENTS, BULK, IMPORT):
                statuses[key, path] = (await account.post(path, {})).status_code
        return statuses

    statuses = tell(story, limits=FEW, keys=keys)

    assert {"pk_b"} == {key for (key, _), status in statuses.items() if status == 429}
    assert 3 == sum(status == 429 for status in statuses.values())


def test_a_stranger_uses_up_a_share() -> None:
    """With a thief of half the quota, half of each window is left."""

    async def story(account: Account) -> list[int]:
        return await _statuses(account, [0] * 6)

    assert [202] * 5 + [429] == tell(story, limits=10 / 350, stolen_share=0.5)


def test_without_limits_nothing_is_said() -> None:
    """`off` means no 429 and no headers."""

    async def story(account: Account) -> httpx2.Response:
        return await account.post(EVENTS, event())

    response = tell(story, limits=None)

    assert not any(name.startswith("ratelimit") for name in response.headers)


def test_windows_never_scale_to_nothing() -> None:
    """However small the factor, one request a window passes."""
    windows = FixedWindows(factor=1e-9)

    verdict = windows.take("a", EVENTS, Limit(350, 3500), NOW)

    assert verdict is not None
    assert verdict.allowed


@pytest.mark.parametrize(("text", "factor"), [("off", None), ("1", 1.0), ("0.5", 0.5)])
def test_the_argument_for_limits(text: str, factor: float | None) -> None:
    """A factor above 0, or `off`."""
    assert factor == limits_factor(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "inf", "nan", "none"])
def test_wrong_arguments_for_limits(text: str) -> None:
    """Anything else names the argument."""
    with pytest.raises(ValueError, match="--limits must be a number above 0, or 'off'"):
        limits_factor(text)
