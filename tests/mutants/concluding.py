"""Faults of derivation: what is concluded, what is withheld, and what waits (DESIGN §6)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CONCLUSIONS = "tests/unit/test_derive_conclusions.py"
RULES = "tests/unit/test_derive_rules.py"
JOB = "tests/unit/test_derive_job.py"
HISTORY = "tests/unit/test_derive_history.py"
CHECKOUTS = "tests/unit/test_derive_checkouts.py"
SETTLE = "tests/unit/test_derive_settle.py"
CASES = "tests/unit/test_worked_cases.py::test_what_is_concluded"
PIPELINE = "tests/unit/test_pipeline.py"

RECORDS = (f"{PIPELINE}::test_what_records_become",)

CONSEQUENCES = (
    Mutant(
        "stale-event-never-late",
        "An old change of a dead subscription starts a flow as if it were news.",
        "streams/derive/subscriber.py",
        "arrival.early or tardy or known.content.live != content.live",
        "arrival.early",
        (f"{PIPELINE}::test_when_a_stale_event_is_late",),
    ),
    Mutant(
        "create-of-the-gone-not-late",
        "Who has cancelled by the time we hear of the create is welcomed.",
        "streams/derive/conclusions.py",
        "        late=late or not active,\n",
        "        late=late,\n",
        (f"{CONCLUSIONS}::test_a_create_is_late_if_nobody_lives_by_then",),
    ),
    Mutant(
        "source-subscriber-events-told",
        "The source's own subscriber.create goes out beside ours: two welcomes.",
        "streams/derive/native.py",
        '    told = options.mode == "native" or (',
        '    told = options.mode != "native" or (',
        (f"{CONCLUSIONS}::test_the_sources_own_subscriber_events_are_withheld",),
    ),
    Mutant(
        "import-announced",
        "A programme's migration welcomes everybody who subscribed years ago.",
        "streams/derive/subscriber.py",
        '    if event.source == IMPORT and "import" not in options.announce:\n',
        '    if event.source != event.source and "import" not in options.announce:\n',
        RECORDS,
    ),
    Mutant(
        "status-from-the-events-type",
        "A replayed create makes a customer active who left long ago.",
        "streams/enrich.py",
        "        profile=_profile(row),\n",
        """\
        profile=__import__("msgspec").structs.replace(
            _profile(row), status="inactive" if fact.type.endswith("cancel") else "active"
        ),
""",
        (f"{RULES}::test_the_status_is_the_rows_and_never_the_events",),
    ),
    Mutant(
        "profile-changed-to-nobody",
        "Destinations that take few event types never learn of a new status.",
        "streams/route.py",
        "            to = tuple(r.connection for r in mine if r.connection not in served)\n",
        "            to = ()\n",
        ("tests/unit/test_route.py",),
    ),
    Mutant(
        "merchants-mixed",
        "A shop's events go to the account of another.",
        "streams/route.py",
        "if r.merchants is None or merchant in r.merchants]",
        "if merchant]",
        (f"{PIPELINE}::test_merchants_are_kept_apart", "tests/unit/test_route.py"),
    ),
    Mutant(
        "count-after-the-cut",
        "total_subscriptions_count never says more than 25.",
        "streams/enrich.py",
        "        subscriptions_count=None if listed is None else len(listed),\n",
        "        subscriptions_count=None if listed is None else len(listed[:LIST_CUT]),\n",
        ("tests/unit/test_enrich.py",),
    ),
    Mutant(
        "bad-record-loses-its-bytes",
        "A record that was given up on cannot be redriven.",
        "streams/model/dead_letter.py",
        '        "value": value or b"",\n',
        '        "value": b"",\n',
        (f"{JOB}::test_what_is_given_up_keeps_all_that_it_was",),
    ),
    Mutant(
        "naive-times-in-utc",
        "Times without a zone are six hours off: an older event passes for the newer one.",
        "streams/sources/ordergroove/quirks.py",
        "        when = when.replace(tzinfo=reading.zone)\n",
        "        when = when.replace(tzinfo=UTC)\n",
        ("tests/unit/test_ordergroove_quirks.py",),
    ),
)
"""What follows from a fact, and who is told."""

PAST = (
    Mutant(
        "history-taken-for-complete",
        "Connected to a running shop, the program welcomes everybody who has subscribed for years.",
        "streams/derive/history.py",
        '    complete = options.history != "live" and all_is_told(options, recorded_at)\n',
        "    complete = True\n",
        (f"{HISTORY}::test_who_is_new",),
    ),
    Mutant(
        "old-customer-welcomed",
        "A customer of ten years whom we never saw is welcomed as new.",
        "streams/derive/history.py",
        '            return "old_customer"\n',
        "            return None\n",
        (f"{HISTORY}::test_who_is_new",),
    ),
    Mutant(
        "unknown-age-welcomed",
        "Whoever is first seen, in an order's reminder for instance, is welcomed.",
        "streams/derive/history.py",
        "    elif not (row_is_new and event.source == CHECKOUT):\n",
        "    elif not row_is_new:\n",
        (f"{HISTORY}::test_who_is_new",),
    ),
    Mutant(
        "old-subscription-welcomed",
        "A new account at a shop that moved its subscriptions over is welcomed.",
        "streams/derive/history.py",
        'return None if all(_is_new(each, event) for each in contents) else "old_subscription"',
        "return None",
        (f"{HISTORY}::test_who_is_new",),
    ),
    Mutant(
        "cancel-of-an-unknown-past",
        "One of many subscriptions ends, the only one we know of: the customer is mourned.",
        "streams/derive/subscriber.py",
        "(None if row.complete else history.INCOMPLETE)",
        "None",
        (f"{HISTORY}::test_whose_end_is_told",),
    ),
    Mutant(
        "import-completes-history",
        "After a migration, whoever was imported is mourned by half of what we know.",
        "streams/derive/subscriber.py",
        "        row.complete = old is None and happened and event.source != IMPORT\n",
        "        row.complete = old is None and happened\n",
        (CASES, f"{HISTORY}::test_whose_end_is_told"),
    ),
    Mutant(
        "any-state-tells-all",
        "While a sync reads lists side by side, whoever's address came first is welcomed as new.",
        "streams/derive/subscriber.py",
        "        row.complete = history.all_is_told(options, recorded_at)\n",
        "        row.complete = True\n",
        (CASES, f"{HISTORY}::test_whose_end_is_told", f"{HISTORY}::test_who_is_new"),
    ),
    Mutant(
        "state-of-long-ago-is-new",
        "Who registered and subscribed on one day, years ago, leaves while others of theirs live.",
        "streams/derive/subscriber.py",
        "        row.complete = old is None and happened and event.source != IMPORT\n",
        "        row.complete = old is None and event.source != IMPORT\n",
        (f"{HISTORY}::test_whose_end_is_told",),
    ),
    Mutant(
        "sync-forgotten",
        "After a sync, new customers are taken for old ones and never welcomed.",
        "streams/derive/history.py",
        "recorded_at >= options.synced_at",
        "recorded_at < 0",
        (CASES,),
    ),
    Mutant(
        "flows-from-ignored",
        "A topic with a year in it starts a year of flows on the first day.",
        "streams/derive/subscriber.py",
        "event.created < options.flows_from",
        "event.created < 0",
        (f"{HISTORY}::test_before_flows_begin_everything_is_late",),
    ),
    Mutant(
        "state-records-announced",
        "Seeding the table from the REST API writes to every customer.",
        "streams/derive/subscriber.py",
        'return "state" if event.kind == "state" and "state" not in options.announce else None',
        "return None",
        (f"{PIPELINE}::test_a_seeded_state_starts_no_flow",),
    ),
    Mutant(
        "native-concludes-as-well",
        "Where the source's own events are chosen, ours go out beside them.",
        "streams/derive/subscriber.py",
        """\
    if options.mode == "native":
        return []
    return [conclusions.create(""",
        """\
    return [conclusions.create(""",
        (CASES,),
    ),
    Mutant(
        "dead-subscriptions-forgotten",
        "Somebody with more than fifty subscriptions in a life has fewer from then on.",
        "streams/derive/compaction.py",
        "            row.subscriptions[id_] = _shrunk(row.subscriptions[id_])\n",
        "            del row.subscriptions[id_]\n",
        ("tests/unit/test_derive_compaction.py",),
    ),
)
"""What was before we were there must not be told as news."""

WAITING = (
    Mutant(
        "checkout-closes-at-once",
        "A checkout of three subscriptions is told three times.",
        "streams/derive/checkout.py",
        "    closes = now + options.checkout_settle\n",
        "    closes = now\n",
        (CHECKOUTS,),
    ),
    Mutant(
        "late-member-under-the-same-id",
        "A subscription that joins its checkout later is dropped by the vendor as a repetition.",
        "streams/derive/checkout.py",
        "    again = (known.told,) if known.told else ()\n",
        "    again = ()\n",
        (CHECKOUTS,),
    ),
    Mutant(
        "checkout-by-second-alone",
        "Subscriptions of one order that were created over two seconds are two checkouts.",
        "streams/derive/checkout.py",
        "    if content.merchant_order_id:\n",
        "    if not content:\n",
        (f"{CHECKOUTS}::test_what_belongs_together",),
    ),
    Mutant(
        "cancelled-checkout-not-late",
        "A checkout of which nothing lives any more is congratulated on.",
        "streams/derive/checkout.py",
        "        late=known.late or live.isdisjoint(known.members),\n",
        "        late=known.late,\n",
        (f"{CHECKOUTS}::test_when_a_checkout_is_late",),
    ),
    Mutant(
        "settling-forgotten",
        "A cancel that waits for a change of mind is never told.",
        "streams/model/row_bytes.py",
        "        times.append(row.settling.at)\n",
        "        times.append(0)\n",
        (SETTLE,),
    ),
    Mutant(
        "cancel-does-not-wait",
        "Who swaps one subscription for another within minutes is mourned.",
        "streams/derive/subscriber.py",
        "        row.settling = ended\n        return []\n",
        "        row.settling = ended\n",
        (SETTLE,),
    ),
    Mutant(
        "settle-timer-lost-in-a-restart",
        "A cancel that was waiting while the worker restarted is never told.",
        "streams/topology.py",
        "        return self._pipeline.due(row)\n",
        "        return 0 * self._pipeline.due(row)\n",
        (f"{JOB}::test_timers_survive_a_restart",),
    ),
)
"""What waits for stream time: checkouts and cancels."""
