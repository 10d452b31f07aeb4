"""Source records that were redriven: derive settles their letter, or writes the same one again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from streams.avro import registry
from streams.derive import DeriveOptions
from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import Work, compute
from streams.engine.rows import Shard
from streams.errors import BadRecord
from streams.metrics import DeriveCounts, RekeyCounts
from streams.model.dead_letter import Origin, record_dead_letter, redriven_letter
from streams.model.ids import customer_key, dead_letter_id
from streams.names import Names
from streams.pipeline import Pipeline
from streams.registry import Schemas
from streams.rekey import RekeyJob
from streams.source_letters import SourceLetters
from streams.sources.ordergroove import owner_reader, record_of
from streams.topology import DeriveJob
from tests.support.driver import ENRICHED, ROUTES, SOURCE
from tests.support.webhooks import CUSTOMER, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from streams.engine.job import Headers

NAMES = Names("t")
LETTERS = NAMES.dead_letters("ordergroove")
EVENTS = NAMES.events("ordergroove")
KEY = customer_key(MERCHANT, CUSTOMER)
LETTER = dead_letter_id(EVENTS, 3, 7)
REDRIVEN: Headers = [("trace", b"n7"), ("redrive_of", LETTER.encode())]
GOOD = SOURCE.encode(record_of(webhook("subscription.create", subscription()), START * 1_000))
OFFSET = 40


class Record:
    """A record of a topic as far as a job looks."""

    def __init__(self, value: bytes, headers: Headers | None = REDRIVEN) -> None:
        self.value = lambda: value
        self.key = lambda: KEY
        self.timestamp = lambda: (2, START * 1_000)
        self.topic = lambda: EVENTS
        self.partition = lambda: 3
        self.offset = lambda: OFFSET
        self.headers = lambda: headers


def derive() -> DeriveJob:
    """The derive role's job."""
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(history="complete"))
    return DeriveJob(pipeline, NAMES, Schemas(registry()), DeriveCounts())


def rekey() -> RekeyJob:
    """The rekey role's job."""
    letters = SourceLetters(NAMES, Schemas(registry()), clock=lambda: START * 1_000)
    return RekeyJob(owner_reader(SOURCE), EVENTS, letters.give_up, RekeyCounts(), began_at=0)


def run(job: Any, *records: Record) -> Work:
    """Compute a part."""
    messages: Any = list(records)
    shard = Shard({}, job.due, Position(OFFSET))
    work = asyncio.run(compute(job, shard, Part(3, 1, FIRST, messages)))
    assert work is not None
    return work


def letters(work: Work) -> list[tuple[bytes | None, bool]]:
    """Id of what goes to the dead letters, and whether it is a tombstone."""
    return [(key, value is None) for topic, key, value, _ in work.outputs if topic == LETTERS]


def test_a_record_that_is_applied_settles_its_letter() -> None:
    """In the transaction of what it became; also when it was applied before."""
    once, twice = run(derive(), Record(GOOD)), run(derive(), Record(GOOD), Record(GOOD))

    assert [(LETTER.encode(), True)] == letters(once)
    assert [(LETTER.encode(), True)] * 2 == letters(twice)
    assert {KEY} == set(once.changes)


def test_a_record_that_fails_again_is_the_same_letter() -> None:
    """Its id is the first one's; its place is the new one."""
    work = run(derive(), Record(b"\x00\x00\x00\x00\x01no record"))
    [(_, key, value, _)] = work.outputs
    letter = Schemas(registry()).codec("dead_letter").decode(value)

    assert (LETTER, LETTER.encode()) == (letter["id"], key)
    assert (OFFSET, b"n7") == (letter["offset"], letter["headers"]["trace"])


def test_what_was_not_redriven_settles_nothing() -> None:
    """Nor does a header that is no id."""
    for headers in (None, [("redrive_of", b"7")], [("redrive_of", None)]):
        told: Any = headers

        assert [] == letters(run(derive(), Record(GOOD, told)))


def test_rekey_passes_on_whose_letter_it_is() -> None:
    """Derive settles it, and not rekey: what derive cannot apply still stands."""
    copied = run(rekey(), Record(GOOD))
    [(topic, _, value, headers)] = copied.outputs
    applied = run(derive(), Record(value or b"", headers))
    failed = run(rekey(), Record(b"no record"))

    assert EVENTS == topic
    assert [(LETTER.encode(), True)] == letters(applied)
    assert [(LETTER.encode(), False)] == letters(failed)


def test_a_delivery_that_cannot_be_read_again_is_the_same_letter() -> None:
    """Whatever letter it was; of a repeated header the last counts."""
    bad = BadRecord("malformed", None, "no Avro")
    part = f"{LETTER}:profile"
    headers = {"redrive_of": part.encode()}
    letter = record_dead_letter(bad, Origin("deliveries", 1, 2, 3), KEY, b"", headers, 4)

    assert part == letter["id"]
    assert LETTER == redriven_letter([("redrive_of", b"7"), *REDRIVEN])
