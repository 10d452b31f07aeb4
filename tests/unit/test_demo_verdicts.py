"""The demo notices every outcome that is not the one expected."""

from __future__ import annotations

import pytest

from streams.demo.expected import expected
from streams.demo.verdicts import Verdict, differing_verdicts
from tests.support.written_webhooks import CREATE, FED, NOON, attentive, subscriber

LEDGER = attentive([subscriber(1), CREATE])
OLD = (NOON + 12 * 3_600) * 1_000
"""When its events begin to be too old for a journey; they are told of at `FED`, hours later."""


def came() -> dict[tuple[str, str], Verdict]:
    """Exactly what is expected: every event is too old by now."""
    aged = {
        name: "delivered_no_trigger" if one.part.fresh_until else one.part.outcome
        for name, one in LEDGER.parts.items()
    }
    return {
        name: Verdict(aged[name], one.part.reason, FED + 9_000)
        for name, one in LEDGER.parts.items()
    }


def test_what_came_as_expected_is_fine() -> None:
    """No difference, and nothing is expected of nobody."""
    assert [] == list(differing_verdicts(LEDGER, came()))
    assert [] == list(differing_verdicts(attentive([]), {}))


@pytest.mark.parametrize("place", range(len(LEDGER.parts)))
def test_each_outcome_is_looked_at(place: int) -> None:
    """Another class, another reason, none at all, one too many."""
    name = list(LEDGER.parts)[place]
    right = came()
    wrong = [
        right | {name: right[name]._replace(outcome="expired")},
        right | {name: right[name]._replace(reason="whim")},
        {each: verdict for each, verdict in right.items() if each != name},
        right | {("unheard-of", "event"): right[name]},
    ]

    assert [1] * 4 == [len(list(differing_verdicts(LEDGER, each))) for each in wrong]


AGES: dict[str, tuple[int, int, set[str]]] = {
    "still young when it was concluded": (-10, -1, {"delivered"}),
    "at the very end of its time": (-10, 0, {"delivered"}),
    "it grew old on its way": (-10, 1, {"delivered", "delivered_no_trigger"}),
    "too old from the beginning": (1, 2, {"delivered_no_trigger"}),
}


@pytest.mark.parametrize(("told_at", "recorded_at", "fine"), AGES.values(), ids=AGES.keys())
def test_an_age_is_judged_on_the_way(told_at: int, recorded_at: int, fine: set[str]) -> None:
    """Between the webhook's record and the outcome's; times in milliseconds around the limit."""
    ledger = expected([subscriber(1), CREATE], OLD + told_at).ledgers["attentive"]
    name = next(name for name, one in ledger.parts.items() if one.type == "subscription.create")
    event = (name[0], "event")
    accepted = {
        outcome
        for outcome in ("delivered", "delivered_no_trigger", "filtered")
        if not [
            line
            for line in differing_verdicts(
                ledger, {event: Verdict(outcome, None, OLD + recorded_at)}
            )
            if "missing" not in line
        ]
    }

    assert fine == accepted
