"""Faults of what travels together, is sent once, or waits for its time (DESIGN §7)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

TOGETHER = "tests/unit/test_delivery_batches.py"
SYNC = "tests/unit/test_delivery_profile_sync.py"

BATCHES = (
    Mutant(
        "order-fires-again",
        "A replay sends an order that the vendor has, and its flow starts once more.",
        "streams/delivery/things.py",
        "        if sent is None or sent.digests.get(part.thing) != part.substance:\n",
        "        if part.thing:\n",
        (f"{TOGETHER}::test_a_thing_that_did_not_change_is_not_sent_again",),
    ),
    Mutant(
        "order-forgotten-at-restart",
        "After a restart every order is news.",
        "streams/delivery/books.py",
        "        self.things.install(partition, known)\n",
        "",
        (f"{TOGETHER}::test_what_was_sent_of_things_is_remembered",),
    ),
    Mutant(
        "refused-order-remembered",
        "An order that the vendor did not take is held for one that it has.",
        "streams/delivery/books.py",
        """\
            self.things.applied(delivery, delivery.event, step)
""",
        """\
            pass
        if delivery.event is not None:
            self.things.applied(delivery, delivery.event, step)
""",
        (f"{TOGETHER}::test_a_thing_that_was_not_taken_is_not_remembered",),
    ),
    Mutant(
        "one-refusal-for-all",
        "One bad order makes dead letters of the hundred that went with it.",
        "streams/destinations/yespo_answers.py",
        "bool(names) and all(",
        "bool(names) or all(",
        ("tests/unit/test_yespo_answers.py::test_the_refused_one_is_refused_and_no_other",),
    ),
    Mutant(
        "bad-call-gives-up-all",
        "A call that the vendor refuses whole makes dead letters of every record in it.",
        "streams/delivery/calls.py",
        "            for places in parted(found, again=steps[0].company > 0):\n",
        "            for places in ():\n",
        (f"{TOGETHER}::test_a_call_refused_as_a_whole_is_halved_until_the_fault_is_found",),
    ),
    Mutant(
        "lost-partition-breaks-the-call",
        "A rebalance of one partition breaks off what is under way for the others.",
        "streams/delivery/calls.py",
        "            if all(each.task is not task for each in self._carried.get(task, ())):\n",
        "            if task is not None:\n",
        (f"{TOGETHER}::test_a_partition_that_goes_takes_only_its_records",),
    ),
    Mutant(
        "batch-too-large",
        "A call is larger than the vendor takes, and all in it fail.",
        "streams/delivery/batching.py",
        "                if size > rule.bytes:\n",
        "                if size > rule.bytes * 100:\n",
        (f"{TOGETHER}::test_a_batch_has_a_size",),
    ),
    Mutant(
        "waiting-profile-lost",
        "A restart within the hour forgets the profiles that changed in it.",
        "streams/delivery/known.py",
        "            self.waiting[customer] = _decode_waiting(value)\n",
        "            _decode_waiting(value)\n",
        (f"{SYNC}::test_of_a_changelog_the_last_word_counts",),
    ),
    Mutant(
        "older-profile-waits",
        "A replay puts an old profile in the place of the new one that waits.",
        "streams/delivery/profile_sync.py",
        "            if known.version >= version:\n",
        "            if known.version > version + 10:\n",
        (f"{SYNC}::test_one_that_is_older_than_what_waits_is_not_sent",),
    ),
    Mutant(
        "sent-profile-waits-on",
        "Every hour sends all profiles that were ever sent.",
        "streams/delivery/profile_sync.py",
        "            del there[key]\n            self._keep(delivery, key, None)\n",
        "            del there[key]\n",
        (f"{SYNC}::test_the_newest_goes_when_its_time_comes",),
    ),
)
"""What makes customers hear of one thing twice, or of nothing."""
