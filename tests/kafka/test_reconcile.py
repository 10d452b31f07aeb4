"""`streams reconcile` and `streams backfill` on a real broker: every difference, and no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from streams.delivery.known import encode
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Subscriber
from streams.reconcile.rows import Sample, TableRows
from tests.support.prompted import prompted
from tests.support.reconciled import Shop, differences, fields_of, key, row, status, wanted

if TYPE_CHECKING:
    from pathlib import Path

BACKFILL = ("backfill", "profiles", "--connection")
TOLD_BY = {
    "klaviyo": {"/api/profile-bulk-import-jobs"},
    "attentive": {"/v1/attributes/custom"},
}
ONE_BY = {"klaviyo": "/api/profile-import", "attentive": "/v1/attributes/custom"}
"""The calls by which a backfill tells profiles, and a repair."""

SIZES = [pytest.param(240, 60), pytest.param(4_000, 1_000, marks=pytest.mark.long)]


@pytest.mark.parametrize(("people", "changed"), SIZES)
@pytest.mark.parametrize("vendor", ["klaviyo", "attentive"])
def test_every_difference_is_found_and_mended(
    broker: str, prefix: str, tmp_path: Path, vendor: str, people: int, changed: int
) -> None:
    """After a backfill nothing differs; what is changed there is found, alone, and sent again."""
    shop, report = Shop(broker, prefix, vendor), tmp_path / "drift.jsonl"
    injected = differences(vendor, changed)
    told = [n for n in range(people) if vendor == "klaviyo" or status(n) is not None]

    async def story() -> None:
        async with shop:
            shop.write({key(n): row(n) for n in range(people)})
            done = await shop.run(*BACKFILL, vendor, "--yes", str(len(told)))
            assert 0 == done.code, done
            await shop.start()
            await shop.until_low_is_empty()
            first = await shop.found(report)
            assert (0, []) == first
            assert TOLD_BY[vendor] == shop.posted
            shop.inject(each.change for each in injected.values())
            code, found = await shop.found(report, "--repair", "--yes", str(changed))
            assert 1 == code
            assert wanted(injected) == fields_of(found)
            reasons = Counter(each["reason"] for each in found)
            assert {"changed_there", "gone"} == reasons.keys(), reasons
            await shop.until_low_is_empty()
            last = await shop.found(report)
            assert (0, []) == last
            assert TOLD_BY[vendor] | {ONE_BY[vendor]} == shop.posted

    asyncio.run(story())


def test_a_backfill_that_is_killed_goes_on(broker: str, prefix: str) -> None:
    """It is planned first, and confirmed; after a kill each profile was appended once, by one run.

    Another wish has to wait; whom the vendor has is not told again.
    """
    shop, people = Shop(broker, prefix, "klaviyo"), 90
    command = (*BACKFILL, "klaviyo")

    async def story() -> None:
        async with shop:
            shop.write({key(n): row(n) for n in range(people)} | {"\0synced:m": Subscriber(1)})
            told = encode(row(0).version)
            shop.produce(shop.names.profiles_changelog("klaviyo"), key(0), told)
            planned = await shop.run(*command)
            assert (2, True) == (planned.code, f"--yes {people - 1}" in planned.err), planned
            assert f"{people - 1} of {people} rows are told" in planned.out
            yes = ("--yes", str(people - 1))
            killed = await shop.run(*command, *yes, rehearse="kill@committed#2")
            assert killed.code < 0
            assert 0 < len(await shop.low()) < people - 1
            other = await shop.run(*command, "--status", "active", *yes)
            assert (2, True) == (other.code, "Finish it first" in other.err), other
            done = await shop.run(*command, *yes)
            assert 0 == done.code, done
            appended = Counter(each["customer_id"] for each in await shop.low())
            assert Counter(f"{n:07}" for n in range(1, people)) == appended
            actions = [(each.action, each.state, each.id) for each in shop.actions()]
            assert [
                ("backfill.profiles", s, actions[0][2]) for s in ("began", "began", "done")
            ] == (actions)

    asyncio.run(story())


def test_backfills_side_by_side_append_each_profile_once(broker: str, prefix: str) -> None:
    """Three are planned; the quickest is killed, the next goes on from there, the last is late."""
    shop, people = Shop(broker, prefix, "klaviyo"), 90
    command = (*BACKFILL, "klaviyo")

    async def story() -> None:
        async with shop:
            shop.write({key(n): row(n) for n in range(people)} | {"\0synced:m": Subscriber(1)})
            async with (
                prompted(shop._environment, *command) as one,
                prompted(shop._environment, *command) as late,
            ):
                killed = await shop.run(*command, "--yes", str(people), rehearse="kill@committed#2")
                begun = len(await shop.low())
                done, refused = await one.answer(people), await late.answer(people)
            appended = Counter(each["customer_id"] for each in await shop.low())
            assert killed.code < 0 < begun < people
            assert 0 == done.code, done
            told = "another backfill of the connection has finished meanwhile"
            assert (75, True) == (refused.code, told in refused.err), refused
            assert Counter(f"{n:07}" for n in range(people)) == appended
            actions = [(each.state, each.id) for each in shop.actions()]
            assert [(s, actions[0][1]) for s in ("began", "began", "done")] == actions

    asyncio.run(story())


def test_rows_are_read_as_they_are_committed(broker: str, prefix: str) -> None:
    """The newest of each customer, nobody's row left out; a sample is the same people each time."""
    shop = Shop(broker, prefix, "klaviyo")

    async def story() -> None:
        async with shop:
            shop.write({key(n): row(n) for n in range(50)} | {"\0synced:m": Subscriber(1)})
            shop.write({key(1): row(2), key(2): None})
            table = TableRows(shop.kafka, shop.names.subscribers_changelog)
            rows = {name: each for some in table.all() for name, each in some.items()}
            assert {key(n).encode() for n in range(50) if n != 2} == rows.keys()
            assert encode_row(row(2)) == rows[key(1).encode()]
            assert {key(7).encode()} == table.one(key(7).encode()).keys()
            some = [table.sample(Sample(10, seed)).keys() for seed in (1, 1, 2)]
            assert some[0] == some[1] != some[2]
            assert [10, 10, 10] == [len(each) for each in some]
            shop.write({key(3): row(4), key(4): None, key(5): row(5)})
            wanted_keys = {key(n).encode() for n in (3, 4, 6)}
            newer = table.newer(wanted_keys)
            assert {key(3).encode(): encode_row(row(4)), key(4).encode(): None} == newer
            assert {} == table.newer(wanted_keys)

    asyncio.run(story())
