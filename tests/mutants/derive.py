"""Faults of derivation: arrival, repetitions, ids (DESIGN §6)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PROPERTIES = "tests/unit/test_derive_properties.py"
CONCLUSIONS = "tests/unit/test_derive_conclusions.py"
REACTIVATIONS = "tests/unit/test_derive_reactivations.py"
RULES = "tests/unit/test_derive_rules.py"
PIPELINE = "tests/unit/test_pipeline.py"

STATE = (f"{PROPERTIES}::test_the_state_does_not_depend_on_arrival",)

ORDER = (
    Mutant(
        "counter-for-map",
        "Each event that says live counts one subscription more: customers with none look active.",
        "streams/derive/subscriptions.py",
        """\
    if known is None:
        row.subscriptions[id_] = SubscriptionState(content, key, died_in)
""",
        """\
    if known is None or content.live:
        counted = id_ if known is None else f"{id_}+{len(row.subscriptions)}"
        row.subscriptions[counted] = SubscriptionState(content, key, died_in)
""",
        STATE,
    ),
    Mutant(
        "arrival-for-updated",
        "What arrives last wins: a delayed old event brings a cancelled subscription back.",
        "streams/derive/subscriber.py",
        "    key = OrderKey(content.updated, event.created,",
        "    key = OrderKey(arrival.now, event.created,",
        STATE,
    ),
    Mutant(
        "no-rank",
        "A create and a cancel of one second are put in order by chance.",
        "streams/derive/subscriber.py",
        "RANK.get(event.type, 0), event.event_id)",
        "0, event.event_id)",
        STATE,
    ),
    Mutant(
        "no-event-id-in-order",
        "Two changes of one second: the one that arrives later is lost, whichever it is.",
        "streams/derive/subscriber.py",
        "RANK.get(event.type, 0), event.event_id)",
        'RANK.get(event.type, 0), "")',
        (f"{RULES}::test_of_one_second_the_greater_id_is_the_later",),
    ),
    Mutant(
        "stale-cancel-counts",
        "A late cancel of a subscription that was reactivated since ends it again.",
        "streams/derive/subscriptions.py",
        "    if known is not None and key <= known.key:\n",
        "    if known is not None and key <= known.key and content.live:\n",
        STATE,
    ),
    Mutant(
        "snapshot-overwrites-newer",
        "An older picture beside an order's event changes a subscription that is newer.",
        "streams/derive/subscriber.py",
        "        apply(row, content, OrderKey(content.updated, event.created, 0, event.event_id))",
        "        apply(row, content, OrderKey(now, event.created, 0, event.event_id))",
        STATE,
    ),
    Mutant(
        "profile-by-arrival",
        "An old webhook with a former e-mail address overwrites the present one.",
        "streams/derive/profile.py",
        "(old is None or stamp > old)",
        "(old is None or stamp != old)",
        STATE,
    ),
)
"""What order events arrive in must not matter."""

REPETITION = (
    Mutant(
        "no-first-guard",
        "The source repeats a webhook, and the customer gets the message again.",
        "streams/derive/dedupe.py",
        "(_holds(digests, id_) or _holds(digests, guard))",
        "_holds(digests, guard)",
        (f"{PROPERTIES}::test_a_repetition_tells_nothing",),
    ),
    Mutant(
        "no-second-guard",
        "One fact that came under two event ids is told twice.",
        "streams/derive/dedupe.py",
        "(_holds(digests, id_) or _holds(digests, guard))",
        "_holds(digests, id_)",
        (f"{PROPERTIES}::test_a_repetition_tells_nothing",),
    ),
    Mutant(
        "guards-forgotten-at-midnight",
        "What is repeated on the next day is told again.",
        "streams/derive/dedupe.py",
        "    for past in [day for day in row.seen if day < today - days]:",
        "    for past in [day for day in row.seen if day < today]:",
        (f"{PROPERTIES}::test_a_repetition_tells_nothing",),
    ),
    Mutant(
        "create-told-twice",
        "Who cancels and comes back is welcomed as new again.",
        "streams/derive/subscriptions.py",
        "    row.ever_subscribed = True\n",
        "    row.ever_subscribed = content.live\n",
        (f"{PROPERTIES}::test_a_customer_is_created_once",),
    ),
    Mutant(
        "cancel-told-at-every-death",
        "A subscription that was never live here is mourned although nothing ended.",
        "streams/derive/subscriber.py",
        "    elif before.active or first:\n",
        '    elif before.active or first or event.type == "subscription.cancel":\n',
        (f"{PROPERTIES}::test_in_order_each_change_to_zero_is_a_cancel",),
    ),
    Mutant(
        "cancel-told-twice",
        "One end that is reached twice, by disorder, is told twice.",
        "streams/derive/conclusions.py",
        "    row.last_cancel = death\n",
        "",
        (f"{CONCLUSIONS}::test_nobody_with_a_live_subscription_is_mourned",),
    ),
    Mutant(
        "reactivation-told-twice",
        "change_live and reactivate of one click are two messages.",
        "streams/derive/reactivation.py",
        "    if updated in known.announced:\n",
        "    if not known.announced and updated in known.announced:\n",
        (REACTIVATIONS,),
    ),
    Mutant(
        "reactivations-pair-across-a-cancel",
        "Who cancels and comes back twice is welcomed back once.",
        "streams/derive/subscriber.py",
        "            note_reactivations(row, id_, reactivation.after_cancel(told))\n",
        "            note_reactivations(row, id_, told)\n",
        (REACTIVATIONS,),
    ),
)
"""What comes again must be told once."""

IDS = (
    Mutant(
        "create-id-of-the-event",
        "A replay in another order creates the customer under another id: welcomed twice.",
        "streams/derive/conclusions.py",
        "fact_id(CREATE, event.merchant, event.customer_id)",
        "fact_id(CREATE, event.event_id)",
        (f"{PROPERTIES}::test_a_customer_is_created_once",),
    ),
    Mutant(
        "cancel-id-of-the-event",
        "The same cancel gets another id when another event reveals it.",
        "streams/derive/conclusions.py",
        "fact_id(CANCEL, merchant, customer_id, *death)",
        "fact_id(CANCEL, ended.event_id)",
        (f"{PIPELINE}::test_ids_and_times_are_the_facts_own",),
    ),
    Mutant(
        "reactivate-id-of-the-event",
        "change_live or reactivate, whichever comes first, gives its own id to one fact.",
        "streams/derive/conclusions.py",
        "fact_id(REACTIVATE, event.merchant, event.customer_id, id_, updated)",
        "fact_id(REACTIVATE, event.event_id)",
        (f"{REACTIVATIONS}::test_reactivations_do_not_depend_on_arrival",),
    ),
    Mutant(
        "cancel-at-the-events-time",
        "A cancel is dated by the webhook that revealed it, not by the end itself.",
        "streams/derive/conclusions.py",
        """\
            fact_id(CANCEL, merchant, customer_id, *death),
            death[1],
""",
        """\
            fact_id(CANCEL, merchant, customer_id, *death),
            ended.at,
""",
        (f"{PROPERTIES}::test_in_order_each_change_to_zero_is_a_cancel",),
    ),
    Mutant(
        "ids-of-a-merchant-collide",
        "Two shops' customers with one number share a row and its history.",
        "streams/model/ids.py",
        'return f"{merchant}:{customer_id}".encode()',
        'return f":{customer_id}".encode()',
        ("tests/unit/test_ids.py::test_a_key_is_merchant_and_customer",),
    ),
)
"""Ids and times must be functions of the fact."""
