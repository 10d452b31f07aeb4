"""A stage for one connection's delivery: a real vendor on a real socket, Kafka played by fakes.

`Stage` puts a `DeliveryHandler` between a fake poller, a fake producer and a small HTTP server that
answers as the test says. Times of the schedule are short; nothing waits for luck, only `until` a
fact holds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Self, cast

import msgspec

from streams.breaker import DEFAULT_RULE
from streams.delivery.clock import Clock
from streams.delivery.connection import Connection
from streams.delivery.handler import DeliveryHandler
from streams.delivery.known import Known
from streams.delivery.ledger import Memory
from streams.delivery.retry import Schedule
from streams.delivery.wiring import Codecs, Tools, Topics
from streams.engine.batch import FIRST, Batch, Part, Position
from streams.engine.ownership import Share
from streams.model.ids import delivery_id
from tests.support.delivery_kafka import Low, Message, Poller, Producer, Record
from tests.support.delivery_vendor import Server, Vendor, decode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from streams.breaker import Rule
    from streams.delivery.known import Erasure, Parked, Place, Things, Waiting
    from streams.delivery.pending import Recalled
    from streams.model import rules
    from streams.model.delivery import LateErrors
    from streams.model.enriched import EnrichedEvent
    from streams.model.rules import Limit

TOPICS = Topics(
    deliveries="deliveries",
    low="low",
    outcomes="outcomes",
    dead_letters="dead-letters",
    profiles="profiles",
)
SECRET = "pk_live_1f3870be274f6c49"
FAST = Schedule(base=0.001, cap=0.01)
DEADLINE = 10.0


class Stage:
    """A handler with everything around it; an async context manager."""

    def __init__(
        self,
        *,
        limits: tuple[Limit, ...] = (),
        travels: tuple[rules.Batch, ...] = (),
        late_errors: LateErrors | None = None,
        schedule: Schedule = FAST,
        rule: Rule = DEFAULT_RULE,
        clock: Clock | None = None,
        **connection: Any,
    ) -> None:
        self.server = Server()
        self.poller = Poller()
        self.producer = Producer()
        self.low = Low()
        self.recalled: dict[int, dict[int, tuple[Recalled, ...]]] = {}
        self.recalled_low: dict[int, dict[int, tuple[Recalled, ...]]] = {}
        self.lows: dict[int, tuple[int, str]] = {}
        self.profiles: dict[int, dict[bytes, int]] = {}
        self.things: dict[int, dict[bytes, Things]] = {}
        self.waiting: dict[int, dict[bytes, Waiting]] = {}
        self.parked: dict[int, dict[Place, Parked]] = {}
        self.erased: dict[int, dict[str, Erasure]] = {}
        self._limits = limits
        self._travels = travels
        self._late_errors = late_errors
        self._rule = rule
        self._schedule = schedule
        self._clock = clock or Clock()
        self._connection = {"name": "conn", "destination": "vendor", "mode": "live"} | connection
        self._ends: defaultdict[int, int] = defaultdict(int)
        self._previous: dict[int, int] = {}
        self.headers: tuple[tuple[str, bytes], ...] = (("redrive_of", b"7"),)
        self.batches = 0
        self.well = False

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        codecs = Codecs(
            decode_event=decode,
            encode_outcome=msgspec.json.encode,
            encode_dead_letter=msgspec.json.encode,
        )
        tools = Tools(
            topics=TOPICS,
            codecs=codecs,
            producer=self.producer,
            recall=self._recall,
            recall_low=self._recall_low,
            low=self.low,
            position=Position,
            restore=self._restore,
            rule=self._rule,
            digest_key=b"key",
            schedule=self._schedule,
            probes=FAST,
            late_errors_seconds=0.01,
            clock=self._clock,
        )
        connection = Connection(credentials=SECRET, **self._connection)
        vendor = Vendor(self.server.url, self._limits, self._travels)
        vendor.late_errors = self._late_errors
        self.handler = DeliveryHandler(connection, vendor, tools)
        self.handler.attach(cast("Any", self.poller))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.poller.epochs.clear()
        self.handler.close()
        left = [each for each in (self.handler._commits.task, self.handler._closing) if each]
        await asyncio.gather(*left, return_exceptions=True)
        await until(lambda: not self.handler.statistics.in_flight)
        await self.server.__aexit__()

    def own(self, *partitions: int, epoch: int = 1) -> None:
        """Gain partitions; records that earlier epochs did not finish come again."""
        shares = [Share(partition, epoch) for partition in partitions]
        positions = {partition: Position(0) for partition in partitions}
        self.poller.epochs.update(shares)
        self.poller.revoking -= set(partitions)
        self._previous.update(dict.fromkeys(partitions, FIRST))
        self._ends.update(dict.fromkeys(partitions, 0))
        self.handler.install(shares, self.handler.load(positions, lambda: set(partitions)))

    async def feed(self, *events: EnrichedEvent | bytes, partition: int = 0) -> None:
        """Hand over a batch with one part; returns when there is room for more."""
        messages: list[Any] = []
        for each in events:
            value = each if isinstance(each, bytes) else msgspec.json.encode(each)
            customer = None if isinstance(each, bytes) else each.customer_id.encode()
            place = partition, self._ends[partition]
            self._ends[partition] += 1
            messages.append(Message(place, value, customer, self.headers))
        epoch, previous = self.poller.epochs[partition], self._previous[partition]
        part = Part(partition, epoch, previous, messages)
        self._previous[partition] = messages[-1].offset()
        await self.handler.feed(Batch([part], self._done))

    def outcomes(self, *fields: str) -> list[tuple[Any, ...]]:
        """The outcomes written, in order: (event id, part, outcome, …) and these fields."""
        wanted = "event_id", "part", "outcome", *fields
        return [tuple(record.value[f] for f in wanted) for record in self.of(TOPICS.outcomes)]

    def dead_letters(self, *fields: str) -> list[tuple[Any, ...]]:
        """These fields of the dead letters written, in order."""
        return [tuple(record.value[f] for f in fields) for record in self.of(TOPICS.dead_letters)]

    def of(self, topic: str) -> list[Record]:
        """The records of a topic."""
        return [record for record in self.producer.records if record.topic == topic]

    @property
    def offset(self) -> int:
        """The offset of partition 0 committed last; 0 before the first."""
        return ([at[0][0] for at in self.poller.committed if 0 in at] or [0])[-1]

    @property
    def metadata(self) -> str:
        """What was committed with it."""
        return ([at[0][1] for at in self.poller.committed if 0 in at] or [""])[-1]

    async def until_offset(self, offset: int) -> None:
        """Wait until this offset of partition 0 is committed."""
        await until(lambda: self.offset == offset)

    def _recall(
        self, positions: Mapping[int, Position], alive: Callable[[], Any], parked: object
    ) -> dict[int, Memory]:
        del alive, parked
        return {p: Memory(at, 0, self.recalled.get(p, {})) for p, at in positions.items()}

    def _recall_low(
        self, positions: Mapping[int, Position], alive: Callable[[], Any], parked: object
    ) -> dict[int, Memory]:
        del alive, parked
        return {p: Memory(at, 0, self.recalled_low.get(p, {})) for p, at in positions.items()}

    def _restore(self, partitions: Collection[int], alive: Callable[[], Any]) -> dict[int, Known]:
        del alive
        return {
            p: Known(
                dict(self.profiles.get(p, {})),
                dict(self.things.get(p, {})),
                dict(self.waiting.get(p, {})),
                dict(self.parked.get(p, {})),
                self.lows.get(p, (0, "")),
                dict(self.erased.get(p, {})),
            )
            for p in partitions
        }

    def _done(self) -> None:
        self.batches += 1


async def until(fact: Callable[[], bool]) -> None:
    """Wait until a fact holds; TimeoutError when it does not within the deadline."""
    async with asyncio.timeout(DEADLINE):
        while not fact():  # noqa: ASYNC110 - facts are many, and none has an event
            await asyncio.sleep(0.002)


def tell(story: Callable[[Stage], Awaitable[None]], **options: Any) -> Stage:
    """Let a story happen on a stage that owns partition 0; return the stage as it was left."""

    async def play() -> Stage:
        async with Stage(**options) as stage:
            stage.own(0)
            await story(stage)
        return stage

    return asyncio.run(play())


def identity(event_id: str, kind: str = "order.success") -> str:
    """The delivery id of an event on the stage's connection."""
    return delivery_id(event_id, kind, "conn")
