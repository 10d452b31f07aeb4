"""Members on the derive role's job: topics and table of their own, dead letters of the source."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from streams.avro import registry
from streams.derive import LoyaltyOptions
from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import Work, compute
from streams.engine.rows import Shard
from streams.families import MEMBERS
from streams.metrics import DeriveCounts, derive_metrics
from streams.model.fact import WITHHELD
from streams.model.loyalty import ENROLLED
from streams.model.member import decode_member
from streams.names import Names
from streams.pipeline import Pipeline, enriched_of
from streams.registry import Schemas
from streams.route import Route
from streams.sources.okendo import Webhook, record_of
from streams.topology import DeriveJob
from tests.support.okendo import ENRICHED, KEY, SOURCE, START, TIERS, member, of_tier

NAMES = Names("t")
OFFSET = 7
DELIVERIES = NAMES.deliveries("klaviyo")
ROUTES = (
    Route("klaviyo", frozenset({ENROLLED})),
    Route("ometria", frozenset({"subscription.cancel"})),
)


class Record:
    """A record of the source topic as far as the job looks."""

    def __init__(self, value: bytes) -> None:
        self.value = partial(bytes, value)
        self.key = partial(bytes, KEY)
        self.timestamp = lambda: (2, START)
        self.topic = lambda: NAMES.events("okendo")
        self.partition = lambda: 3
        self.offset = lambda: OFFSET
        self.headers = list[Any]


def run(counts: DeriveCounts, *webhooks: Webhook) -> Work:
    """What the job makes of webhooks."""
    options = LoyaltyOptions(history="complete", tiers=TIERS)
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, options, MEMBERS)
    job = DeriveJob(pipeline, NAMES, Schemas(registry()), counts)
    records: Any = [Record(SOURCE.encode(record_of(each, START))) for each in webhooks]
    shard = Shard({}, job.due, Position(OFFSET))
    work = asyncio.run(compute(job, shard, Part(3, 1, FIRST, records, None)))
    assert work is not None
    return work


def test_a_member_goes_to_those_who_take_loyalty() -> None:
    """Events and profiles to them alone; the row is a member's, and has no timer."""
    counts = DeriveCounts()
    work = run(counts, member("pending"), member("enrolled"), member("blocked"))
    told = [(topic, enriched_of(ENRICHED, value).type) for topic, _, value, _ in work.outputs]

    assert [
        (DELIVERIES, "profile.changed"),
        (DELIVERIES, ENROLLED),
        (DELIVERIES, "profile.changed"),
    ] == told
    assert {KEY} == work.changes.keys()
    assert "blocked" == decode_member(work.changes[KEY] or b"").loyalty.status
    assert {"loyalty_customer.update": 3} == counts.events


def test_a_tier_that_nobody_ordered_is_a_dead_letter_of_its_source() -> None:
    """With its reason and field; the members behind it go on."""
    counts = DeriveCounts()
    work = run(counts, of_tier("Platinum", START), member("enrolled"))
    topics = [topic for topic, *_ in work.outputs]
    letter = Schemas(registry()).codec("dead_letter").decode(work.outputs[0][2])

    assert [NAMES.dead_letters("okendo"), DELIVERIES] == topics
    assert ("unknown_tier", "object.tier") == (letter["reason"], letter["field"])
    assert {"unknown_tier": 1} == counts.dead_letters


def test_the_counts_of_all_lanes_are_one_metric() -> None:
    """Prometheus must not be told of one counter twice."""
    one, other = DeriveCounts(), DeriveCounts()
    one.events["order.success"], other.events["loyalty_customer.update"] = 2, 3
    one.timers = other.timers = 4
    found = {metric.name: metric for metric in derive_metrics(one, other)}
    events = found["streams_events"].samples

    assert {"order.success": 2, "loyalty_customer.update": 3} == {
        sample.labels["type"]: sample.value for sample in events
    }
    assert [8] == [sample.value for sample in found["streams_timers"].samples]


def test_every_reason_to_withhold_is_explained() -> None:
    """Those of loyalty too."""
    assert {"old_enrolment", "old_transaction"} <= WITHHELD.keys()
