"""The benches' rows and records: any number of customers out of one demo day."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from streams.avro import codec
from streams.demo.world import MERCHANT
from streams.derive import DeriveOptions
from streams.model.ids import customer_key
from streams.model.row_bytes import decode_row, row_due
from streams.pipeline import Pipeline
from streams.sources.ordergroove import event_reader
from tests.bench import copies
from tests.bench.scale import ratio

DAY = copies.day(1_000, now=1_795_262_400.0)
"""Of 21 November 2026: another date makes another day."""
READ = event_reader(codec("sources/ordergroove"))
CUSTOMERS = 2 * len(DAY.rows)


def test_copies_of_rows_are_rows_of_other_customers_and_as_large() -> None:
    """Nobody is there twice, and sizes are those of the day."""
    filled = list(copies.rows(DAY, CUSTOMERS))

    sizes = Counter(row.size for _, row in DAY.rows)
    assert CUSTOMERS == len({key for key, _ in filled})
    assert sizes + sizes == Counter(len(row) for _, row in filled)


def test_copies_of_a_subscription_have_ids_of_their_own() -> None:
    """Else rows would compress better than the product's do."""
    subscriptions = [
        subscription
        for _, row in copies.rows(DAY, CUSTOMERS)
        for subscription in decode_row(row).subscriptions
    ]

    assert subscriptions
    assert len(subscriptions) == len(set(subscriptions))


def test_no_row_waits_for_a_timer() -> None:
    """What is pending would fire as soon as the worker starts."""
    due = [row_due(decode_row(row)) for _, row in copies.rows(DAY, CUSTOMERS)]

    assert {0} == set(due)


@pytest.mark.parametrize("told", ["records", "whole"])
def test_copies_of_records_are_keyed_by_their_own_customer(told: str) -> None:
    """The product refuses a record whose key is not its customer's."""
    pairs = copies.records(DAY, 300, CUSTOMERS) if told == "records" else copies.whole(DAY, 1_100)

    owners = [(key, READ(value)) for key, value in pairs]
    expected = [customer_key(event.merchant, event.customer_id) for _, event in owners]

    assert expected == [key for key, _ in owners]
    assert {MERCHANT} == {event.merchant for _, event in owners}


def test_a_copy_of_a_record_is_about_what_the_copy_of_the_row_knows() -> None:
    """A change of a subscription finds it in the row of its customer, and is no repetition."""
    filled = dict(copies.rows(DAY, CUSTOMERS))
    pipeline = Pipeline(
        codec("sources/ordergroove"),
        codec("events/enriched"),
        [],
        DeriveOptions(history="complete"),
    )
    known, repeated = 0, 0
    for key, value in copies.records(DAY, 300, CUSTOMERS):
        if key not in filled:
            continue
        event = READ(value)
        subscriptions = decode_row(filled[key]).subscriptions
        known += any(each in value.decode("latin-1") for each in subscriptions)
        processed = pipeline.process(value, filled.get, event.created, key)
        repeated += processed.duplicate

    assert known > 100
    assert repeated < 30


def test_what_one_customer_is_told_keeps_its_order() -> None:
    """Each copy of the day goes on where it was, from some point on."""
    key = copies.Template(b"of one customer")
    rest = [(key, copies.Template(b"%04d " % number + b"0" * 32)) for number in range(100)]
    of: defaultdict[bytes, list[int]] = defaultdict(list)
    for _, value in copies.records(copies.Day([(key, key)], [], rest), 60, customers=3):
        of[value[5:]].append(int(value[:4]))

    assert 3 == len(of)
    for numbers in of.values():
        assert [numbers[0] + n for n in range(len(numbers))] == numbers


def test_so_few_customers_run_out_of_events() -> None:
    """To tell an event twice would measure repetitions."""
    many = len(DAY.rest) * 2

    with pytest.raises(ValueError, match="too few"):
        list(copies.records(DAY, many, len(DAY.rows)))


def test_median_rows_are_all_about_as_large_as_the_median() -> None:
    """Memory is aimed at for median rows."""
    sizes = sorted(row.size for _, row in DAY.rows)
    few = [row.size for _, row in copies.middle(DAY).rows]

    assert sizes[int(len(sizes) * 0.4)] <= min(few)
    assert max(few) <= sizes[int(len(sizes) * 0.6)]
    assert min(few) <= sizes[len(sizes) // 2] <= max(few)


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    """A round in which the machine was slow is slow for all."""
    rounds = [[1.0, 1.1], [10.0, 12.0], [2.0, 6.0]]

    assert ratio(rounds, 1) == pytest.approx(1.2)
