"""The simulated Ordergroove: what a run through all pages finds while the shop changes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.support.ordergroove_simulator import (
    HEADERS,
    Account,
    everything,
    ids,
    listed,
    put,
    shop,
    tell,
    walk,
)


async def _shop_of(account: Account, *names: str) -> None:
    """Subscriptions that changed one after the other."""
    for number, name in enumerate(names):
        moment = 1_790_000_000 + number
        await put(
            account, "subscriptions", {"public_id": name, "created": moment, "updated": moment}
        )


async def _found(account: Account, changes: dict[int, str]) -> list[str]:
    """Everybody found, two a page, while one changes after the page of each number."""
    page = await listed(account, "subscriptions", page_size="2")
    found, number = ids(page["results"]), 0
    while page["next"] is not None:
        number += 1
        if number in changes:
            await put(account, "subscriptions", {"public_id": changes[number]})
        page = (await account.client.get(page["next"], headers=HEADERS)).json()
        found += ids(page["results"])
    return found


@pytest.mark.parametrize(
    ("switches", "found"),
    [
        pytest.param({}, "abcdefb", id="by change: it comes again"),
        pytest.param({"order": "created"}, "abcdef", id="by creation: it stays"),
        pytest.param({"order": "newest"}, "fedcba", id="the newest first: it stays"),
        pytest.param({"cursor": "offset"}, "abdefb", id="by number: another slips through"),
    ],
)
def test_one_that_was_read_changes(switches: dict[str, Any], found: str) -> None:
    """After the first page of two; what happens then is what the switches say."""

    async def story(account: Account) -> list[str]:
        await _shop_of(account, *"abcdef")
        return await _found(account, {1: "b"})

    assert [*found] == tell(story, **switches)


def test_one_that_was_not_read_yet_changes() -> None:
    """It is found at its later place."""

    async def story(account: Account) -> list[str]:
        await _shop_of(account, *"abcdef")
        return await _found(account, {1: "d"})

    assert [*"abcefd"] == tell(story)


def test_the_row_of_the_cursor_goes_away() -> None:
    """The cursor keeps its place without it."""

    async def story(account: Account) -> Any:
        await _shop_of(account, *"abcd")
        page = await listed(account, "subscriptions", page_size="2")
        await account.client.delete("/_control/entities/subscriptions/b")
        return ids((await account.client.get(page["next"], headers=HEADERS)).json()["results"])

    assert ["c", "d"] == tell(story)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_however_much_changes(seed: int) -> None:
    """Changes and new ones between any two pages: a run, and one from its start on, find them all.

    Not the first run alone: what changes in the very second in which its cursor stands may come to
    lie before it.
    """
    rng = Random(seed)

    async def story(account: Account) -> Any:
        known = [f"{number:03d}" for number in range(60)]
        await _shop_of(account, *known)
        page, found = await listed(account, "subscriptions", page_size="7"), {}
        for step in range(1_000):
            found.update({each["public_id"]: each for each in page["results"]})
            if page["next"] is None:
                break
            account.now += rng.choice((0, 0, 1))  # many changes are in one second
            if step < 40:
                known.append(f"{rng.randrange(999)}-{step}")
                for name in (*rng.sample(known, 4), known[-1]):
                    await put(account, "subscriptions", {"public_id": name, "quantity": step})
            page = (await account.client.get(page["next"], headers=HEADERS)).json()
        since = {"updated_start": "2026-10-01T07:00:00"}
        again = await everything(account, "subscriptions", **since)
        found.update({each["public_id"]: each for each in again})
        true = (await account.client.get("/_control/entities/subscriptions")).json()["entities"]
        return (
            {each["public_id"]: each.get("quantity") for each in found.values()},
            {each["public_id"]: each.get("quantity") for each in true},
        )

    found, true = tell(story)
    assert true == found


def test_a_shop_that_is_open() -> None:
    """With `churn` subscriptions change by themselves, before each page."""

    async def story(account: Account) -> Any:
        pages = await walk(account, "subscriptions", page_size="20")
        seen = [name for page in pages for name in ids(page)]
        return len(seen) - len(set(seen)), (await account.state())["subscriptions"] == len(
            set(seen)
        )

    again, whole = tell(story, customers=200, churn=3)
    assert again > 10
    assert whole


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0=", "bm90IGpzb24="])
def test_a_cursor_that_is_none(cursor: str) -> None:
    """It is not found."""

    async def story(account: Account) -> int:
        return (await account.get(f"/customers/?cursor={cursor}")).status_code

    assert 404 == tell(story)


def test_cursors_do_not_last_for_ever() -> None:
    """Those of another epoch, which a switch begins, are not found any more."""

    async def story(account: Account) -> Any:
        page = await listed(account, "customers")
        shop(account).set_switches({"cursor_epoch": 1})
        old = await account.client.get(page["next"], headers=HEADERS)
        return old.status_code, len(await everything(account, "customers"))

    assert (404, 250) == tell(story, customers=250)


def test_a_next_may_name_another_host() -> None:
    """By a switch: a reader must not send its key there."""

    async def story(account: Account) -> str:
        next_: str = (await listed(account, "customers"))["next"]
        return next_

    assert tell(story, customers=20, next_host="elsewhere.shop-demo.io").startswith(
        "http://elsewhere.shop-demo.io/customers/?cursor="
    )
