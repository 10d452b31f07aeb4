"""The latency bench: percentiles, and which record an event that was read came of."""

from __future__ import annotations

from itertools import islice

import pytest
from msgspec.structs import replace

from streams.avro import codec
from streams.avro_structs import struct_writer
from tests.bench import copies
from tests.bench.latency import event_id_of, first_seen, matches
from tests.bench.open_loop import Sent, percentile
from tests.support.enriched import bare

DAY = copies.day(200)


@pytest.mark.parametrize(
    ("numbers", "percent", "expected"),
    [
        ([7.0], 50, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 51, 3.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 101)], 100, 100.0),
        ([float(n) for n in range(1, 1001)], 99.9, 999.0),
    ],
    ids=["one", "half", "above half", "99 of 100", "the largest", "a fraction"],
)
def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed(
    numbers: list[float], percent: float, expected: float
) -> None:
    """Nearest rank: always a number that was measured, never one in between."""
    actual = percentile(numbers, percent)

    assert expected == actual


def test_the_event_id_of_a_record_is_what_its_schema_says() -> None:
    """The bench reads the id without decoding the record."""
    decode = codec("sources/ordergroove").decode
    records = [value for _, value in islice(copies.whole(DAY, 50), 50)]

    expected = [decode(value)["event_id"] for value in records]
    actual = [event_id_of(value) for value in records]

    assert expected == actual


def _record(event_id: str) -> tuple[bytes, bytes]:
    return b"key", b"\0\0\0\0\1" + bytes([2 * len(event_id)]) + event_id.encode() + b"rest"


def _sent(at: float) -> Sent:
    return Sent(at, at, at)


@pytest.mark.parametrize(
    ("fed", "came", "expected"),
    [
        (["a", "b"], {"a": 5.0, "b": 6.0}, [(0.0, 5.0), (1.0, 6.0)]),
        (["a", "b"], {"b": 6.0}, [(1.0, 6.0)]),
        (["a", "a"], {"a": 5.0}, [(0.0, 5.0)]),
        (["a"], {"a": 5.0, "of the warm-up": 1.0}, [(0.0, 5.0)]),
    ],
    ids=["each its own", "nothing comes of one", "a repetition", "not fed now"],
)
def test_a_record_is_matched_with_what_first_came_of_it(
    fed: list[str], came: dict[str, float], expected: list[tuple[float, float]]
) -> None:
    """Records that nothing comes of are left out, and a repeated one counts from its first."""
    sent = [_sent(float(number)) for number in range(len(fed))]

    actual = [(times.appended, seen) for times, seen in matches([*map(_record, fed)], sent, came)]

    assert expected == actual


def _enriched(event_type: str, source_event_id: str) -> bytes:
    encode = struct_writer(codec("events/enriched"))
    return encode(replace(bare(event_type), source_event_id=source_event_id))


def test_the_first_event_of_a_record_counts_but_not_one_that_waited_for_a_checkout() -> None:
    """A checkout's event waits by design, and a record's further events come later or with it."""
    seen = [
        (1.0, [_enriched("subscriber.subscriptions_created", "a")]),
        (2.0, [_enriched("subscription.create", "a"), _enriched("order.success", "b")]),
        (3.0, [_enriched("subscriber.create", "a")]),
    ]

    actual = first_seen(seen)

    assert {"a": 2.0, "b": 2.0} == actual
