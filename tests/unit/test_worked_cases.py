"""The worked cases: each step of each file, held against what the program makes of it.

The expected results are written by hand from the rules (DESIGN §6). Every case runs through the
pipeline, with its row encoded and decoded between all steps and its timers on stream time, and,
where it is made of webhooks alone, through `streams explain` with what each vendor would get.
"""

from __future__ import annotations

import pytest

from tests.support.worked_cases import LATE, load
from tests.support.worked_page import PAGE, UPDATE, rendered
from tests.support.worked_runs import driven, expected, expected_of_explain, explained

CASES = load()
PLAIN = {
    name: case for name, case in CASES.items() if all(step.kind == "event" for step in case.steps)
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_concluded(name: str) -> None:
    """Step by step: the events with ids and reasons, who takes them, and how the row stands."""
    case = CASES[name]

    assert expected(case) == driven(case)


@pytest.mark.parametrize("name", PLAIN)
def test_what_explain_says(name: str) -> None:
    """Step by step, from webhooks alone: the same, with the outcome at each vendor."""
    case = PLAIN[name]

    assert expected_of_explain(case) == explained(case)


def test_there_are_enough_cases() -> None:
    """Every setting of derivation, every reason to withhold, and lateness are shown somewhere."""
    told = [told for case in CASES.values() for step in case.steps for told in step.told]
    reasons = {each.withheld for each in told} - {None}
    settings = {name for case in CASES.values() for name in case.options}

    assert len(CASES) >= 25
    assert {
        "import",
        "state",
        "derived_mode",
        "old_customer",
        "customer_age_unknown",
        "old_subscription",
        "incomplete_history",
    } == reasons
    assert {
        "history",
        "synced_at",
        "flows_from",
        "mode",
        "native_subscriptions_created",
        "cancel_settle",
        "checkout_settle",
        "announce",
    } == settings
    assert any(each.late for each in told)
    assert {"klaviyo", "attentive"} == set(LATE)


def test_the_page_shows_the_cases() -> None:
    """WORKED_CASES.md is rendered from the same files; `UPDATE_GOLDEN=1` writes it anew."""
    page = rendered(CASES.values())
    if UPDATE:
        PAGE.write_text(page, encoding="utf-8")

    assert page == PAGE.read_text(encoding="utf-8")
