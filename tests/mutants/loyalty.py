"""Faults of the loyalty source: what members would be told wrongly (contracts/okendo.md §5)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

DERIVATION = "tests/unit/test_loyalty_derivation.py"
PROPERTIES = "tests/unit/test_loyalty_properties.py"
RENDERING = "tests/unit/test_loyalty_rendering.py"
WEBHOOK = "tests/unit/test_okendo_webhook.py"

LOYALTY = (
    Mutant(
        "older-member-wins",
        "A delayed webhook gives a member the balance and tier of last week.",
        "streams/derive/loyalty.py",
        "    if sequence > row.sequence:\n",
        "    if sequence >= 0:\n",
        (f"{DERIVATION}::test_an_older_record_changes_nothing_of_what_holds_now",),
    ),
    Mutant(
        "sequence-as-text",
        "After the hundredth webhook of a programme, the newest is taken for the oldest.",
        "streams/sources/okendo/values.py",
        "    return int(found)\n\n\ndef points",
        "    return int(found.ljust(18, '0'))\n\n\ndef points",
        (f"{WEBHOOK}::test_the_envelope",),
    ),
    Mutant(
        "date-enrols",
        "Each time that a member's date of enrolment moves, the member is welcomed again.",
        "streams/derive/membership.py",
        " or (previous is not None and previous.status == ENROLLED):\n        return False\n",
        ":\n        return False\n",
        (f"{DERIVATION}::test_a_date_that_moves_enrols_nobody",),
    ),
    Mutant(
        "enrolment-by-arrival",
        "The same enrolment is told under another id when webhooks come in another order.",
        "streams/derive/membership.py",
        'known = ("sequence", spell.first) if since is None else ("at", since)',
        'known = ("sequence", event.sequence)',
        (f"{PROPERTIES}::test_the_order_of_arrival_does_not_matter",),
    ),
    Mutant(
        "running-programme-welcomed",
        "Connecting a programme that runs for years welcomes all of its members.",
        "streams/derive/membership.py",
        'else "old_enrolment"\n',
        "else None\n",
        (f"{DERIVATION}::test_a_running_programme_welcomes_nobody",),
    ),
    Mutant(
        "first-tier-is-an-upgrade",
        "Who gets a first tier is congratulated on an upgrade.",
        "streams/derive/membership.py",
        "    if old is None or new is None:\n        return False\n",
        "    if old is None or new is None:\n        return True\n",
        (f"{DERIVATION}::test_a_change_of_tier",),
    ),
    Mutant(
        "upgrade-upside-down",
        "Who falls to a lower tier is congratulated.",
        "streams/derive/membership.py",
        "tiers.index(new) > tiers.index(old)",
        "tiers.index(new) < tiers.index(old)",
        (f"{DERIVATION}::test_a_change_of_tier",),
    ),
    Mutant(
        "tier-day-for-a-time",
        "A tier that changed this evening starts no journey: its day began too long ago.",
        "streams/derive/membership.py",
        "    return received if is_today else min(told, received)\n",
        "    return min(told, received)\n",
        (f"{DERIVATION}::test_a_day_alone_is_not_taken_for_midnight",),
    ),
    Mutant(
        "points-told-again",
        "A refund that changes an award tells the customer of the points once more.",
        "streams/derive/points.py",
        "    if told or not complete:\n",
        "    if not complete:\n",
        (f"{DERIVATION}::test_a_pending_award_is_told_when_it_completes",),
    ),
    Mutant(
        "points-spent-negative",
        '"You have spent -500 points".',
        "streams/model/enriched.py",
        '        amount = amount.removeprefix("-")\n',
        "        amount = str(amount)\n",
        (f"{DERIVATION}::test_points",),
    ),
    Mutant(
        "tier-of-who-left",
        "Who left the programme is still taken for Gold in segments and flows.",
        "streams/model/member.py",
        "        tier=loyalty.tier if enrolled else None,\n",
        "        tier=loyalty.tier,\n",
        (f"{DERIVATION}::test_who_leaves_has_a_tier_no_longer",),
    ),
    Mutant(
        "tier-not-cleared",
        "At Klaviyo the last tier of a member who left stays for ever.",
        "streams/destinations/klaviyo.py",
        "for field in loyalty.cleared(event.member)}",
        "for field in loyalty.cleared(None)}",
        (f"{RENDERING}::test_what_holds_no_longer_is_cleared_as_each_vendor_can",),
    ),
    Mutant(
        "birthday-in-march",
        "Who was born on 29 February is congratulated in another month than it says in the shop.",
        "streams/derive/birthday.py",
        "        day -= 1\n",
        "        month, day = month + 1, 1\n",
        ("tests/unit/test_loyalty_birthday.py",),
    ),
    Mutant(
        "members-profile-everywhere",
        "A vendor that knows no loyalty is told that a member has no subscriptions.",
        "streams/families.py",
        "self.events.isdisjoint(takes)",
        'self.events.isdisjoint({"loyalty.enrolled"})',
        ("tests/unit/test_loyalty_job.py::test_a_member_goes_to_those_who_take_loyalty",),
    ),
    Mutant(
        "okendos-id-for-the-shops",
        "Okendo's id of a member becomes the id of a customer: two people are taken for one.",
        "streams/destinations/attentive.py",
        "options = replace(options, client_user_id=False)",
        "options = replace(options)",
        (f"{RENDERING}::test_okendos_id_is_not_the_shops",),
    ),
    Mutant(
        "staff-reason-to-the-customer",
        "What the staff noted about an adjustment is sent to the customer.",
        "streams/sources/okendo/webhook.py",
        '("description", p.NOTIFICATION_TEXT, v.text)',
        '("description", "internalReason", v.text)',
        (f"{WEBHOOK}::test_an_adjustments_reason_stays_inside",),
    ),
)
