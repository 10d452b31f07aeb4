"""What brokers say of themselves, and of what whoever asks may do. For people, not for workers."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from confluent_kafka import KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from streams.engine.publication import flush

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from streams.engine.kafka import KafkaSettings

__all__ = [
    "NOT_ANSWERED",
    "Cluster",
    "clock_ahead",
    "describe_cluster",
    "opened_transaction",
    "permitted",
]

NOT_ANSWERED = KafkaException
"""What is raised where no broker answers, or will not say."""

_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The brokers.

    Attributes:
        id: of the cluster.
        brokers: how many there are.
        config: one broker's properties; empty where they are not told.
        transaction_timeout_ms: that we ask for.
    """

    id: str
    brokers: int
    transaction_timeout_ms: int
    config: Mapping[str, str] = field(default_factory=dict)


def describe_cluster(kafka: KafkaSettings) -> Cluster:
    """Ask who is there.

    Raises:
        KafkaException: no broker answers.
    """
    admin = AdminClient(kafka.client())
    found = admin.describe_cluster(request_timeout=_SECONDS).result()
    config: dict[str, str] = {}
    broker = ConfigResource(ConfigResource.Type.BROKER, str(found.nodes[0].id))
    with suppress(KafkaException):  # not everybody may ask for it
        for told in admin.describe_configs([broker], request_timeout=_SECONDS).values():
            config = {name: entry.value for name, entry in told.result().items()}
    return Cluster(
        id=found.cluster_id,
        brokers=len(found.nodes),
        transaction_timeout_ms=kafka.transaction_timeout_ms,
        config=config,
    )


def permitted(kafka: KafkaSettings, topics: Collection[str]) -> dict[str, frozenset[str] | None]:
    """What may be done with each topic, by the names of Kafka's operations.

    None for a topic that does not exist or of which the brokers do not say.

    Raises:
        KafkaException: no broker answers.
    """
    admin = AdminClient(kafka.client())
    asked = admin.describe_topics(
        TopicCollection(list(topics)), include_authorized_operations=True, request_timeout=_SECONDS
    )
    found: dict[str, frozenset[str] | None] = dict.fromkeys(topics)
    for topic, told in asked.items():
        with suppress(KafkaException):
            operations = told.result().authorized_operations
            if operations is not None:
                found[topic] = frozenset(each.name for each in operations)
    return found


def opened_transaction(kafka: KafkaSettings, transactional_id: str) -> str | None:
    """Open a transaction and give it up; why that was not possible, None where it was."""
    producer = Producer(kafka.transactional(transactional_id) | {"log_level": 0})
    try:
        producer.init_transactions(_SECONDS)
        producer.begin_transaction()
        producer.abort_transaction(_SECONDS)
    except KafkaException as error:
        return str(error.args[0].name())
    return None


def clock_ahead(kafka: KafkaSettings, topic: str) -> float:
    """Seconds by which this clock is ahead of a broker's; makes and deletes a topic for it.

    Half of the time that the answer took is the error, at most.

    Raises:
        KafkaException: the broker does not let us, or does not answer.
    """
    admin = AdminClient(kafka.client())
    name = f"{topic}.{uuid4().hex[:8]}"
    config = {"message.timestamp.type": "LogAppendTime"}
    admin.create_topics([NewTopic(name, 1, 1, config=config)])[name].result(_SECONDS)
    stamps: list[int] = []
    try:
        producer = Producer(kafka.producer() | {"linger.ms": 0})
        for _ in range(2):  # the first waits for the topic to be led
            began = time.time()
            producer.produce(
                name,
                b"?",
                on_delivery=lambda _, message: stamps.append(message.timestamp()[1]),
            )
            flush(producer, _SECONDS)
            ended = time.time()
    finally:
        admin.delete_topics([name])[name].result(_SECONDS)
    return (began + ended) / 2 - stamps[-1] / 1_000
