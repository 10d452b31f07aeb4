"""Faults of what goes beside a topic's order: parked customers, the low lane, the circuit."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PARKING = "tests/unit/test_delivery_parking.py"
LOW = "tests/unit/test_delivery_low_lane.py"
CIRCUIT = "tests/unit/test_delivery_circuit.py"

LANES = (
    Mutant(
        "stuck-customer-blocks",
        "One customer whose delivery always fails keeps the offset where it is, for a day.",
        "streams/delivery/sender.py",
        "                if step.under_attempt >= self._books.parking.after:\n",
        "                if step.under_attempt < 0:\n",
        (f"{PARKING}::test_the_offset_passes_a_customer_who_is_stuck",),
    ),
    Mutant(
        "newcomer-blocks",
        "Who orders again while a delivery of theirs is parked keeps the offset where it is.",
        "streams/delivery/handler.py",
        "        if parking.holds(delivery.customer):\n",
        "        if not delivery.key:\n",
        (f"{PARKING}::test_who_comes_after_is_parked_at_once",),
    ),
    Mutant(
        "parked-before-it-is-written",
        "The offset passes a delivery whose record in the table the broker does not have yet.",
        "streams/delivery/handler.py",
        "        elif delivery.parked and delivery.unacknowledged == 0:\n",
        "        elif delivery.parked:\n",
        (f"{PARKING}::test_the_offset_waits_for_the_table",),
    ),
    Mutant(
        "parked-sent-again",
        "A part that was delivered before its delivery was parked goes again after a restart.",
        "streams/delivery/intake.py",
        "        recalled=(*recalled, *outcomes_of(parked)),\n",
        "        recalled=recalled,\n",
        (f"{PARKING}::test_what_was_concluded_before_a_restart_is_not_sent_again",),
    ),
    Mutant(
        "budget-begins-anew",
        "A delivery that fails for weeks is never given up, since workers are restarted.",
        "streams/delivery/sender.py",
        "                first.failures, first.under_attempt = delivery.resumed\n",
        "                first.failures = delivery.resumed[0]\n",
        (f"{PARKING}::test_the_budget_survives_a_restart",),
    ),
    Mutant(
        "backfill-before-live",
        "A replay of a year stands in front of today's orders.",
        "streams/delivery/intake.py",
        "        sequence=number + LOW if low else number,\n",
        "        sequence=number,\n",
        (f"{LOW}::test_live_work_goes_first",),
    ),
    Mutant(
        "low-lane-takes-all-slots",
        "A replay of slow requests leaves none for what is live.",
        "streams/delivery/sender.py",
        "                if queue.low and self._statistics.low_in_flight >= self._low.slots:\n",
        "                if self._low.slots < 0:\n",
        (f"{LOW}::test_it_takes_a_share_of_the_slots_at_most",),
    ),
    Mutant(
        "low-lane-begins-anew",
        "A restart sends the whole replay again.",
        "streams/delivery/low_lane.py",
        "memory.position.offset - 1)",
        "-1)",
        (f"{LOW}::test_a_restart_goes_on_where_it_was",),
    ),
    Mutant(
        "parking-wakes-nobody",
        "Somebody who is stuck fills the low lane, and a replay sleeps until they are well.",
        "streams/delivery/handler.py",
        "        self._low.progressed()\n",
        "",
        (f"{LOW}::test_room_that_parking_gives_is_used",),
    ),
    Mutant(
        "outage-expires-everything",
        "A vendor's outage of a day makes dead letters of all that waits.",
        "streams/delivery/sender.py",
        "            step.under_attempt = under_attempt  # the vendor's own failure\n",
        "            pass\n",
        (f"{CIRCUIT}::test_an_outage_counts_against_nobody",),
    ),
    Mutant(
        "sick-vendor-stormed",
        "A vendor that fails is sent everything, over and over.",
        "streams/delivery/circuit.py",
        "        self.reason, self._tries = reason, 1\n",
        "        self._tries = 1\n",
        (f"{CIRCUIT}::test_it_opens_when_calls_fail_in_a_row",),
    ),
    Mutant(
        "one-customer-opens-the-circuit",
        "A single delivery that always fails stops the connection for all.",
        "streams/delivery/circuit.py",
        "        self._failed.clear()\n",
        "",
        (f"{CIRCUIT}::test_good_answers_between_failures_keep_it_closed",),
    ),
)
