"""A changelog as the broker describes it: what local state must agree with (`checkpoint`)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource

from streams.engine.patience import patiently
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.engine.kafka import KafkaSettings

__all__ = ["Changelog", "describe_changelog"]

_CALL_SECONDS = 10.0
_DEFAULT_KEPT_SECONDS = 86_400.0
"""How long brokers keep tombstones unless told otherwise (`delete.retention.ms`)."""
_MARGIN = 0.1
_LARGEST_MARGIN_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changelog:
    """One changelog topic at one moment.

    Attributes:
        cluster: the cluster's id.
        topic_id: the topic's own; another one of the same name has another.
        starts: partition → first offset still held.
        ends: partition → last stable offset, behind all that is decided.
        tombstone_seconds: how old a state may be that this changelog still brings up to date: later
            the compaction may have removed deletions of rows that the state still has.
        seen_at: epoch seconds before all this was asked.
    """

    cluster: str
    topic_id: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]
    tombstone_seconds: float
    seen_at: float


def describe_changelog(kafka: KafkaSettings, topic: str, partitions: Iterable[int]) -> Changelog:
    """Ask the broker.

    Raises:
        KafkaException: it does not answer.
    """
    wanted, watermarks, now = list(partitions), Watermarks(kafka, topic), time.time()
    admin = AdminClient(kafka.client())

    def identity() -> tuple[str, str]:
        cluster = admin.list_topics(topic, timeout=_CALL_SECONDS).cluster_id
        answers = admin.describe_topics(TopicCollection([topic]), request_timeout=_CALL_SECONDS)
        return str(cluster), str(answers[topic].result().topic_id)

    cluster, topic_id = patiently(identity, _CALL_SECONDS)
    return Changelog(
        cluster=cluster,
        topic_id=topic_id,
        starts=watermarks.first(wanted),
        ends=watermarks.stable(wanted),
        tombstone_seconds=_tombstone_seconds(admin, topic),
        seen_at=now,
    )


def _tombstone_seconds(admin: AdminClient, topic: str) -> float:
    """How long tombstones are kept, less what clocks and reading may take."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    try:
        answers = admin.describe_configs([resource], request_timeout=_CALL_SECONDS)
        kept = float(answers[resource].result()["delete.retention.ms"].value) / 1_000
    except (KafkaException, KeyError):  # not everyone may read configurations
        kept = _DEFAULT_KEPT_SECONDS
    return kept - min(kept * _MARGIN, _LARGEST_MARGIN_SECONDS)
