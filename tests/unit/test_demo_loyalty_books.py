"""The loyalty books are written over the source topic: the webhooks fed, at their times."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, cast

import pytest

from streams.demo.disorder import broken_records
from streams.demo.ledger import Ledger
from streams.demo.loyalty_books import LoyaltyBooks
from streams.demo.loyalty_programme import Programme
from streams.demo.loyalty_reading import read
from streams.demo.loyalty_webhooks import Sent
from streams.demo.observation import held_with
from streams.demo.reading import Unreadable
from streams.demo.shop import Shop
from streams.sources.okendo import webhook_of_line
from tests.support.kafka_record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

FIRST = 1_790_100_000_000
EVENTS = 80
BROKEN = broken_records(seed=3, count=2)
"""Went straight onto the topic."""


def programme() -> Programme:
    """The day of a programme; its shop is still without customers."""
    return Programme(3, EVENTS, Shop(3, EVENTS).world)


def topic() -> list[Record]:
    """What the source topic then holds."""
    times = count(FIRST)
    records = [Record(one.key, one.value, FIRST) for one in BROKEN]
    for sent in programme().upto(1):
        try:
            hook = read(sent)
        except Unreadable:
            continue
        key = f"{hook.store}:{hook.member}".encode()
        records.append(Record(key, b"\x00Avro" + sent.body + b"\x02", next(times)))
    return records


def written(records: list[Record]) -> LoyaltyBooks:
    """Books of which everything was fed, written over these records."""
    books = LoyaltyBooks(programme(), {"attentive": Ledger("attentive")})
    books.broken = BROKEN
    for _ in books.upto(1):
        pass
    books.write(cast("list[Message]", records))
    return books


def test_the_books_are_of_everything_fed() -> None:
    """Each webhook once, readable or not."""
    records = topic()
    books = written(records)

    assert [] == books.strays
    assert (EVENTS, EVENTS) == (books.fed, books.expected.webhooks)
    assert len(records) == books.records
    assert records[-1].timestamp()[1] == books.last_at
    letters = books.dead_letters()
    assert EVENTS - books.expected.records == letters.total() - letters["unknown_tier"] - 2


def _lost(records: list[Record]) -> None:
    del records[30]


def _foreign(records: list[Record]) -> None:
    records.insert(9, Record(b"M:somebody", b"else", FIRST))


@pytest.mark.parametrize("spoil", [_lost, _foreign])
def test_a_topic_that_holds_something_else_is_noticed(
    spoil: Callable[[list[Record]], None],
) -> None:
    """What was lost, and what somebody else put there."""
    records = topic()
    spoil(records)

    assert [] != written(records).strays


@pytest.mark.parametrize("message", [None, "msg_1"])
def test_a_line_is_read_as_it_was_sent(message: str | None) -> None:
    """By the program, whether or not the bridge passes the headers on."""
    sent = Sent(b'{"topic": "update", "n": [1, 2]}', message)
    told = webhook_of_line(sent.line.rstrip(b"\n"))

    assert sent.body == told.body
    assert message == told.headers.get("svix-id")


def test_an_event_is_held_beside_the_status_of_its_own_source() -> None:
    """The subscriber's, or the member's."""
    attributes = {
        "Ordergroove Subscriber Status": "inactive",
        "Okendo Loyalty Program Status": "enrolled",
    }

    assert "enrolled" == held_with("Okendo Loyalty Points Awarded", attributes)
    assert "enrolled" == held_with("Enrolled in Okendo Loyalty", attributes)
    assert "inactive" == held_with("ordergroove.order.success", attributes)
    assert held_with("ordergroove.order.success", {}) is None
