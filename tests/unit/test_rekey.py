"""The role rekey without a broker: whose record it is, what its copy says, what becomes of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from streams.avro import Codec, registry
from streams.derive import DeriveOptions
from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import Work, compute
from streams.engine.rows import Shard
from streams.metrics import DeriveCounts, RekeyCounts
from streams.model.ids import customer_key, dead_letter_id
from streams.names import LARGEST, Names
from streams.pipeline import Pipeline, enriched_of
from streams.registry import Schemas
from streams.rekey import FLOWS_FROM, RECORDED_AT, Past, RekeyJob, past_of, with_past
from streams.source_letters import SourceLetters
from streams.sources.ordergroove import owner_reader, record_of
from streams.topology import DeriveJob
from tests.support.driver import ENRICHED, ROUTES, SOURCE
from tests.support.registry import Served, field_of, framed, variant
from tests.support.webhooks import CUSTOMER, DAY, HOUR, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from streams.errors import BadRecord

NAMES = Names("t")
TARGET = NAMES.events("ordergroove")
LETTERS = NAMES.dead_letters("ordergroove")
DELIVERIES = NAMES.deliveries("klaviyo")
KEY = customer_key(MERCHANT, CUSTOMER)
SECOND = 1_000
BEGAN = (START + 400 * DAY) * SECOND
"""When rekey began, in most cases."""
COPIED = (START + 401 * DAY) * SECOND
"""When the copies are written."""
Headers = list[tuple[str, str | bytes | None]]


class Record:
    """A record as far as a job looks; times are epoch milliseconds."""

    def __init__(
        self, value: bytes | None, at: int, key: bytes | None, headers: Headers | None = None
    ) -> None:
        self.value = lambda: value
        self.key = lambda: key
        self.timestamp = lambda: (1, at)
        self.topic = lambda: "bridge"
        self.partition = lambda: 2
        self.offset = lambda: 40
        self.headers = lambda: headers


def rekey_job(counts: RekeyCounts | None = None, began: int = BEGAN) -> RekeyJob:
    """A job of the rekey role."""
    letters = SourceLetters(NAMES, Schemas(registry()), clock=lambda: COPIED)
    counts = counts or RekeyCounts()
    return RekeyJob(owner_reader(SOURCE), TARGET, letters.give_up, counts, began_at=began)


def run(job: Any, *records: Record, shard: Shard | None = None) -> Work:
    """Compute a part."""
    shard = shard or Shard({}, job.due, Position(40))
    messages: Any = list(records)
    work = asyncio.run(compute(job, shard, Part(2, 1, FIRST, messages)))
    assert work is not None
    return work


def value_of(body: bytes, **changed: Any) -> bytes:
    """A record's bytes."""
    return SOURCE.encode(record_of(body, json.loads(body)["created"] * SECOND) | changed)


def change(at: int, *, live: bool = True, id_: str = "oats") -> bytes:
    """A subscription's webhook."""
    return webhook("subscription.change_quantity", subscription(id_, at, live=live), at)


def test_a_record_says_whose_it_is() -> None:
    """The key is merchant:customer, also where another program wrote it in a schema of its own."""
    record = record_of(change(START))

    def wider(document: dict[str, Any]) -> None:
        document["fields"].insert(0, {"name": "shard", "type": "int"})
        field_of(document, "merchant")["type"] = ["null", "string"]

    text = variant("sources/ordergroove", wider)
    theirs = framed(77, text, record | {"shard": 3})
    read = owner_reader(Codec(Served({77: text}), "sources/ordergroove"))

    assert KEY == owner_reader(SOURCE)(SOURCE.encode(record)) == read(theirs)


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        pytest.param(None, "malformed", None, id="no value"),
        pytest.param(b"{}", "malformed", None, id="no Avro"),
        pytest.param(b"\x00\x00\x0f\x42\x3f\x02", "unknown_schema", None, id="an unknown schema"),
        pytest.param(
            value_of(change(START), customer_id=""), "no_customer", "customer_id", id="nobody's"
        ),
        pytest.param(
            value_of(change(START), merchant=""), "missing_field", "merchant", id="no merchant"
        ),
        pytest.param(
            value_of(change(START), merchant="a:b"), "wrong_type", "merchant", id="a colon"
        ),
    ],
)
def test_a_record_without_an_owner_is_a_dead_letter(
    value: bytes | None, reason: str, field: str | None
) -> None:
    """It is kept with where it stood, nothing is written for it, and the breaker is told."""
    counts = RekeyCounts()
    work = run(rekey_job(counts), Record(value, 7, b"oats", [("trace", b"9")]))
    [(topic, key, letter, _)] = work.outputs
    told = Schemas(registry()).codec("dead_letter").decode(letter)

    assert (LETTERS, dead_letter_id("bridge", 2, 40).encode()) == (topic, key)
    assert {
        "reason": reason,
        "field": field,
        "topic": "bridge",
        "partition": 2,
        "offset": 40,
        "timestamp": 7,
        "key": b"oats",
        "value": value or b"",
        "headers": {"trace": b"9"},
        "written_at": COPIED,
    }.items() <= told.items()
    assert {(reason, field): 1} == work.failures
    assert {reason: 1} == counts.dead_letters


def test_what_the_topic_does_not_take_is_a_dead_letter() -> None:
    """A record that the broker would refuse must not stop those behind it for good."""
    large = value_of(change(START), raw=b"x" * (LARGEST - (1 << 10)))
    small = value_of(change(START), raw=b"x" * (LARGEST - (1 << 13)))
    work = run(rekey_job(), Record(large, 7, None), Record(small, 7, None))

    assert [LETTERS, TARGET] == [topic for topic, *_ in work.outputs]
    assert {("too_large", None): 1} == work.failures


def test_a_copy_is_the_record_under_its_owners_key() -> None:
    """Value and headers are the same, repeated ones included; two headers tell its past."""
    value, headers = value_of(change(START)), [("a", b"1"), ("b", None), ("a", b"2")]
    counts = RekeyCounts()
    records = [Record(value, 7, key, [*headers]) for key in (None, b"oats", KEY)]
    work = run(rekey_job(counts), *records)
    copy = (TARGET, KEY, value, [*headers, (RECORDED_AT, b"7"), (FLOWS_FROM, b"%d" % BEGAN)])

    assert [copy] * 3 == work.outputs
    assert {"none": 1, "other": 1, "same": 1} == counts.copied_by


@pytest.mark.parametrize(
    ("headers", "past"),
    [
        pytest.param(None, Past(7), id="no headers"),
        pytest.param([("trace", b"9")], Past(7), id="others"),
        pytest.param([(RECORDED_AT, b"5"), (FLOWS_FROM, b"6")], Past(5, 6), id="a copy"),
        pytest.param([(RECORDED_AT, None), (FLOWS_FROM, b"")], Past(7), id="nothing in them"),
        pytest.param([(RECORDED_AT, b"-5"), (FLOWS_FROM, b"1e3")], Past(7), id="no numbers"),
        pytest.param([(RECORDED_AT, b"9" * 5_000)], Past(7), id="no time"),
        pytest.param({RECORDED_AT: b"5"}, Past(5), id="as a mapping"),
    ],
)
def test_the_past_of_a_record(headers: Any, past: Past) -> None:
    """It is told by headers; whatever else stands in them counts for nothing."""
    assert past == past_of(headers, 7)


def test_a_copy_of_a_copy_is_as_old_as_the_first() -> None:
    """Copied on to another prefix: first recorded when it was, flows begin with the later role."""
    value = value_of(change(START))
    first = with_past([("a", b"1")], Past(5, BEGAN - 1))
    later = with_past([("a", b"1")], Past(5, BEGAN + 1))
    work = run(rekey_job(), Record(value, 7, KEY, first), Record(value, 7, KEY, later))
    headers = [each for *_, each in work.outputs]

    assert [with_past([("a", b"1")], Past(5, BEGAN)), later] == headers


def test_our_own_fault_is_a_dead_letter_too() -> None:
    """Whatever reading a record raises, the role goes on."""

    def owner(_: bytes | None) -> bytes:
        raise KeyError("secret")

    given_up: list[BadRecord] = []
    job = RekeyJob(
        owner, TARGET, lambda *each: given_up.append(each[-1]), RekeyCounts(), began_at=BEGAN
    )
    work = run(job, Record(b"x", 7, None))

    assert [] == work.outputs
    assert ["failed : KeyError in rekey"] == [str(each) for each in given_up]


class Case(NamedTuple):
    """A history in a topic that is keyed otherwise: (recorded at, epoch seconds; webhook)."""

    history: list[tuple[int, bytes]]
    options: DeriveOptions
    began: int = 0
    """When rekey began (derive, where it reads that topic itself); epoch milliseconds."""


def ended(at: int) -> bytes:
    """The end of the only subscription."""
    return webhook("subscription.cancel", subscription("oats", at, live=False), at)


QUANTITY, CREATE = "subscription.change_quantity", "subscriber.create"
CASES = [
    pytest.param(
        Case(
            [(START, change(START)), (START + DAY, ended(START + DAY))],
            DeriveOptions(history="complete"),
            BEGAN,
        ),
        [
            *(f"{QUANTITY} late", f"{CREATE} late"),
            *("subscription.cancel late", "subscriber.cancel late"),
        ],
        id="from before rekey began",
    ),
    pytest.param(
        Case(
            [(START, change(START)), (START + HOUR, ended(START + HOUR))],
            DeriveOptions(history="synced", synced_at=(START + DAY) * SECOND),
        ),
        [QUANTITY, "subscription.cancel"],
        id="from before the seeding ended",
    ),
    pytest.param(
        Case(
            [(START + 60, change(START + 60)), (START + 90, change(START))],
            DeriveOptions(history="complete"),
        ),
        [QUANTITY, CREATE, QUANTITY],
        id="overtaken by half a minute",
    ),
    pytest.param(
        Case(
            [(START + 60, change(START + 60)), (START + 2 * HOUR, change(START))],
            DeriveOptions(history="complete"),
        ),
        [QUANTITY, CREATE, f"{QUANTITY} late"],
        id="overtaken by two hours",
    ),
]


@pytest.mark.parametrize(("case", "expected"), CASES)
def test_a_copy_is_judged_like_the_record(case: Case, expected: list[str]) -> None:
    """Derive tells of copies what it would have told of the other topic itself, as late as there.

    Where it reads that topic itself it begins when rekey begins, otherwise it began before.
    """
    records = [Record(value_of(body), recorded * SECOND, KEY) for recorded, body in case.history]
    copies = [
        Record(value, COPIED, key, headers)
        for _, key, value, headers in run(rekey_job(began=case.began), *records).outputs
    ]
    there = told(case.options, *records, flows_from=case.began)
    here = told(case.options, *copies)

    assert expected == there == here


def test_flows_that_were_asked_for_begin_with_the_topic() -> None:
    """Who sets `flows_from` to the beginning, or to a time, means the copies too."""
    record = Record(value_of(change(START)), START * SECOND, None)
    [(_, key, value, headers)] = run(rekey_job(), record).outputs
    copy = Record(value, COPIED, key, headers)

    assert [QUANTITY, CREATE] == told(DeriveOptions(history="complete"), copy, from_start=False)


def told(
    options: DeriveOptions, *records: Record, flows_from: int = 0, from_start: bool = True
) -> list[str]:
    """What the derive role tells of records, in words, profiles aside."""
    chosen = {each: getattr(options, each) for each in ("history", "synced_at")}
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(**chosen, flows_from=flows_from))
    schemas = Schemas(registry())
    work = run(DeriveJob(pipeline, NAMES, schemas, DeriveCounts(), from_start=from_start), *records)
    assert {DELIVERIES} == {topic for topic, *_ in work.outputs}
    events = [enriched_of(ENRICHED, value) for _, _, value, _ in work.outputs]
    words = [f"{each.type} late" if each.late else each.type for each in events]
    return [each for each in words if not each.startswith("profile.changed")]
