"""When a round of replays is content, and what its rounds are of."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from streams.model.replayed import MODES
from tests.chaos.replay.round import Outcome, Plan, plans
from tests.chaos.replay.tally import line, table
from tests.chaos.replay.vendors import VENDORS

PLAN = Plan(1, "klaviyo", "trigger", None)


def test_every_mode_goes_to_every_vendor() -> None:
    """Within a handful of rounds, and with fresh ids too."""
    found = {each.kind for each in islice(plans(Random(1)), 17)}

    assert {f"{vendor} {mode}" for vendor in VENDORS for mode in MODES} < found
    assert {f"{vendor} trigger new ids" for vendor in VENDORS} < found


@pytest.mark.parametrize(
    ("good", "outcome"),
    [
        (True, Outcome(PLAN, planned=100, started=100)),
        (True, Outcome(PLAN, planned=100, started=95, deviation=0.05)),
        (False, Outcome(PLAN, planned=100, started=94)),
        (False, Outcome(PLAN, planned=0, started=1)),
        (False, Outcome(PLAN, planned=100, started=100, unintended=1)),
        (False, Outcome(PLAN, planned=100, started=100, deviation=0.06)),
        (False, Outcome(PLAN, planned=100, started=100, wrong=["it was not appended"])),
    ],
)
def test_nothing_unintended_and_near_the_plan(good: bool, outcome: Outcome) -> None:
    """Within 5 %, of parts and of flows; what went wrong is told."""
    assert good == outcome.is_good
    assert all(each in line(outcome) for each in outcome.wrong)


def test_the_table_adds_up() -> None:
    """By vendor and mode, and in all: the worst of what was off."""
    several = [
        Outcome(PLAN, deliveries=1_000, planned=10, started=10, deviation=0.01),
        Outcome(PLAN, deliveries=1_100, planned=20, started=19, unintended=2),
    ]
    [*_, told, together] = [each.split() for each in table(several)]

    assert ["klaviyo", "trigger", "2", "2,100", "0", "30", "29", "2", "1.0%", "5.0%"] == told
    assert ["all", *told[2:]] == together
