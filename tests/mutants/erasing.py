"""Faults of erasing: somebody comes back from the past, or somebody else is taken for them."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

DERIVE = "tests/unit/test_derive_erase.py"
DELIVER = "tests/unit/test_delivery_erase.py"
SEARCH = "tests/unit/test_erase_search.py"

ERASED = (
    Mutant(
        "old-event-after-the-erase",
        "A vendor's retry of last week brings back whom somebody had erased.",
        "streams/derive/erasure.py",
        "        if event.created < row.erased_at:\n            return _dropped(row, event)\n",
        "        pass\n",
        (f"{DERIVE}::test_what_is_older_is_dropped_however_late_it_comes",),
    ),
    Mutant(
        "mark-lost-with-the-new-row",
        "Once somebody is back, what was erased comes back too.",
        "streams/derive/erasure.py",
        "    row.erased_at = former.erased_at\n",
        "    pass\n",
        (f"{DERIVE}::test_what_is_younger_begins_a_new_row",),
    ),
    Mutant(
        "member-has-no-time",
        "A resent webhook of a member who was erased enrols them again.",
        "streams/derive/erasure.py",
        "        return event.sequence <= row.erased_sequence\n",
        "        return False\n",
        (f"{DERIVE}::test_a_member_is_forgotten_alike",),
    ),
    Mutant(
        "erased-by-another-way",
        "A redrive sends the vendor what it was asked to forget.",
        "streams/delivery/erasures.py",
        "return elsewhere and event.occurred_at < erasure.at",
        "return False",
        (f"{DELIVER}::test_what_comes_by_another_way_is_judged_by_its_time",),
    ),
    Mutant(
        "erase-replayed",
        "A replay has the vendor forget somebody who came back since.",
        "streams/delivery/erasures.py",
        "        again = delivery.low and event.type == CUSTOMER_ERASED\n",
        "        again = False\n",
        (f"{DELIVER}::test_an_erase_is_not_asked_for_again_by_a_replay",),
    ),
    Mutant(
        "version-outlives-the-erase",
        "Who comes back after an erase has no profile at the vendor any more.",
        "streams/delivery/profiles.py",
        "        self._versions[delivery.partition].pop(key, None)\n",
        "        pass\n",
        (f"{DELIVER}::test_the_connection_forgets_the_customer",),
    ),
    Mutant(
        "parked-until-the-next-attempt",
        "What waits of an erased customer stays in Kafka until its vendor is up again.",
        "streams/delivery/erasing.py",
        "            self._conclude_all(delivery)\n",
        "            pass\n",
        (f"{DELIVER}::test_what_waits_is_concluded_at_once",),
    ),
    Mutant(
        "address-that-looks-alike",
        "elinoor@shop-demo.io is erased because noor@shop-demo.io asked for it.",
        "streams/replay/people.py",
        "        if same or key in self._keys:\n",
        "        if same is not None:\n",
        (f"{SEARCH}::test_rows_are_found_by_address_phone_or_key",),
    ),
)
