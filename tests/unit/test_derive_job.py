"""The derive role's job on the engine's batches: outputs, timers over a restart, dead letters."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from streams.avro import registry
from streams.derive import DeriveOptions
from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import Work, compute
from streams.engine.rows import Shard
from streams.metrics import DeriveCounts
from streams.model.ids import customer_key
from streams.names import Names
from streams.pipeline import Pipeline, enriched_of
from streams.registry import Schemas
from streams.sources.ordergroove import record_of
from streams.topology import DeriveJob
from tests.support.driver import ENRICHED, ROUTES, SOURCE
from tests.support.webhooks import CUSTOMER, MERCHANT, START, subscription, webhook

NAMES = Names("t")
KEY = customer_key(MERCHANT, CUSTOMER)
SECOND = 1_000
OFFSET = 40
SETTLE = 60 * SECOND
DELIVERIES = NAMES.deliveries("klaviyo")


class Record:
    """A record of the source topic as far as the job looks."""

    def __init__(self, value: bytes, at: int = START) -> None:
        self.value = partial(bytes, value)
        self.key = partial(bytes, KEY)
        self.timestamp = lambda: (2, at * SECOND)
        self.topic = lambda: NAMES.events("ordergroove")
        self.partition = lambda: 3
        self.offset = lambda: OFFSET
        self.headers = lambda: [("trace", b"7"), ("empty", None)]


def job() -> DeriveJob:
    """A job of the derive role that waits a minute with a cancel."""
    options = DeriveOptions(history="complete", cancel_settle=SETTLE, checkout_settle=SETTLE)
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, options)
    return DeriveJob(pipeline, NAMES, Schemas(registry()), DeriveCounts())


def run(shard: Shard, *records: Record, tick: int | None = None) -> Work:
    """Compute a part, or move an idle partition's time."""
    messages: Any = list(records)
    work = asyncio.run(compute(job(), shard, Part(3, 1, FIRST, messages, tick)))
    assert work is not None
    return work


def restored(rows: dict[bytes, bytes], position: Position) -> Shard:
    """What a worker begins with that finds these rows in the changelog."""
    return Shard(rows, job().due, position)


def types(work: Work) -> list[str]:
    """The types of the events that go to the connection, in order."""
    return [
        enriched_of(ENRICHED, value).type
        for topic, _, value, _ in work.outputs
        if topic == DELIVERIES
    ]


def body(event_type: str, at: int, *, live: bool = True) -> bytes:
    """A record's bytes."""
    return SOURCE.encode(record_of(webhook(event_type, subscription("oats", at, live=live), at)))


def test_timers_survive_a_restart() -> None:
    """Whoever restores the rows tells the checkout and the cancel when they are due, once."""
    begun = restored({}, Position(OFFSET))
    work = run(
        begun,
        Record(body("subscription.create", START)),
        Record(body("subscription.cancel", START + 9, live=False), START + 9),
    )
    rows = {key: row for key, row in work.changes.items() if row is not None}
    successor = restored(dict(rows), work.position)
    due = START * SECOND + SETTLE
    first, second = (run(successor, tick=at) for at in (due, due + 9 * SECOND))
    again = restored({**rows, **second.changes}, second.position)  # type: ignore[dict-item]

    assert due == restored(rows, work.position).timers.earliest
    assert "subscriber.cancel" not in types(work)
    assert (["subscriber.subscriptions_created"], ["subscriber.cancel"]) == (
        types(first),
        types(second),
    )
    assert 0 == again.timers.earliest


def test_a_record_s_trace_goes_on_with_what_it_became() -> None:
    """One id from the webhook to the vendor; a record without one begins none here."""
    traced, alone = Record(body("subscription.create", START)), Record(body("order.create", START))
    headers: list[tuple[str, bytes | None]] = [("trace", b"7"), ("traceparent", b"00-4b-00-01")]
    traced.headers = lambda: headers
    told = {headers is None for *_, headers in run(restored({}, Position(OFFSET)), alone).outputs}
    kept = [headers for *_, headers in run(restored({}, Position(OFFSET)), traced).outputs]

    assert kept
    assert all([("traceparent", b"00-4b-00-01")] == each for each in kept)
    assert told <= {True}


def test_what_is_given_up_keeps_all_that_it_was() -> None:
    """A record that cannot be read is a dead letter: its bytes, key, headers and place."""
    work = run(restored({}, Position(OFFSET)), Record(b"\x00\x00\x00\x00\x01no record"))
    [(topic, key, value, _)] = work.outputs
    letter = Schemas(registry()).codec("dead_letter").decode(value)

    assert (NAMES.dead_letters("ordergroove"), letter["id"].encode()) == (topic, key)
    assert (b"\x00\x00\x00\x00\x01no record", KEY, {"trace": b"7"}) == (
        letter["value"],
        letter["key"],
        letter["headers"],
    )
    assert (NAMES.events("ordergroove"), 3, OFFSET) == (
        letter["topic"],
        letter["partition"],
        letter["offset"],
    )
    assert {} == work.changes
