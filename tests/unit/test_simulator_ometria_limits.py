"""The simulated Ometria: requests per second, and the records that wait (§2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ometria_simulator import ERRORS, PUSH, push, reminder, row_fates, tell
from tests.support.simulation import NOW

if TYPE_CHECKING:
    from tests.support.simulation import Account

ONE_A_SECOND: Any = {"records_per_second": 1}


async def _pushes(account: Account, times: list[float]) -> list[int]:
    statuses = []
    for at in times:
        account.now = NOW + at
        statuses.append((await push(account, reminder())).status_code)
    return statuses


def _records(number: int, prefix: str = "e") -> list[Any]:
    return [reminder(f"{prefix}-{row}") for row in range(number)]


@pytest.mark.parametrize(("switches", "number"), [({}, 8), ({"requests_per_second": 4}, 4)])
def test_the_numbers_of_the_contract(switches: Any, number: int) -> None:
    """The ninth push of a second (by older pages the fifth) is 429; the next second is free."""

    async def story(account: Account) -> list[int]:
        return await _pushes(account, [0.5] * (number + 1) + [1])

    assert [202] * number + [429, 202] == tell(story, limits=1, **switches)


def test_the_list_of_errors_has_a_limit_of_its_own() -> None:
    """Four a second, beside those of pushes."""

    async def story(account: Account) -> Any:
        pushed = await _pushes(account, [0] * 8)
        return pushed, [(await account.get(ERRORS)).status_code for _ in range(5)]

    assert ([202] * 8, [200] * 4 + [429]) == tell(story, limits=1)


def test_an_account_has_one_budget() -> None:
    """Two keys of one account share it; another account has its own; strangers use up nothing."""
    keys = {"key-1": {}, "key-2": {}, "key-3": {"account": "other"}}

    async def story(account: Account) -> list[int]:
        statuses = []
        for key in ("key-1", "nobody", "key-2", "key-1", "key-3"):
            response = await account.post(PUSH, [reminder()], x_ometria_auth=key)
            statuses.append(response.status_code)
        return statuses

    assert [202, 403, 202, 429, 202] == tell(story, limits=2 / 8, keys=keys)


def test_another_integration_uses_up_a_share() -> None:
    """With a backfill of somebody else on half of the budget, half is left."""

    async def story(account: Account) -> list[int]:
        return await _pushes(account, [0] * 5)

    assert [202] * 4 + [429] == tell(story, limits=1, stolen_share=0.5)


@pytest.mark.parametrize(("retry_after", "header"), [(False, None), (True, "1")])
def test_what_429_looks_like(retry_after: bool, header: str | None) -> None:
    """Nothing of it is kept, and `Retry-After` is there only by the switch."""

    async def story(account: Account) -> Any:
        responses = [await push(account, reminder(str(number))) for number in range(9)]
        told = responses[-1].headers.get("retry-after")
        return responses[-1].status_code, told, len(await account.state("events"))

    assert (429, header, 8) == tell(story, limits=1, retry_after=retry_after)


def test_the_rate_can_be_changed_while_it_runs() -> None:
    """The new number holds from the next request on."""

    async def story(account: Account) -> list[int]:
        before = await _pushes(account, [0] * 4)
        switches = {"switches": {"requests_per_second": 2}}
        await account.client.put("/_control/switches", json=switches)
        return before + await _pushes(account, [1] * 3)

    assert [202] * 4 + [202, 202, 429] == tell(story, limits=1)


def test_records_wait_and_are_processed_in_order() -> None:
    """Two a second: what is not due is neither stored nor judged, and the headers tell."""
    switches: Any = {"records_per_second": 2}

    async def story(account: Account) -> Any:
        seen = []
        await push(account, *_records(4), reminder("bad", timestamp="now"))
        for seconds in (0.25, 0.5, 1.5, 2.5):
            account.now = NOW + seconds
            told = (await account.get(ERRORS)).json()
            state = await account.state()
            stored = [each["id"] for each in state["events"]]
            seen.append((stored, len(told), state["backlog"]))
        return seen, row_fates(account)[0]

    ids = [f"e-{row}" for row in range(4)]
    expected = [([], 0, 5), (ids[:1], 0, 4), (ids[:3], 0, 2), (ids, 1, 0)]

    assert (expected, ["accepted"] * 4 + ["dropped:root > timestamp"]) == tell(story, **switches)


def test_records_that_wait_are_told_as_such() -> None:
    """Until a record is processed nobody knows what becomes of it; then everybody can."""

    async def story(account: Account) -> Any:
        await push(account, *_records(2))
        await push(account, reminder("late", timestamp="2026-10-01T07:59:00Z"))
        waiting = row_fates(account)
        account.now = NOW + 60
        await account.get(ERRORS)
        return waiting, row_fates(account)[:2]

    waiting = [["queued", "queued"], ["queued"]]
    done = [["accepted", "accepted"], ["silent:too_old"]]

    assert (waiting, done) == tell(story, **ONE_A_SECOND)


def test_age_counts_on_arrival_and_not_when_it_is_processed() -> None:
    """Waiting in the vendor's queue makes no event too old."""

    async def story(account: Account) -> Any:
        await push(account, reminder(timestamp="2026-10-01T08:00:00Z"))
        account.now = NOW + 3600
        await account.get(ERRORS)
        return row_fates(account)[0]

    assert ["accepted"] == tell(story, **ONE_A_SECOND)


def test_idle_time_is_not_saved_up() -> None:
    """A worker that had nothing to do for an hour is no faster afterwards."""

    async def story(account: Account) -> Any:
        await account.get(ERRORS)
        account.now = NOW + 3600
        await push(account, *_records(5))
        account.now += 2
        await account.get(ERRORS)
        return await account.state("backlog")

    assert 3 == tell(story, **ONE_A_SECOND)


def test_a_full_backlog_is_429() -> None:
    """What would go over it is refused whole, until enough has been processed."""
    switches: Any = {"backlog_limit": 10, **ONE_A_SECOND}

    async def story(account: Account) -> Any:
        told: list[tuple[int, str]] = []
        for number, seconds in [(8, 0), (3, 0), (2, 0), (1, 0), (3, 2), (3, 3)]:
            account.now = NOW + seconds
            response = await push(account, *_records(number, str(len(told))))
            told.append((response.status_code, response.headers["x-queuesize-remaining"]))
        return told, account.fates[1]

    expected = [(202, "2"), (429, "2"), (202, "0"), (429, "0"), (429, "2"), (202, "0")]

    assert (expected, "refused:backlog") == tell(story, **switches)


def test_the_documented_backlog() -> None:
    """50,000 records may wait, and not one more."""

    async def story(account: Account) -> Any:
        batch = [{"@type": "product", "id": str(row)} for row in range(100)]
        statuses = {(await push(account, *batch)).status_code for _ in range(500)}
        over = await push(account, {"@type": "product", "id": "one"})
        return statuses, over.status_code, over.headers["x-queuesize-remaining"]

    assert ({202}, 429, "0") == tell(story, records_per_second=0)


def test_the_worker_can_be_released_while_it_runs() -> None:
    """Nothing is processed at rate 0; without a rate, everything is with the next request."""

    async def story(account: Account) -> Any:
        await push(account, *_records(3))
        account.now = NOW + 3600
        await account.get(ERRORS)
        before = await account.state("backlog")
        switches = {"switches": {"records_per_second": None}}
        await account.client.put("/_control/switches", json=switches)
        await account.get(ERRORS)
        return before, await account.state("backlog"), len(await account.state("events"))

    assert (3, 0, 3) == tell(story, records_per_second=0)
