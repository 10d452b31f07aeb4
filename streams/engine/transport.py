"""Faust's transport on our data plane: scheme `kafka-eos`.

Faust's agents, web, timers and signals stay; what it would do per record is not used. Its consumer
here only passes batches from the pollers to the agents, one Faust event a batch, and tells Faust
about assignments without its suspend-everything path. Offsets, seeks and recovery belong to the
pollers, so Faust's own commands for them do nothing or are refused.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NoReturn

from faust import Schema
from faust.events import Event
from faust.transport import base, drivers
from faust.types import TP, ConsumerMessage, RecordMetadata
from typing_extensions import override

from streams.engine.admin import TopicSpec, create_topics
from streams.engine.producer import RecordProducer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from faust.types import AppT, EventT, Message
    from mode import ServiceT

    from streams.engine.batch import Batch
    from streams.engine.shell import EngineApp

__all__ = ["SCHEME", "BatchSchema", "Consumer", "Producer", "Transport"]

SCHEME = "kafka-eos"

drivers.TRANSPORTS.aliases[SCHEME] = "streams.engine.transport:Transport"


class BatchSchema(Schema[Any, Any]):
    """Passes a batch through as the event's value: decoding is the handler's business."""

    @override
    def compile(self, app: AppT, **_: Any) -> Callable[..., Awaitable[EventT[Any]]]:
        """Return the decoder that the conductor calls for each batch."""

        async def decode(message: Message, **_: Any) -> EventT[Any]:
            return Event(app, None, message.value, {}, message)

        return decode


class Consumer(base.Consumer):
    """Passes batches on; the `Shell` of all pollers of the app."""

    app: EngineApp

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._batches: asyncio.Queue[tuple[str, Batch]] = asyncio.Queue()
        self._booted: asyncio.Future[None] | None = None

    @override
    async def subscribe(self, topics: Iterable[str]) -> None:
        """Run Faust's whole assignment path once, with nothing assigned; start the pollers."""
        if self._booted is not None:
            return
        self.app.on_rebalance_start()
        boot = self.on_partitions_assigned(set(), self.app.consumer_generation_id)
        self._booted = asyncio.ensure_future(boot)
        for poller in self.app.pollers.values():
            poller.start(asyncio.get_running_loop(), self)

    def received(self, topic: str, batch: Batch) -> None:
        """Queue a batch for its agent."""
        self._batches.put_nowait((topic, batch))

    async def changed(self, topic: str, gained: Collection[int], lost: Collection[int]) -> None:
        """Tell Faust about a partial change; the flow of other partitions goes on."""
        if self._booted is not None:
            await asyncio.shield(self._booted)
        app, assignment = self.app, self.assignment()
        new, gone = ({TP(topic, p) for p in partitions} for partitions in (gained, lost))
        app._update_assignment(assignment)  # noqa: SLF001 - its only way without a pause
        app.unassigned = not assignment
        self._set_active_tps(set(assignment))
        await app.agents.on_rebalance(gone, new)
        await app.topics.on_partitions_assigned(assignment)
        if gone:
            await app.on_partitions_revoked.send(gone)
        if new:
            await app.on_partitions_assigned.send(assignment)

    def failed(self, error: BaseException) -> None:
        """End the process."""
        self.app.fail(error)

    @override
    def assignment(self) -> set[TP]:
        """Return what all pollers own."""
        return {TP(p.lane.topic, n) for p in self.app.pollers.values() for n in p.owned}

    @override
    async def _drain_messages(self, fetcher: ServiceT) -> None:
        while not (self.should_stop or fetcher.should_stop):
            topic, batch = await self._batches.get()
            await self.callback(self._message(topic, batch))

    def _message(self, topic: str, batch: Batch) -> ConsumerMessage:
        place = TP(topic, batch.parts[0].partition)
        return ConsumerMessage(
            topic=topic,
            partition=place.partition,
            offset=batch.parts[0].previous + 1,
            timestamp=time.time(),
            timestamp_type=0,
            headers=[],
            key=None,
            value=batch,  # type: ignore[arg-type] # passed through as it is
            checksum=None,
            tp=place,
            generation_id=self.app.consumer_generation_id,
        )

    @override
    async def on_stop(self) -> None:
        """Do nothing: the pollers have stopped before (`EngineApp.on_stop`)."""

    @override
    async def perform_seek(self) -> None:
        """Do nothing: partitions are at their positions when they run."""

    @override
    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Do nothing, as above."""
        return {}

    @override
    async def commit(self, *_: Any, **__: Any) -> bool:
        """Do nothing: handlers commit."""
        return False

    @override
    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        return False

    @override
    async def create_topic(self, topic: str, partitions: int, replication: int, **_: Any) -> None:
        """Create a topic if it does not exist."""
        spec = TopicSpec(name=topic, partitions=partitions, replication=replication)
        await asyncio.to_thread(create_topics, self.app.kafka, [spec])

    @override
    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("records and positions belong to the pollers, not to Faust")

    _to_message = _seek = seek_wait = _getmany = position = _refuse
    highwater = highwaters = earliest_offsets = topic_partitions = key_partition = _refuse

    @override
    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: each poller has a heartbeat."""


class Producer(base.Producer):
    """Faust's side channel (`topic.send` in web views and timers): outside any transaction."""

    app: EngineApp
    _records: RecordProducer | None = None

    @override
    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        **_: Any,
    ) -> Awaitable[RecordMetadata]:
        """Queue a record; return what becomes its metadata."""
        if self._records is None:
            self._records = RecordProducer(self.app.kafka)
        pairs = list(dict(headers or {}).items()) or None
        sent = self._records.send(topic, key, value, pairs, partition=partition)

        async def metadata() -> RecordMetadata:
            place, offset = await sent
            return RecordMetadata(topic, place, TP(topic, place), offset)

        return asyncio.ensure_future(metadata())

    @override
    async def send_and_wait(self, *arguments: Any, **options: Any) -> RecordMetadata:
        """Send and wait for the acknowledgement."""
        return await (await self.send(*arguments, **options))

    @override
    async def flush(self) -> None:
        """Wait for all acknowledgements."""
        await self.buffer.flush()
        if self._records is not None:
            await asyncio.to_thread(self._records.flush)

    @override
    async def on_stop(self) -> None:
        """Flush and end the acknowledging thread."""
        await super().on_stop()
        if self._records is not None:
            await asyncio.to_thread(self._records.close)

    @override
    def supports_headers(self) -> bool:
        """Headers are supported."""
        return True


class Transport(base.Transport):
    """What the scheme stands for."""

    Consumer = Consumer
    Producer = Producer
    default_port = 9092
    driver_version = "confluent-kafka"
