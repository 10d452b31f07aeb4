"""The role hydrate without a broker: its job over rows in memory, its questions on real sockets."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.avro import codec, registry
from streams.cli.worker.hydrate import record_reader
from streams.delivery.clock import Clock
from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import compute
from streams.engine.rows import Shard
from streams.hydrate.answers import Answer, Answers
from streams.hydrate.asking import Asking
from streams.hydrate.counts import HydrateCounts
from streams.hydrate.job import Form, HydrateJob, Way
from streams.hydrate.preparation import Hydration
from streams.hydrate.reading import read
from streams.hydrate.row import decode_row
from streams.hydrate.wants import Want
from streams.model.ids import customer_key
from streams.names import Names
from streams.registry import Schemas
from streams.source_letters import SourceLetters
from streams.sources.ordergroove import WebhookOptions, record_of
from tests.support.webhooks import CUSTOMER, MERCHANT, START

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.engine.compute import Work
    from streams.hydrate.entities import What
    from streams.hydrate.row import Row
    from streams.ingest.ordergroove_api import OrdergrooveApi

SOURCE = codec("sources/ordergroove")
READ = record_reader(SOURCE)
NAMES = Names("t")
TARGET = NAMES.events("ordergroove")
KEY = customer_key(MERCHANT, CUSTOMER)
BEGAN = (START + 1_000) * 1_000
"""When the role first began."""
Headers = list[tuple[str, str | bytes | None]]
JSON = dict[str, Any]


class Record:
    """A record as far as a job looks."""

    def __init__(
        self, value: bytes | None, key: bytes | None = KEY, headers: Headers | None = None
    ) -> None:
        self.value = lambda: value
        self.key = lambda: key
        self.headers = lambda: headers
        self.timestamp = lambda: (1, START * 1_000)
        self.topic = lambda: "intake"
        self.partition = lambda: 0
        self.offset = lambda: 7


class Written(NamedTuple):
    """What became of a record."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: dict[str, str | bytes | None]

    @property
    def record(self) -> JSON:
        """The record itself."""
        return SOURCE.decode(self.value)

    @property
    def snapshot(self) -> JSON:
        """Its snapshot; an empty one where it has none."""
        return self.record["snapshot"] or {}


def value_of(body: bytes, **changed: Any) -> bytes:
    """The value of a webhook's record."""
    return SOURCE.encode(record_of(body, json.loads(body)["created"] * 1_000) | changed)


class Still:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> Clock:
        """As the role wants it."""
        return Clock(now=lambda: BEGAN, monotonic=lambda: self.seconds, random=lambda: 0.5)


class Bench:
    """The role over a table in memory.

    Attributes:
        counts: what it did.
        shard: its table.
        answers: of the API.
        hydration: what is awaited before a batch.
    """

    def __init__(
        self,
        apis: Mapping[str, OrdergrooveApi] | None = None,
        *,
        clock: Clock | None = None,
        patience: float = 30.0,
    ) -> None:
        clock = clock or Still().clock()
        self.counts = HydrateCounts()
        self.answers = Answers(clock.monotonic, 3_600.0)
        asking = Asking(apis or {}, self.answers, WebhookOptions(), self.counts, clock)
        self.hydration = Hydration(READ, asking, self.counts, clock, patience=patience)
        self.job = HydrateJob(
            Form(READ, lambda value: SOURCE.decode(value, branches=True), SOURCE.encode),
            self.hydration,
            Way("intake", TARGET),
            SourceLetters(NAMES, Schemas(registry())).give_up,
            self.counts,
            began_at=BEGAN,
        )
        self.shard = Shard({}, self.job.due, Position(0))
        self.hydration.attach(lambda _: self.shard.rows)

    @property
    def row(self) -> Row:
        """The customer's row."""
        return decode_row(self.shard.rows.get(KEY))

    def answer(self, what: What, id_: str, *bodies: JSON, at: int = BEGAN) -> None:
        """Let the API have answered; without bodies that there is nothing."""
        entities = tuple(read(what, each, at, WebhookOptions()) for each in bodies)
        self.answers.note(MERCHANT, Want(what, id_), Answer(entities or None, at))

    def write(self, *records: Record) -> list[Written]:
        """What the job makes of records."""
        return [Written(t, k, v, dict(h or ())) for t, k, v, h in self.work(*records).outputs]

    def work(self, *records: Record) -> Work:
        """Compute a part."""
        return asyncio.run(self._work(records))

    def fill(self, body: bytes, **changed: Any) -> Written:
        """What becomes of a webhook."""
        [written] = self.write(Record(value_of(body, **changed)))
        return written

    async def batch(self, *records: Record, poller: Any = None) -> list[Written]:
        """Ask for what records lack, then compute them, as a lane does."""
        messages: Any = list(records)
        lane: Any = poller or Lane()
        await self.hydration([Part(0, 1, FIRST, messages)], lane)
        work = await self._work(records)
        return [Written(t, k, v, dict(h or ())) for t, k, v, h in work.outputs]

    async def _work(self, records: Sequence[Record]) -> Work:
        messages: Any = list(records)
        work = await compute(self.job, self.shard, Part(0, 1, FIRST, messages))
        assert work is not None
        return work


class Lane:
    """A lane's poller, as far as a preparation asks; `ours` until it is told otherwise."""

    def __init__(self) -> None:
        self.ours = True
        self.said: list[str | None] = []

    def accepts(self, partition: int, epoch: int) -> bool:
        """Whether the part is still ours."""
        del partition, epoch
        return self.ours

    def unready(self, reason: str | None, *, about: str) -> None:
        """Keep what is said."""
        assert about == "hydrate"
        self.said.append(reason)
