"""Rows and records of the product's real shape, in any number.

A demo day goes through the pipeline once. What it left of its customers, and what still came of
them after that, is then told of any number of others: their ids are new, the sizes and how these
are distributed are the day's. A copy is a join of bytes, so that a million of them take seconds.
"""

from __future__ import annotations

import re
import time
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from streams.avro import codec
from streams.demo.shop import Shop, opens_for
from streams.demo.world import MERCHANT
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.timers import Timers
from streams.errors import BadRecord
from streams.model.ids import customer_key
from streams.pipeline import Pipeline
from streams.route import Route
from streams.sources.ordergroove import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streams.pipeline import Processed

__all__ = ["Day", "Template", "day", "middle", "records", "rows", "whole"]

_ID = re.compile(rb"[0-9a-f]{32}")
_NUMBER = 8
_MERCHANT = MERCHANT.encode()
_HOUR = 3_600_000
_HEAD = 0.6
"""Share of the day that becomes rows; the rest is what they are told later."""

Pair = tuple[bytes, bytes]
"""Key and value, as they are produced."""


class Template:
    """Bytes of which copies are made: each id in them begins with the copy's number.

    Copies of a row and of a record of the same customer agree as the originals do.
    """

    __slots__ = ("_pieces", "size")

    def __init__(self, value: bytes, customer_id: str = "") -> None:
        """Find the ids in some bytes.

        Args:
            value: a key, a row or a source record.
            customer_id: of a record: the number is put before it too.
        """
        pieces, start = [], 0
        owner = _MERCHANT + _avro(customer_id)
        for found in _ID.finditer(value):
            if found[0] != _MERCHANT:
                pieces.append(value[start : found.start()])
                start = found.start() + _NUMBER
            elif customer_id and value.startswith(owner, found.start()):
                pieces.append(value[start : found.end()] + _length(len(customer_id) + _NUMBER))
                start = found.end() + 1
        self._pieces = (*pieces, value[start:])
        self.size = len(value)

    def copy(self, number: int) -> bytes:
        """The bytes of one copy."""
        return (b"%08x" % number).join(self._pieces)


class _Key(Template):
    """A key: the number is put before the customer's id."""

    __slots__ = ()

    def __init__(self, key: bytes) -> None:
        merchant, _, customer_id = key.partition(b":")
        self._pieces = (merchant + b":", customer_id)
        self.size = len(key) + _NUMBER


class Day(NamedTuple):
    """A day as templates of keys with rows, and of keys with records.

    Attributes:
        rows: what the first part of the day left of each customer.
        head: the records of that part.
        rest: those that came after it.
    """

    rows: list[tuple[Template, Template]]
    head: list[tuple[Template, Template]]
    rest: list[tuple[Template, Template]]


def day(events: int, seed: int = 7, now: float | None = None) -> Day:
    """The demo shop's day of so many webhooks, as if it were told within the hour before `now`.

    That is the present, or epoch seconds: what a day is like depends on when it is.
    """
    now = time.time() if now is None else now
    encode = codec("sources/ordergroove").encode
    at = int(now * 1_000) - _HOUR
    pairs: list[tuple[bytes, bytes, str]] = []
    for body in Shop(seed, events=events, opens=opens_for(now)):
        try:
            record = record_of(body, at)
        except BadRecord:
            continue
        owner = record["customer_id"]
        pairs.append((customer_key(record["merchant"], owner), encode(record), owner))
    cut = int(len(pairs) * _HEAD)
    left = _applied([(key, value) for key, value, _ in pairs[:cut]], at)
    told: list[tuple[Template, Template]] = [
        (_Key(key), Template(value, owner)) for key, value, owner in pairs
    ]
    return Day([(_Key(k), Template(row)) for k, row in left.items()], told[:cut], told[cut:])


def middle(of: Day) -> Day:
    """The day with median rows only: those between the 45th and the 55th percentile of size."""
    ordered = sorted(of.rows, key=lambda pair: pair[1].size)
    few = ordered[int(len(ordered) * 0.45) : int(len(ordered) * 0.55) + 1]
    keys = {key.copy(0) for key, _ in few}
    return of._replace(rows=few, rest=[pair for pair in of.rest if pair[0].copy(0) in keys])


def rows(of: Day, count: int) -> Iterator[Pair]:
    """Key and row of so many customers: all of the day's, over and over."""
    for number in range(count):
        copy, place = divmod(number, len(of.rows))
        key, row = of.rows[place]
        yield key.copy(copy), row.copy(copy)


def records(of: Day, count: int, customers: int, seed: int = 7) -> Iterator[Pair]:
    """Key and record of so many events that come to `customers` rows of `rows`, at random.

    What one customer is told keeps its order.

    Raises:
        ValueError: so few customers have no more to tell.
    """
    chance, copies = Random(seed), max(1, customers // len(of.rows))
    places: dict[int, int] = {}
    for _ in range(count):
        copy = chance.randrange(copies)
        place = places.get(copy)
        if place is None:
            place = chance.randrange(len(of.rest) // 2 + 1)
        if place >= len(of.rest):
            raise ValueError(f"{customers} rows are too few for {count} events")
        places[copy] = place + 1
        key, value = of.rest[place]
        yield key.copy(copy), value.copy(copy)


def whole(of: Day, count: int) -> Iterator[Pair]:
    """Key and record of so many events: the whole day, then again for other customers, and so on.

    An event that the source repeats is repeated here.
    """
    told = of.head + of.rest
    for number in range(count):
        copy, place = divmod(number, len(told))
        key, value = told[place]
        yield key.copy(copy), value.copy(copy)


def _applied(pairs: Sequence[Pair], at: int) -> dict[bytes, bytes]:
    """The rows that records leave, once their timers have fired."""
    routes = [Route(name, each.takes) for name, each in sorted(DESTINATIONS.items())]
    options = DeriveOptions(history="complete")
    pipeline = Pipeline(codec("sources/ordergroove"), codec("events/enriched"), routes, options)
    left: dict[bytes, bytes] = {}
    timers = Timers()

    def keep(processed: Processed) -> None:
        if processed.value is not None:
            left[processed.key] = processed.value
            timers.set(processed.key, processed.due)

    for now, (_, value) in enumerate(pairs, at):
        while (due := timers.pop(now)) is not None:
            keep(pipeline.fire(due[1], left[due[1]], now))
        try:
            keep(pipeline.process(value, left.get, now))
        except BadRecord:
            continue  # as in the worker: a dead letter, and the row stays
    while (due := timers.pop(at + _HOUR)) is not None:
        keep(pipeline.fire(due[1], left[due[1]], at + _HOUR))
    return left


def _avro(text: str) -> bytes:
    """A short string as Avro writes it."""
    return _length(len(text.encode())) + text.encode()


def _length(size: int) -> bytes:
    if size > 63:
        raise ValueError("longer than one byte can tell")
    return bytes([2 * size])
