"""The connection's handler on the engine's lane: records in, committed offsets out.

At least once: an offset is committed when every delivery before it has its final outcomes
acknowledged by the broker. What was concluded beyond it is recalled at the next start, so that a
restart sends again only what was in flight.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from streams.delivery.commits import Commits
from streams.delivery.condition import Condition
from streams.delivery.intake import of_parked, of_record
from streams.delivery.ledger import Ledger, Memory, Window
from streams.delivery.low_lane import LowLane
from streams.delivery.overdue import Overdue
from streams.delivery.statistics import Statistics
from streams.delivery.wiring import assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.delivery.condition import Control
    from streams.delivery.connection import Connection
    from streams.delivery.gate import Gate
    from streams.delivery.known import Known, Parked
    from streams.delivery.pending import Delivery
    from streams.delivery.wiring import Tools
    from streams.engine.batch import Batch, Part, Position
    from streams.engine.ownership import Share
    from streams.model.delivery import Destination

Loaded = tuple[Memory, Memory, "Known"]
"""What a partition goes on from: outcomes beyond the position, the same of its low twin, and what
the vendor has."""

_BARRIER_SECONDS: Final = 3.0
"""For requests under way when partitions are given up; the engine grants 4, with the commit."""

_NOTHING_TAKEN: Final = -1
"""`Ledger.last` before the first record, as `Part.previous` has it (`engine.batch.FIRST`)."""


class DeliveryHandler(Condition):
    """Delivers one connection's topic (`streams.engine.lane.Handler`).

    Attributes:
        connection: its settings.
    """

    def __init__(self, connection: Connection, destination: Destination, tools: Tools) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            ConfigurationError: credentials that no header can carry.
        """
        paused = "off" if connection.mode == "off" else None
        statistics = Statistics(mode=connection.mode, paused=paused)
        super().__init__(connection.name, statistics)
        self.connection = connection
        self._destination = destination
        self._tools = tools
        self._ledgers: dict[int, Ledger] = {}
        self._window = Window(connection.window_count, connection.window_bytes, self.statistics)
        self._room = asyncio.Event()
        self._progress = asyncio.Event()
        self._sequence = 0
        self._loads = Overdue(tools.clock.monotonic)
        self._no_room_since: float | None = None
        self._control: Control | None = None
        self._steered = False
        self._closing: asyncio.Task[None] | None = None
        self._parts = parts = assemble(
            connection, destination, tools, self, statistics, self._backlog
        )
        self._sender, self._books = parts.sender, parts.books
        self._http, self._late_errors = parts.http, parts.late_errors
        self._books.sync.attach(self._sender.offer, self._numbered, self.progressed)
        self._low = LowLane(
            tools.low,
            parts.keep_low,
            self._queue,
            self.failed,
            Window(self._sender.low_room, connection.window_bytes, self.statistics.low),
        )
        self._commits = Commits(self._name, self._ledgers, self._low, self.failed)

    def settle(self, partitions: AbstractSet[int], alive: Callable[[], AbstractSet[int]]) -> None:
        """Nothing of a former owner is waited for: what it still sends has the same ids."""

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Loaded]:
        """Recall what was concluded beyond these positions; restore what the vendor has."""
        with self._loads.beating(alive) as still:
            known = self._tools.restore(positions.keys(), still)
            live, low = (
                {p: {at for lane, at in each.parked if lane is wanted} for p, each in known.items()}
                for wanted in (False, True)
            )
            recalled = self._tools.recall(positions, still, live)
            behind = {p: self._tools.position(*known[p].low) for p in recalled}
            beside = self._tools.recall_low(behind, still, low)
        return {p: (recalled[p], beside[p], known[p]) for p in beside}

    def install(self, owned: Sequence[Share], loaded: Mapping[int, Loaded]) -> None:
        """Go on from what was recalled and restored; first of all, as was decided last."""
        if self._control is not None and not self._steered:
            self._steered = True
            self._control.start()
        for share in owned:
            memory, beside, known = loaded[share.partition]
            self._books.install(share.partition, share.epoch, known)
            live = Ledger(share, memory, self._window, _NOTHING_TAKEN)
            self._ledgers[share.partition] = live
            low = self._low.install(share, beside)
            for place in sorted(known.parked):
                parked = known.parked[place]
                self._go_on(parked, low if parked.low else live)
        self._look_for_late_errors()
        self._commits.start(self._poller)

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions; requests under way for them are broken off."""
        ledgers = self._ledgers_of(partitions)
        self._sender.drop(partitions, self._going(ledgers, partitions))
        self._low.drop(partitions)
        for ledger in ledgers:
            ledger.close()
        for partition in partitions:
            self._ledgers.pop(partition, None)
        self._books.drop(partitions)
        self._look_for_late_errors()
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
        self._sender.hold(partitions, self._going(ledgers, partitions))
        self._room.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_BARRIER_SECONDS):
                while any(ledger.busy for ledger in ledgers):
                    self._progress.clear()
                    await self._progress.wait()
        await self._commits.commit(partitions)

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
        self._low.close()
        self._commits.stop()
        if self._control is not None:
            self._control.stop()
        self._closing = asyncio.get_running_loop().create_task(self._http.aclose())

    def progressed(self, delivery: Delivery) -> None:
        """Look whether a delivery is finished (`owner.Owner`, as all below that are told)."""
        if delivery.scheduled:
            if delivery.settled:
                self._books.sync.concluded(delivery)
            return
        ledgers = self._low.ledgers if delivery.low else self._ledgers
        ledger = ledgers.get(delivery.partition)
        if ledger is not None and ledger.share.epoch == delivery.epoch:
            self._advance(ledger, delivery)
        self._progress.set()

    def steer(self, control: Control) -> None:
        """Be kept to what operators decide, from the first partition on."""
        self._control = control

    def govern(self, gate: Gate) -> None:
        """Let deliveries that are rendered from now on go by this gate."""
        self._parts.renderer.gate = gate
        self.statistics.mode = gate.mode
        self._sender.renew()
        self._look_for_late_errors()

    def authorize(self, credentials: str) -> None:
        """Use other credentials from the next request on; raises `ConfigurationError`."""
        self._http.authorize(self._destination.authorize(credentials))

    @override
    def resume(self) -> None:
        """Go on after a pause: with what waits here, and with records."""
        super().resume()
        self._room.set()
        self._sender.wake()

    def _backlog(self) -> int:
        """Deliveries of the partitions here that are not behind the committed offset."""
        lag = self._poller.lag
        return sum(lag.get(partition, 0) for partition in self._ledgers)

    def _look_for_late_errors(self) -> None:
        """One owner does, the one of partition 0, of a connection that sends."""
        sends = self._parts.renderer.gate.mode in {"allowlist", "live"}
        if sends and 0 in self._ledgers:
            self._late_errors.start()
        else:
            self._late_errors.stop()

    def _ledgers_of(self, partitions: Collection[int]) -> list[Ledger]:
        """Of these partitions, those of both lanes."""
        lanes = (self._ledgers, self._low.ledgers)
        return [lane[each] for lane in lanes for each in partitions if each in lane]

    def _going(self, ledgers: Iterable[Ledger], partitions: Collection[int]) -> list[Delivery]:
        """Deliveries of these that are not concluded."""
        going = [each for ledger in ledgers for each in ledger]
        return going + self._books.sync.going(partitions)

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

    def _advance(self, ledger: Ledger, delivery: Delivery) -> None:
        """Let the offset pass what is finished, and what is parked."""
        parking = self._books.parking
        if delivery.settled:
            if not delivery.parked or parking.concluded(delivery):
                ledger.finish(delivery)
        elif delivery.parked and delivery.unacknowledged == 0:
            ledger.park(delivery)
            parking.note(delivery)
        self._low.progressed()
        self._room.set()

    def _numbered(self) -> int:
        self._sequence += 1
        return self._sequence

    def _queue(self, ledger: Ledger, message: Message, *, low: bool = False) -> None:
        topics, parking = self._tools.topics, self._books.parking
        topic = topics.low if low else topics.deliveries
        delivery = of_record(message, ledger, topic, self._numbered(), low=low)
        ledger.add(delivery)
        if parking.has(delivery):
            ledger.finish(delivery)
            return
        self._sender.offer(delivery)
        if parking.holds(delivery.customer):
            parking.park([delivery])

    def _go_on(self, parked: Parked, ledger: Ledger) -> None:
        """Take up what an earlier run parked."""
        topics = self._tools.topics
        topic = topics.low if parked.low else topics.deliveries
        delivery = of_parked(parked, ledger, topic, self._numbered())
        self._books.parking.resume(delivery)
        ledger.park(delivery)
        self._sender.offer(delivery)
