"""Faults of history and return: what is known of the past, and what is done again on purpose."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SYNCED = "tests/unit/test_synced.py"
CARDS = "tests/unit/test_derive_cards.py"
CONFIRMATION = "tests/unit/test_confirmation.py"

SYNC = (
    Mutant(
        "synced-before-the-mark",
        "While the first sync still runs, customers of years are welcomed as new.",
        "streams/derive/history.py",
        "options.synced_at is not None and recorded_at",
        "options.synced_at is None or recorded_at",
        (f"{SYNCED}::test_before_the_mark_nothing_is_known",),
    ),
    Mutant(
        "mark-of-any-merchant",
        "The second shop's customers are welcomed because the first shop was synced.",
        "streams/model/ids.py",
        'return _SYNCED + key.partition(b":")[0]',
        "return _SYNCED",
        (f"{SYNCED}::test_a_mark_outlives_the_process",),
    ),
    Mutant(
        "later-mark-counts",
        "A second full sync makes everybody old who was new after the first.",
        "streams/synced.py",
        "if kept_under is not None and rows.get(kept_under) is None:",
        "if kept_under is not None:",
        (f"{SYNCED}::test_the_first_mark_counts",),
    ),
)

WARNINGS = (
    Mutant(
        "card-of-another-order",
        "Who pays by another card is told that this one ends.",
        "streams/derive/cards.py",
        "if each.order.payment == payment.public_id]",
        "]",
        (f"{CARDS}::test_an_order_by_another_card_is_not_meant",),
    ),
    Mutant(
        "card-that-is-good",
        "A card that lasts until the end of the order's month is said to be over.",
        "streams/derive/cards.py",
        'return f"{year}-{month}" < place[:7]',
        'return f"{year}-{month}" <= place[:7]',
        (f"{CARDS}::test_a_card_is_good_until_the_end_of_its_month",),
    ),
    Mutant(
        "order-back-from-the-dead",
        "A late event of an order that was skipped has its customer warned.",
        "streams/derive/cards.py",
        "if id_ in cards.gone or (known",
        "if (known",
        (f"{CARDS}::test_an_order_that_is_over_needs_no_card",),
    ),
)

DECIDED = (
    Mutant(
        "any-number-will-do",
        "A script that was written for last week's plan messages this week's customers.",
        "streams/cli/confirmation.py",
        "        if yes != number:\n",
        "        if yes < 0:\n",
        (f"{CONFIRMATION}::test_another_number_or_none_does_nothing",),
    ),
)
