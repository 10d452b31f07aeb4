"""Workers of two versions side by side on a real broker, one of each role replaced, and back.

The short form of `./run chaos upgrade`, which replaces all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.upgrade.main import rehearse
from tests.chaos.upgrade.revision import CURRENT, NoRevision, earlier, extracted
from tests.chaos.upgrade.stage import Place

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = 300


@pytest.mark.long
def test_one_of_each_role_is_upgraded_and_goes_back(tmp_path: Path) -> None:
    """What the demo's books expect came, once and in order; nobody had to be ended."""
    try:
        old = extracted(earlier(), tmp_path / "old")
    except NoRevision as error:
        pytest.skip(f"no earlier version to upgrade from: {error}")
    deliver, derive = Place("deliver", 1), Place("derive", 1)
    steps = [(deliver, CURRENT), (derive, CURRENT), (derive, old), (deliver, old)]
    stage = tmp_path / "stage"
    stage.mkdir()
    outcome = rehearse(stage, old, events=EVENTS, seed=7, steps=steps)

    assert [] == outcome.wrong, outcome.notes
    assert [place for place, _ in steps] == [each.change.place for each in outcome.steps]
    assert {name: one.expected for name, one in outcome.summary.connections.items()} == {
        name: one.accepted for name, one in outcome.summary.connections.items()
    }
