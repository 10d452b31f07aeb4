"""`streams reconcile --against ordergroove` on a real broker: a synced shop, changed in silence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.reconciled_source import SourceWorld, expected, fields_of, key

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
