"""`streams reconcile --against ordergroove` on a real broker: a synced shop, changed in silence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from streams.cli.reconcile.reconciling import Asked
from streams.cli.reconcile.source import against_source
from streams.demo.children import Child
from streams.settings import load_settings
from tests.support.reconciled_source import SourceWorld, expected, fields_of, key
from tests.support.sync_world import KEY, MERCHANT, PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

SIZES = [pytest.param(150, 60), pytest.param(3_000, 1_000, marks=pytest.mark.long)]


@pytest.mark.parametrize(("people", "changed"), SIZES)
def test_every_difference_is_found_and_mended(
    broker: str, prefix: str, tmp_path: Path, people: int, changed: int
) -> None:
    """After a sync nothing differs; what changes in silence is found, alone, and read again."""
    world = SourceWorld(tmp_path, broker, prefix, customers=people)
    try:
        world.confirmed("--since", "beginning", seconds=300)
        world.derive()
        world.until_derived()
        assert (0, []) == (first := world.reconcile())[:2], first[2]
        before = world.standing()
        gone = world.change(changed)
        mended = changed - changed // 5
        code, found, said = world.reconcile("--repair", "--yes", str(mended))
        assert 1 == code, said
        assert mended == changed - len(gone)
        assert expected(before, world.standing()) == fields_of(found)
        assert changed == len({each["customer"] for each in found})
        reasons = Counter(each["reason"] for each in found)
        assert {"no_webhook", "unheard", "unknown_there"} == reasons.keys(), reasons
        world.until_derived()
        code, left, said = world.reconcile()
        assert [(key(each), "person") for each in sorted(gone)] == fields_of(left), said
        assert {"unknown_there"} == {each["reason"] for each in left}
    finally:
        world.close()


def test_who_is_erased_before_it_is_confirmed_is_not_written(
    broker: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two differ; one of them is erased while the number is typed: the other one is written."""
    monkeypatch.setenv(f"STREAMS_ORDERGROOVE__API__{MERCHANT.upper()}__KEY", KEY)
    world = SourceWorld(tmp_path, broker, prefix, customers=10)
    try:
        world.confirmed("--since", "beginning")
        world.derive()
        world.until_derived()
        gone, stays, *_ = (each["merchant_user_id"] for each in world.entities("customers"))
        for each in (gone, stays):
            world.put("customers", {"merchant_user_id": each, "first_name": "Somebody"})
        settings = load_settings(tmp_path / "streams.toml")
        work = against_source(settings, Asked("ordergroove", "subscribers"))
        assert {key(gone), key(stays)} == {each.key.decode() for each in work.found.drifts}
        erase = ("erase", "--customer", key(gone), "--yes", "1", "--wait", "0")
        Child("erase", erase, tmp_path, {}).wait(PATIENCE)
        before = {(each.partition, each.offset) for each in world.records()}
        work.repair(2)
        written = [r for r in world.records() if (r.partition, r.offset) not in before]
    finally:
        world.close()

    assert {key(stays).encode()} == {each.key for each in written}
