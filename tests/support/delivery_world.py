"""A connection to a simulated Klaviyo on a real broker, its workers being real child processes.

The test feeds delivery records, watches what the simulator receives, kills and stops workers, and
reads outcomes and dead letters back from Kafka.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Consumer, Producer, TopicPartition
from msgspec.structs import replace

from streams.avro import codec
from streams.avro_structs import struct_writer
from streams.demo.observation import Metrics
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.model.ids import customer_key, delivery_id
from streams.names import Names
from streams.simulators import SIMULATORS, Options
from tests.support.enriched import KNOWN, bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from streams.model.enriched import EnrichedEvent
    from streams.simulators.faults import Fault

NAME = "klaviyo"
PARTITIONS = 3
PATIENCE = 60.0
SECRET = "pk_7d1c0f5e"


async def until(fact: Callable[[], bool]) -> None:
    """Wait until a fact holds: processes begin for it; TimeoutError when it does not in time."""
    async with asyncio.timeout(PATIENCE):
        while not fact():  # noqa: ASYNC110 - facts are many, and none has an event
            await asyncio.sleep(0.01)


def shop_event(customer: str, number: int) -> EnrichedEvent:
    """The `number`-th event of a customer."""
    profile = replace(KNOWN, email=f"{customer}@shop-demo.io")
    event = bare("order.success", profile)
    return replace(event, event_id=f"{customer}-{number:03}", customer_id=customer)


async def until_paused(port: int) -> None:
    """Wait until the worker on a port sends nothing more, and has nothing under way."""
    with closing(Metrics(f"http://127.0.0.1:{port}")) as metrics:
        async with asyncio.timeout(PATIENCE):
            while True:
                # in a thread: the simulator, on this loop, must go on taking what is under way
                numbers = await asyncio.to_thread(metrics.read)
                if numbers.get("streams_paused") == 1 and numbers.get("streams_in_flight") == 0:
                    return
                await asyncio.sleep(0.02)


def identity(event: EnrichedEvent) -> str:
    """Its delivery id."""
    return delivery_id(event.event_id, event.type, NAME)


class DeliveryWorld:
    """One test's topics, simulator and workers; an async context manager."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        faults: Sequence[Fault] = (),
        connection: str = NAME,
        **settings: str,
    ) -> None:
        """`settings`: further ones of the workers, `BREAKER__RETRY="1s"`."""
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.names = Names(prefix)
        self.simulator = SIMULATORS[connection](Options(limits=None, faults=tuple(faults)))
        self._connection = connection
        self.fed: list[EnrichedEvent] = []
        ours = f"STREAMS_CONNECTIONS__{connection.upper()}"
        self._environment = {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            f"{ours}__MODE": "live",
            f"{ours}__START": "beginning",
            f"{ours}__CREDENTIALS": SECRET,
            f"{ours}__LIMITS": "off",
        } | {f"STREAMS_{name}": value for name, value in settings.items()}
        self._workers: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Self:
        await self.simulator.start()
        ours = f"STREAMS_CONNECTIONS__{self._connection.upper()}"
        path = "/api" if self._connection == "yespo" else ""
        self._environment[f"{ours}__URL"] = self.simulator.url + path
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics([self._connection])
        ]
        await asyncio.to_thread(create_topics, self.kafka, specs)
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
        await self.simulator.stop()

    def feed(self, *events: EnrichedEvent | bytes, low: bool = False) -> None:
        """Append deliveries, each to the partition of its customer, in a lane."""
        producer = Producer(self.kafka.producer())
        encode = struct_writer(codec("events/enriched"))
        names = self.names
        topic = names.low(self._connection) if low else names.deliveries(self._connection)
        for each in events:
            if isinstance(each, bytes):
                producer.produce(topic, each, b"m:broken")
                continue
            value = encode(each)
            producer.produce(topic, value, customer_key(each.merchant, each.customer_id))
            self.fed.append(each)
        assert producer.flush(PATIENCE) == 0

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a worker: the real command line."""
        role = ["worker", "deliver", self._connection, "--port", "0"]
        command = [sys.executable, "-m", "streams", *role]
        worker = await asyncio.create_subprocess_exec(
            *command, *arguments, env=dict(os.environ) | self._environment
        )
        self._workers.append(worker)
        return worker

    @property
    def accepted(self) -> list[str]:
        """Delivery ids of the events that the vendor took, in order, repeats included."""
        return [
            each.body["data"]["attributes"]["unique_id"]
            for each in self.simulator.received
            if isinstance(each.body, dict) and each.fate in {"accepted", "duplicate"}
        ]

    @property
    def sent(self) -> list[str]:
        """Delivery ids of all requests that arrived, in order."""
        return [
            each.body["data"]["attributes"]["unique_id"]
            for each in self.simulator.received
            if isinstance(each.body, dict)
        ]

    def has_accepted(self, count: int) -> bool:
        """Whether the vendor took so many different deliveries."""
        return len(set(self.accepted)) >= count

    async def outcomes(self) -> list[dict[str, Any]]:
        """All outcomes in Kafka now."""
        return await asyncio.to_thread(self._read, self.names.outcomes, "outcome")

    async def dead_letters(self) -> list[dict[str, Any]]:
        """All dead letters in Kafka now."""
        return await asyncio.to_thread(
            self._read, self.names.dead_letters(self._connection), "dead_letter"
        )

    async def concluded(self) -> list[str]:
        """Delivery ids with a final outcome in Kafka now, one entry for each outcome."""
        return [each["delivery_id"] for each in await self.outcomes() if each["final"]]

    async def until_concluded(self) -> None:
        """Wait until every delivery fed has a final outcome, and its offset is committed."""
        wanted = {delivery_id(each.event_id, each.type, self._connection) for each in self.fed}
        async with asyncio.timeout(PATIENCE):
            while not (wanted <= set(await self.concluded()) and await self.lag() == 0):
                assert any(each.returncode is None for each in self._workers), "no worker runs"
                await asyncio.sleep(0.1)

    async def until_passed(self) -> None:
        """Wait until the committed offsets have passed every record of the delivery topic."""
        async with asyncio.timeout(PATIENCE):
            while await self.lag():  # noqa: ASYNC110 - asked of the broker
                await asyncio.sleep(0.1)

    async def lag(self) -> int:
        """Delivery records beyond the committed offsets."""
        return await asyncio.to_thread(self._lag)

    def _lag(self) -> int:
        topic = self.names.deliveries(self._connection)
        client = Consumer(self.kafka.observer(self.names.deliver_group(self._connection)))
        try:
            places = client.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], 10)
            bounds = [client.get_watermark_offsets(place, timeout=10) for place in places]
        finally:
            client.close()
        ends = [end for _, end in bounds]
        return sum(ends) - sum(max(0, place.offset) for place in places)

    def _read(self, topic: str, schema: str) -> list[dict[str, Any]]:
        reader = Consumer(self.kafka.reader(isolation="read_uncommitted"))
        decode, records = codec(schema).decode, []
        waiting = set(range(PARTITIONS))
        reader.assign([TopicPartition(topic, partition, 0) for partition in waiting])
        try:
            while waiting:
                for message in reader.consume(1_000, 0.1):
                    if message.error() is None and message.value() is None:
                        continue  # a dead letter that is settled
                    if message.error() is None:
                        records.append(decode(message.value()))
                    else:  # the end of the partition
                        waiting.discard(message.partition() or 0)
        finally:
            reader.close()
        return records


def in_order(events: Iterable[EnrichedEvent], identities: Sequence[str]) -> bool:
    """Whether each customer's events first appear in the order in which they were fed."""
    first = {each: at for at, each in reversed(list(enumerate(identities)))}
    by_customer = defaultdict(list)
    for event in events:
        if identity(event) in first:
            by_customer[event.customer_id].append(first[identity(event)])
    return all(places == sorted(places) for places in by_customer.values())


__all__ = ["NAME", "PARTITIONS", "DeliveryWorld", "identity", "in_order", "shop_event", "until"]
