"""Faults of replay: a flow that nobody meant, a plan that is wrong, a delivery appended twice."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

HEADERS = "tests/unit/test_replayed.py"
MODES = "tests/unit/test_replaying.py"
DELIVERED = "tests/unit/test_delivery_replayed.py"
PLAN = "tests/unit/test_replay_plan.py"
RUNS = "tests/unit/test_replay_runs.py"

REPLAYED = (
    Mutant(
        "fill-trusts-the-renderer",
        "A fill messages everybody at a vendor that cannot be told that it is data.",
        "streams/delivery/replaying.py",
        "    if young or part.outcome is not Outcome.DELIVERED_NO_TRIGGER:\n",
        "    if False:\n",
        (f"{MODES}::test_fill_starts_no_flow",),
    ),
    Mutant(
        "fill-at-the-limit",
        "A vendor whose clock is a little behind ours starts flows of what is sent as data.",
        "streams/delivery/replaying.py",
        "<= within + MARGIN_MS",
        "<= within",
        (f"{MODES}::test_fill_waits_until_it_is_old_enough",),
    ),
    Mutant(
        "unknown-mode-is-live",
        "A record whose mode nobody knows is sent as if it were new.",
        "streams/model/replayed.py",
        '        raise BadRecord("unknown_value", MODE, f"a replay',
        '        return None\n        raise BadRecord("unknown_value", MODE, f"a replay',
        (f"{HEADERS}::test_what_cannot_be_obeyed_is_bad",),
    ),
    Mutant(
        "replay-headers-unread",
        "What was to go as data goes as news.",
        "streams/delivery/rendering.py",
        "            delivery.replayed = replayed_of(delivery.headers)\n",
        "",
        (f"{DELIVERED}::test_fill_sends_nothing_that_may_start_a_flow",),
    ),
    Mutant(
        "new-ids-unused",
        "Fresh ids were asked for, and Klaviyo drops all of it in silence.",
        "streams/delivery/rendering.py",
        "own if delivery.replayed is None else delivery.replayed.id_of(own)",
        "own",
        (f"{DELIVERED}::test_trigger_goes_with_new_ids",),
    ),
    Mutant(
        "same-profile-not-repaired",
        "A profile that was changed at the vendor is never set right.",
        "streams/delivery/replaying.py",
        '    return 0 if mode == "profile-only" else 1\n',
        "    return 1\n",
        (f"{DELIVERED}::test_profile_only_sends_the_same_profile_again_and_no_older_one",),
    ),
    Mutant(
        "plan-forgets-first-wins",
        "The plan promises messages that Klaviyo will not send.",
        "streams/replay/plan.py",
        'if known and self._terms.destination.rules.repeated == "first_wins":',
        "if False:",
        (f"{PLAN}::test_klaviyo_ignores_what_it_has",),
    ),
    Mutant(
        "plan-by-todays-age",
        "The plan counts flows of events that are too old when their turn comes.",
        "streams/replay/plan.py",
        "at = terms.now + int(terms.pace.seconds(lane.records) * terms.partitions * 1_000)",
        "at = terms.now",
        (f"{PLAN}::test_age_is_that_of_the_time_of_sending",),
    ),
    Mutant(
        "copies-go-again",
        "A delivery whose letter was redriven starts its customer's flow twice in one run.",
        "streams/replay/survey.py",
        "        if same in self._picked:\n",
        "        if False:\n",
        (f"{RUNS}::test_copies_are_left_out",),
    ),
    Mutant(
        "run-known-by-its-hour",
        "A run that was cut short is begun anew by the very same line: all of it goes twice.",
        "streams/replay/runs.py",
        "        chosen = replace(self.selection, since=None, until=None, offsets={})\n",
        "        chosen = self.selection\n",
        (f"{RUNS}::test_a_run_is_known_again",),
    ),
)
