"""The connection's handler on the engine's lane: records in, committed offsets out.

At least once: an offset is committed when every delivery before it has its final outcomes
acknowledged by the broker. What was concluded beyond it is recalled at the next start, so that a
restart sends again only what was in flight.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from streams.delivery.ledger import Ledger, Memory, Window
from streams.delivery.overdue import Overdue
from streams.delivery.pending import Delivery
from streams.delivery.reader import KafkaException
from streams.delivery.statistics import Statistics
from streams.delivery.wiring import assemble
from streams.model.dead_letter import header_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.delivery.connection import Connection
    from streams.delivery.known import Known
    from streams.delivery.wiring import Tools
    from streams.engine.batch import Batch, Part, Position
    from streams.engine.ownership import Share
    from streams.engine.poller import Poller
    from streams.model.delivery import Destination

log = logging.getLogger(__name__)

Loaded = tuple[Memory, "Known"]
"""What a partition goes on from: outcomes beyond the position, and what the vendor has."""

_COMMIT_SECONDS: Final = 0.5
_BARRIER_SECONDS: Final = 3.0
"""For requests under way when partitions are given up; the engine grants 4, with the commit."""

_NOTHING_TAKEN: Final = -1
"""`Ledger.last` before the first record, as `Part.previous` has it (`engine.batch.FIRST`)."""


class DeliveryHandler:
    """Delivers one connection's topic (`streams.engine.lane.Handler`).

    Attributes:
        connection: its settings.
        statistics: what it counts, for metrics.
    """

    def __init__(self, connection: Connection, destination: Destination, tools: Tools) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            ConfigurationError: credentials that no header can carry.
        """
        self.connection = connection
        self.statistics = Statistics(paused="off" if connection.mode == "off" else None)
        self._tools = tools
        self._refusal: str | None = None
        self._stopped: str | None = None
        self._ledgers: dict[int, Ledger] = {}
        self._window = Window(connection.window_count, connection.window_bytes, self.statistics)
        self._room = asyncio.Event()
        self._progress = asyncio.Event()
        self._sequence = 0
        self._loads = Overdue(tools.clock.monotonic)
        self._no_room_since: float | None = None
        self._committer: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        parts = assemble(connection, destination, tools, self, self.statistics)
        self._sender, self._books, self._http, self._late_errors = parts
        self._books.sync.attach(self._sender.offer, self._numbered, self.progressed)

    def attach(self, poller: Poller) -> None:
        """Take the lane's poller."""
        self._poller = poller
        self._count_breaker()

    def settle(self, partitions: AbstractSet[int], alive: Callable[[], AbstractSet[int]]) -> None:
        """Nothing of a former owner is waited for: what it still sends has the same ids."""

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Loaded]:
        """Recall what was concluded beyond these positions; restore what the vendor has."""
        with self._loads.beating(alive) as still:
            recalled = self._tools.recall(positions, still)
            known = self._tools.restore(positions.keys(), still)
        return {partition: (memory, known[partition]) for partition, memory in recalled.items()}

    def install(self, owned: Sequence[Share], loaded: Mapping[int, Loaded]) -> None:
        """Go on from what was recalled and restored."""
        for share in owned:
            memory, known = loaded[share.partition]
            self._books.install(share.partition, share.epoch, known)
            self._ledgers[share.partition] = Ledger(share, memory, self._window, _NOTHING_TAKEN)
        if 0 in self._ledgers and self.connection.mode == "live":
            self._late_errors.start()
        if self._committer is None:
            self._committer = asyncio.get_running_loop().create_task(self._commit_regularly())

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions; requests under way for them are broken off."""
        ledgers = self._ledgers_of(partitions)
        going = [each for ledger in ledgers for each in ledger]
        self._sender.drop(partitions, going + self._books.sync.going(partitions))
        for ledger in ledgers:
            ledger.close()
        for partition in partitions:
            self._ledgers.pop(partition, None)
        self._books.drop(partitions)
        if 0 in partitions:
            self._late_errors.stop()
        if not self._ledgers:
            self._books.guard.forget()
        self._room.set()

    async def feed(self, batch: Batch) -> None:
        """Queue a batch's deliveries; returns when there is room for more."""
        try:
            if self._tools.preparation is not None:
                await self._tools.preparation(batch.parts, self._poller)
            for part in batch.parts:
                await self._take(part)
        finally:
            batch.done()

    async def barrier(self, partitions: Collection[int]) -> None:
        """Begin nothing more for these; wait, not for long, for what is under way; commit."""
        ledgers = self._ledgers_of(partitions)
        going = [each for ledger in ledgers for each in ledger]
        self._sender.hold(partitions, going + self._books.sync.going(partitions))
        self._room.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_BARRIER_SECONDS):
                while any(ledger.busy for ledger in ledgers):
                    self._progress.clear()
                    await self._progress.wait()
        await self._commit(partitions)

    def next_due(self, partition: int) -> int:  # noqa: ARG002 - part of the protocol
        """No timers on stream time."""
        return 0

    def runnable_since(self) -> float | None:
        """A request beyond its own timeout, a delivery or record that nobody begins, a load.

        Not what waits for a limit, the breaker, credentials, an answer, the broker or for room.
        """
        held = self._window.full or self.statistics.paused is not None
        records = None if held else self._no_room_since
        stands = (self._loads.since, self._sender.stands_since, records)
        return min((since for since in stands if since is not None), default=None)

    def close(self) -> None:
        """Close the connections to the vendor."""
        self.drop(list(self._ledgers))
        if self._committer is not None:
            self._committer.cancel()
        self._closing = asyncio.get_running_loop().create_task(self._http.aclose())

    def progressed(self, delivery: Delivery) -> None:
        """Look whether a delivery is finished (`owner.Owner`, as all below that are told)."""
        if delivery.scheduled:
            if delivery.settled:
                self._books.sync.concluded(delivery)
            return
        ledger = self._ledgers.get(delivery.partition)
        if delivery.settled and ledger is not None and ledger.share.epoch == delivery.epoch:
            ledger.finish(delivery)
            self._room.set()
        self._progress.set()

    def halted(self, reason: str) -> None:
        """Show that the connection is paused."""
        log.error("%s: paused, the vendor refuses the credentials: %s", self._name, reason)
        self._show()

    def stopped(self, reason: str | None) -> None:
        """Show that the breaker has stopped the connection, or that it goes on."""
        if reason is not None:
            log.error("%s: stopped, too much is given up on: %s", self._name, reason)
        else:
            log.info("%s: the breaker is closed again", self._name)
        self._stopped = reason
        self._show()

    def failed(self, error: BaseException) -> None:
        """End the process."""
        self._poller.fail(error)

    def refused(self, reason: str | None) -> None:
        """Show that nothing can be finished."""
        self._refusal = reason
        self._show()

    @property
    def _name(self) -> str:
        return self.connection.name

    def _show(self) -> None:
        paused = self.statistics.paused if self.connection.mode != "off" else None
        reasons = [f"paused: {paused}"] if paused else []
        reasons += [f"stopped: {self._stopped}"] if self._stopped else []
        reasons += [self._refusal] if self._refusal else []
        self._poller.unready("; ".join(reasons) or None)
        self._count_breaker()

    def _count_breaker(self) -> None:
        self._poller.statistics.breakers = {"all": int(self._stopped is not None)}

    def _ledgers_of(self, partitions: Collection[int]) -> list[Ledger]:
        return [self._ledgers[each] for each in partitions if each in self._ledgers]

    async def _take(self, part: Part) -> None:
        if not self._poller.accepts(part.partition, part.epoch):
            return
        ledger = self._ledgers[part.partition]
        if part.previous != ledger.last:
            self._poller.reset([ledger.share], f"a batch was lost after offset {ledger.last}")
            return
        for message in part.messages:
            while self._window.full or self.statistics.paused is not None:
                self._room.clear()
                self._no_room_since = self._tools.clock.monotonic()
                await self._room.wait()
                self._no_room_since = None
                if not self._poller.accepts(part.partition, part.epoch):
                    return
            self._queue(ledger, message)

    def _numbered(self) -> int:
        self._sequence += 1
        return self._sequence

    def _queue(self, ledger: Ledger, message: Message) -> None:
        delivery = self._delivery(ledger, message)
        ledger.add(delivery)
        self._sender.offer(delivery)

    def _delivery(self, ledger: Ledger, message: Message) -> Delivery:
        offset = message.offset() or 0
        delivery = Delivery(
            sequence=self._numbered(),
            topic=self._tools.topics.deliveries,
            partition=message.partition() or 0,
            epoch=ledger.share.epoch,
            offset=offset,
            timestamp=message.timestamp()[1],
            key=message.key(),
            value=message.value() or b"",
            headers=header_bytes(message.headers()),
            recalled=ledger.memory.recalled.get(offset, ()),
        )
        for outcome in delivery.recalled:
            delivery.heard(outcome.offset)
        return delivery

    async def _commit_regularly(self) -> None:
        try:
            while True:
                await asyncio.sleep(_COMMIT_SECONDS)
                await self._commit(list(self._ledgers))
        except Exception as error:  # noqa: BLE001 - nobody awaits this task
            self.failed(error)

    async def _commit(self, partitions: Collection[int]) -> None:
        """Commit what has moved; what the broker refuses is committed again later."""
        ledgers = {each: self._ledgers[each] for each in partitions if each in self._ledgers}
        due = {
            partition: (ledger.share.epoch, position)
            for partition, ledger in ledgers.items()
            if (position := ledger.due()) is not None
        }
        if not due:
            return
        try:
            committed = await asyncio.wrap_future(self._poller.commit(due))
        except KafkaException as error:
            log.warning("%s: a commit is tried again: %s", self._name, error)
            return
        for partition in committed:
            ledgers[partition].committed(due[partition][1])
