"""The demo's books are written over the source topic: the very bodies fed, at their times."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest

from streams.demo.disorder import broken_records
from streams.demo.reading import Unreadable, read
from streams.demo.shop import Shop
from streams.demo.shopkeeping import Books
from tests.support.kafka_record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

FIRST = 1_790_100_000_000


@pytest.fixture(name="books")
def _books() -> Books:
    """Books of which everything was fed; two broken records went straight onto the topic."""
    books = Books(Shop(seed=3, events=200))
    books.broken = broken_records(seed=3, count=2)
    for _ in books.day():
        pass
    return books


def topic(books: Books) -> list[Record]:
    """What the source topic then holds."""
    records = [Record(one.key, one.value, FIRST) for one in books.broken]
    times = count(FIRST)
    for body in Shop(seed=3, events=200):
        try:
            hook = read(body)
        except Unreadable:
            continue
        key = f"{hook.merchant}:{hook.customer}".encode()
        records.append(Record(key, b"\x00Avro" + body + b"\x02", next(times)))
    return records


def write(books: Books, records: list[Record]) -> None:
    """Write the books over these records."""
    books.write(cast("list[Message]", records))


def test_the_books_are_of_everything_fed(books: Books) -> None:
    """Each body once, readable or not; the broken records are dead letters beside."""
    records = topic(books)
    awaited = books.records
    write(books, records)
    expected = books.expected

    assert [] == books.strays
    assert (200, 200) == (books.fed, expected.bodies)
    assert (len(records), len(records)) == (awaited, books.records)
    assert records[-1].timestamp()[1] == books.last_at
    assert expected.dead_letters.total() + 2 == books.dead_letters().total()


def _lost(records: list[Record]) -> None:
    del records[50]


def _twice(records: list[Record]) -> None:
    records.insert(51, records[50])


def _foreign(records: list[Record]) -> None:
    records.insert(9, Record(b"M:somebody", b"else", FIRST))


def _swapped(records: list[Record]) -> None:
    """The next two of one customer."""
    first = 50
    second = next(
        place
        for place in range(first + 1, len(records))
        if records[place].key() == records[first].key()
    )
    records[first], records[second] = records[second], records[first]


@pytest.mark.parametrize("spoil", [_lost, _twice, _foreign, _swapped])
def test_a_topic_that_holds_something_else_is_noticed(
    books: Books, spoil: Callable[[list[Any]], None]
) -> None:
    """What was lost, doubled or put there by others, and a customer's webhooks in another order."""
    records = topic(books)
    spoil(records)
    write(books, records)

    assert [] != books.strays


def test_the_trickle_is_counted_but_not_booked(books: Books) -> None:
    """After the day nobody waits for the shop's checkouts."""
    awaited = books.records
    trickle = books.trickle()
    bodies = [next(trickle) for _ in range(5)]

    assert 205 == books.fed
    assert bodies[0].endswith(b"\n")
    assert awaited == books.records
