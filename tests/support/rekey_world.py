"""A bridge whose topic is keyed by subscription, and workers of the roles rekey and derive."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from streams.avro import codec
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.model.ids import customer_key
from streams.model.row_bytes import decode_row
from streams.names import Names
from streams.sources.ordergroove import record_of
from tests.support.engine_world import until
from tests.support.health_pages import until_ready
from tests.support.webhooks import MERCHANT, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from streams.model.subscriber import Subscriber

PARTITIONS = 6
FOREIGN_PARTITIONS = 3
PATIENCE = 60.0
KLAVIYO = "klaviyo"
SOURCE = codec("sources/ordergroove")


class Appended(NamedTuple):
    """A record to append: its key, value and headers."""

    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


def event(customer: str, which: str, action: str, at: int, *, live: bool = True) -> bytes:
    """A record's bytes: something happens to a customer's subscription at epoch second `at`."""
    content = subscription(f"{customer}-{which}", at, live=live) | {"customer": customer}
    return SOURCE.encode(record_of(webhook(f"subscription.{action}", content, at), at * 1_000))


def life(customers: Iterable[str], at: int) -> list[Appended]:
    """Three subscriptions of each customer begin, change twice and end; keyed by subscription."""
    steps = [
        (action, at + second, action != "cancel")
        for second, action in enumerate(("create", "change_quantity", "sku_swap", "cancel"))
    ]
    return [
        Appended(f"{customer}-{which}".encode(), event(customer, which, action, when, live=live))
        for action, when, live in steps
        for customer in customers
        for which in "abc"
    ]


def key_of(customer: str) -> bytes:
    """The key that a customer's records must have."""
    return customer_key(MERCHANT, customer)


class Bridge:
    """One test's topics and workers; a context manager that ends the workers."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.topics = Topics(bootstrap)
        self.names = Names(prefix)
        self.source = self.names.events("ordergroove")
        self.foreign = f"{prefix}.bridge"
        self.prefix = prefix
        self._folder = folder
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        """Create the topics."""
        foreign = TopicSpec(
            name=self.foreign,
            partitions=FOREIGN_PARTITIONS,
            replication=1,
            config={"message.timestamp.type": "CreateTime", "retention.ms": "-1"},
        )
        ours = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics([KLAVIYO])
        ]
        create_topics(self.kafka, [foreign, *ours])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the workers."""
        stop(self._children)

    def append(
        self, topic: str, records: Iterable[Appended], *, at: int = 0, partition: int = -1
    ) -> None:
        """Append records where the Java clients would, or to a partition.

        `at` is their time, epoch milliseconds.
        """
        producer = Producer(self.kafka.producer())
        for key, value, headers in records:
            told: list[tuple[str, str | bytes | None]] = [*headers]
            producer.produce(topic, value, key, partition, timestamp=at, headers=told)
        assert producer.flush(PATIENCE) == 0

    def grow(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        admin = AdminClient(self.kafka.client())
        for done in admin.create_partitions([NewPartitions(topic, partitions)]).values():
            done.result()

    def worker(self, role: str, *, rehearse: str | None = None, **more: str) -> Child:
        """Start a worker; of one role there is one, which a later one takes the place of."""
        environment = {
            "STREAMS_PREFIX": self.prefix,
            "STREAMS_KAFKA__BOOTSTRAP": self.kafka.bootstrap,
            "STREAMS_KAFKA__INSTANCE_ID": role,
            "STREAMS_REKEY__TOPIC": self.foreign,
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_DERIVE__NATIVE_SUBSCRIPTIONS_CREATED": "true",  # no timers of checkouts
            f"STREAMS_CONNECTIONS__{KLAVIYO.upper()}__MODE": "shadow",
            **more,
        }
        if rehearse is not None:
            environment["STREAMS_REHEARSE"] = rehearse
        [self._port] = free_ports(1)
        arguments = ("worker", role, "--port", str(self._port))
        child = Child(f"{role}-{len(self._children)}", arguments, self._folder, environment)
        self._children.append(child)
        return child

    def ready_worker(self, role: str, **more: str) -> Child:
        """Start a worker, and wait until it is a member of its group."""
        child = self.worker(role, **more)
        until_ready(child, self._port)
        return child

    def rekeyed(self) -> None:
        """Wait until rekey has committed all of the other topic."""
        group = self.names.rekey_group
        until(lambda: self.topics.behind(group, self.foreign) == 0, "everything is rekeyed")

    def told(self) -> dict[bytes, list[str]]:
        """Customer → what derive told, in order, in words, profiles aside."""
        decode = codec("events/enriched").decode
        found: defaultdict[bytes, list[str]] = defaultdict(list)
        for message in self.topics.records(self.names.deliveries(KLAVIYO)):
            told = decode(message.value())
            if told["type"] != "profile.changed":
                late = " late" if told["late"] else ""
                found[message.key() or b""].append(f"{told['type']} {told['event_id']}{late}")
        return dict(found)

    def rows(self) -> dict[bytes, Subscriber]:
        """The newest row of each customer, without the days on which its events came."""
        rows = {m.key(): m.value() for m in self.topics.records(self.names.subscribers_changelog)}
        found = {}
        for key, value in rows.items():
            row = decode_row(value or b"")
            seen = {0: b"".join(row.seen.values())}
            found[key or b""] = msgspec.structs.replace(row, seen=seen)
        return found
