"""Topics: made when missing, described; the little administration that the program needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from streams.engine.patience import patiently
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from streams.engine.kafka import KafkaSettings

__all__ = [
    "TopicDescription",
    "TopicSpec",
    "check_same_partitions",
    "create_topics",
    "describe_topics",
    "partition_count",
    "set_topic_config",
    "topic_names",
]

_CALL_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
_CREATE = "Run `streams topics create`"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it should be.

    Attributes:
        name: of the topic.
        partitions: their number; never changed later.
        replication: copies of each partition.
        config: topic properties, e.g. `cleanup.policy`.
    """

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicDescription:
    """A topic as it is; `config` holds all properties, defaults included."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def create_topics(kafka: KafkaSettings, specs: Sequence[TopicSpec]) -> list[str]:
    """Create those topics that do not exist; return their names when they are of use.

    Existing ones stay as they are.

    Raises:
        KafkaException: the broker refused a topic or does not answer.
    """
    admin = AdminClient(kafka.client())
    new = [NewTopic(s.name, s.partitions, s.replication, config=dict(s.config)) for s in specs]
    created = []
    admin.list_topics(timeout=_ANSWER_SECONDS)  # else one that is away is known after a minute
    for name, future in admin.create_topics(new, operation_timeout=_CALL_SECONDS).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        else:
            created.append(name)
    for spec in specs:
        if spec.name in created:
            patiently(partial(_ends, kafka, spec), _CALL_SECONDS)
    return created


def _ends(kafka: KafkaSettings, spec: TopicSpec) -> dict[int, int]:
    """Ask for a topic's ends: made is not yet known and led everywhere, and the question waits."""
    return Watermarks(kafka, spec.name).high(range(spec.partitions))


def topic_names(kafka: KafkaSettings) -> list[str]:
    """Return the names of all topics; raises `KafkaException` when the broker does not answer."""
    return sorted(AdminClient(kafka.client()).list_topics(timeout=_CALL_SECONDS).topics)


def describe_topics(
    kafka: KafkaSettings, names: Collection[str]
) -> dict[str, TopicDescription | None]:
    """Return each topic as it is, None for one that does not exist.

    Raises:
        KafkaException: the broker does not answer.
    """
    admin = AdminClient(kafka.client())
    cluster = admin.list_topics(timeout=_CALL_SECONDS).topics
    existing = [name for name in names if name in cluster]
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in existing]
    configs = admin.describe_configs(resources) if resources else {}
    described: dict[str, TopicDescription | None] = dict.fromkeys(names)
    for resource, future in configs.items():
        parts = cluster[resource.name].partitions
        described[resource.name] = TopicDescription(
            name=resource.name,
            partitions=len(parts),
            replication=min((len(part.replicas) for part in parts.values()), default=0),
            config={name: entry.value for name, entry in future.result().items()},
        )
    return described


def set_topic_config(kafka: KafkaSettings, topic: str, config: Mapping[str, str]) -> None:
    """Set these properties of a topic; all others stay.

    Raises:
        KafkaException: the broker refused them or does not answer.
    """
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    admin = AdminClient(kafka.client())
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def partition_count(kafka: KafkaSettings, topic: str) -> int:
    """Return the topic's number of partitions.

    Raises:
        ConfigurationError: the topic does not exist.
        KafkaException: the broker does not answer.
    """
    found = AdminClient(kafka.client()).list_topics(topic, timeout=_CALL_SECONDS).topics[topic]
    if found.error is not None:
        if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise ConfigurationError(f"topic {topic}", "it does not exist", _CREATE)
        raise KafkaException(found.error)
    return len(found.partitions)


def check_same_partitions(kafka: KafkaSettings, source: str, changelog: str) -> None:
    """Check that a table's changelog mirrors its source, partition by partition.

    Raises:
        ConfigurationError: a topic is missing, or the numbers of partitions differ.
        KafkaException: the broker does not answer.
    """
    wanted, found = partition_count(kafka, source), partition_count(kafka, changelog)
    if wanted != found:
        raise ConfigurationError(
            f"topic {changelog}",
            f"it has {found} partitions, its source {source} has {wanted}",
            f"{_CREATE} under a new prefix and rebuild: partitions cannot be moved in place",
        )
