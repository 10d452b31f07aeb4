"""Faults of rendering: what a vendor is asked for (DESIGN §7)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

KLAVIYO = "tests/unit/test_klaviyo_events.py"

DESTINATIONS = (
    Mutant(
        "unique-id-random",
        "A request that is repeated after a lost answer is a second event at the vendor.",
        "streams/destinations/klaviyo.py",
        '        "unique_id": delivery_id,\n',
        '        "unique_id": str(__import__("uuid").uuid4()),\n',
        (f"{KLAVIYO}::test_the_whole_body_of_a_bare_event",),
    ),
    Mutant(
        "late-without-backfill",
        "An old event starts a flow at Klaviyo as if it had happened now.",
        "streams/destinations/klaviyo.py",
        '        attributes["backfill"] = True\n',
        '        attributes["backfill"] = False\n',
        (f"{KLAVIYO}::test_a_late_event_starts_no_flow",),
    ),
    Mutant(
        "unknown-as-empty-text",
        "Names that nobody told overwrite those that the vendor has, with nothing.",
        "streams/destinations/fields.py",
        'if value is not None and value != ""}',
        'for value in ["" if value is None else value]}',
        (f"{KLAVIYO}::test_what_is_not_known_is_left_out",),
    ),
    Mutant(
        "money-as-text",
        "Prices cannot be compared in the vendor's segments.",
        "streams/model/wording.py",
        "    return None if text is None else round(float(text), 2)\n",
        "    return None if text is None else text  # type: ignore[return-value]\n",
        (f"{KLAVIYO}::test_money_is_a_number",),
    ),
    Mutant(
        "days-from-now",
        "A replay tells another number of days until the order is placed.",
        "streams/model/wording.py",
        "    return (date.fromisoformat(day) - day_in(instant, zone_name)).days\n",
        "    return (date.fromisoformat(day) - datetime.now(zone(zone_name)).date()).days\n",
        (f"{KLAVIYO}::test_days_until_place_date",),
    ),
    Mutant(
        "attentive-id-of-the-source",
        "Two facts of one webhook are one at Attentive, which drops the second.",
        "streams/destinations/attentive.py",
        '        "externalEventId": delivery_id,\n',
        '        "externalEventId": event.source_event_id,\n',
        ("tests/unit/test_attentive_events.py::test_the_whole_bodies_of_a_bare_event",),
    ),
    Mutant(
        "attribute-after-the-event",
        "A journey at Attentive that the event starts still reads the former status.",
        "streams/destinations/attentive.py",
        "            parts.append(_event(event, body, now, options))\n",
        "            parts.insert(0, _event(event, body, now, options))\n",
        ("tests/unit/test_attentive_events.py",),
    ),
    Mutant(
        "late-event-sent-to-attentive",
        "Attentive has no backfill: a late event starts its journey.",
        "streams/destinations/attentive.py",
        "    if is_data(event, options):\n",
        '    if event.late and options.late_events == "trigger":\n',
        ("tests/unit/test_attentive_events.py",),
    ),
    Mutant(
        "attentive-time-rewritten",
        "An old event pretends to be of now, so that a journey starts after all.",
        "streams/destinations/attentive.py",
        '        "occurredAt": iso_millis(event.occurred_at),\n',
        '        "occurredAt": iso_millis(event.occurred_at + JOURNEYS),\n',
        ("tests/unit/test_attentive_events.py",),
    ),
)
