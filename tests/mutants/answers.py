"""Faults of what an answer means, how patiently it is met, and what is told of it (DESIGN §7)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

EXCERPTS = "tests/unit/test_delivery_excerpt.py"
KLAVIYO = "tests/unit/test_klaviyo_answers.py"
OUTCOMES = "tests/unit/test_delivery_outcomes.py"

ANSWERS = (
    Mutant(
        "one-bad-row-for-all",
        "One bad row of a thousand makes dead letters of those that were refused for its sake.",
        "streams/destinations/answers.py",
        "refusals.get(place, Spared())",
        'refusals.get(place, Rejected("HTTP 400", named=True))',
        (f"{KLAVIYO}::test_a_call_of_several_is_refused_for_those_at_fault",),
    ),
    Mutant(
        "refusal-of-nobody-lost",
        "An order that a vendor refused without naming it is reported as delivered.",
        "streams/destinations/yespo_answers.py",
        "    if 0 < named.count(None) <= anonymous:\n",
        "    if named.count(None) < 0:\n",
        ("tests/unit/test_yespo_answers.py::test_a_failure_that_names_nobody_is_the_only_ones",),
    ),
    Mutant(
        "vendors-patience-ignored",
        "What a vendor's contract says of waiting is a table that nobody reads.",
        "streams/delivery/retry.py",
        "{**RETRIES, **own}",
        "{**own, **RETRIES}",
        ("tests/unit/test_delivery_verdicts.py::test_a_failure_is_met_as_its_reason_says",),
    ),
    Mutant(
        "reminded-of-the-past",
        "After an outage customers are reminded of orders that were placed days ago.",
        "streams/delivery/expiry.py",
        'return "place_date_passed" if now >= end else None',
        "return None",
        ("tests/unit/test_delivery_expiry.py::test_an_upcoming_order_has_a_day",),
    ),
    Mutant(
        "correction-refers-to-nothing",
        "Nobody can tell which outcome a late truth takes back.",
        "streams/delivery/outcomes.py",
        '"corrects": None if told is None else told.offset,',
        '"corrects": None,',
        (f"{OUTCOMES}::test_a_late_error_corrects_the_outcome_of_the_record_that_it_names",),
    ),
    Mutant(
        "answer-quotes-the-customer",
        "The outcomes topic keeps names and addresses, because a vendor repeated them.",
        "streams/delivery/excerpt.py",
        "    text = found.hidden_runs(text)\n",
        "",
        (f"{EXCERPTS}::test_nothing_that_was_sent_of_a_person_gets_through",),
    ),
    Mutant(
        "answer-quotes-the-others",
        "The outcome of one customer shows the names of those whose records went along.",
        "streams/delivery/attempts.py",
        "[each.request.body for each in steps]",
        "[steps[0].request.body]",
        (f"{EXCERPTS}::test_an_outcome_shows_nobody_who_went_along",),
    ),
)
