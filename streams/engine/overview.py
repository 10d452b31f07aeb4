"""Many topics and groups at a glance, asked again and again over one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from streams.engine.patience import patiently
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from streams.engine.kafka import KafkaSettings

__all__ = ["Overview"]

_CALL_SECONDS = 4.0

Partitions = dict[int, int]
"""Partition → offset."""
Offsets = dict[str, Partitions]
"""Topic → partition → offset."""


class Overview:
    """Asks for ends and positions; not for two threads at once.

    Methods raise `KafkaException` where no answer comes for some seconds.
    """

    def __init__(self, kafka: KafkaSettings, topics: Collection[str]) -> None:
        """Prepare; nothing is asked yet. `topics`: all that will be asked about."""
        self._kafka = kafka
        self._admin = AdminClient(kafka.client())
        self._observers: dict[str, Consumer] = {}
        self._topics = sorted(topics)
        self._partitions: dict[str, int] = {}

    def ends(self) -> Offsets:
        """Where each topic ends: behind all that is decided."""
        return self._ask(OffsetSpec.latest())

    def firsts(self) -> Offsets:
        """The first offset that each topic still holds."""
        return self._ask(OffsetSpec.earliest())

    def positions(self, lines: Collection[tuple[str, str]]) -> dict[tuple[str, str], Partitions]:
        """What has been committed in each (group, topic): nothing where nobody ever did.

        A group's own client is asked, not the administrator's: that one ends the process where a
        group's coordinator is elsewhere or not there yet (librdkafka's issue 5040).
        """
        self._look_up()
        return {(group, topic): self._committed(group, topic) for group, topic in lines}

    def _committed(self, group: str, topic: str) -> Partitions:
        observer = self._observers.get(group)
        if observer is None:
            # what a transaction holds is not waited for: a picture may be a moment old
            uncommitted = {"isolation.level": "read_uncommitted"}
            observer = Consumer(self._kafka.observer(group) | uncommitted)
            self._observers[group] = observer
        asked = [TopicPartition(topic, each) for each in range(self._partitions[topic])]
        places = observer.committed(asked, _CALL_SECONDS)
        for place in places:
            if place.error is not None:
                raise KafkaException(place.error)
        return {place.partition: place.offset for place in places if place.offset >= 0}

    def close(self) -> None:
        """Let go of the connections."""
        for observer in self._observers.values():
            observer.close()
        self._observers.clear()

    def members(self, groups: Collection[str]) -> dict[str, int]:
        """How many are in each group; 0 where nobody ever joined it."""
        answers = self._admin.describe_consumer_groups(
            sorted(groups), request_timeout=_CALL_SECONDS
        )
        found = {}
        for group, answer in answers.items():
            try:
                found[group] = len(answer.result().members)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                    raise
                found[group] = 0
        return found

    def _ask(self, spec: OffsetSpec) -> Offsets:
        def ask() -> Offsets:
            self._look_up()
            wanted = {
                TopicPartition(topic, partition): spec
                for topic, count in self._partitions.items()
                for partition in range(count)
            }
            answers = self._admin.list_offsets(
                wanted,
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=_CALL_SECONDS,
            )
            found: Offsets = {}
            for place, answer in answers.items():
                found.setdefault(place.topic, {})[place.partition] = answer.result().offset
            return found

        return patiently(ask, _CALL_SECONDS)

    def _look_up(self) -> None:
        """Learn the topics, and have the client know their leaders."""
        known = self._admin.list_topics(timeout=_CALL_SECONDS).topics
        for topic in self._topics:
            found = known.get(topic)
            if found is None:
                raise ConfigurationError(
                    f"topic {topic}", "it does not exist", "Run `streams topics create`"
                )
            if found.error is not None:
                raise KafkaException(found.error)
            if any(part.leader < 0 for part in found.partitions.values()):
                raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
            self._partitions[topic] = len(found.partitions)
