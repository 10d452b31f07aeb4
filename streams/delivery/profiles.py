"""Which profile each customer has at the vendor: no replay may bring an older one back.

A row's profile has a version, (table generation, count). The last one that the vendor accepted is
kept by customer, in memory while a partition is owned, and in a compacted topic with the delivery
topic's partitions. It is written when the vendor has accepted a profile, and the offset waits for
it as it waits for outcomes. If the process dies between the two, the recalled outcome tells it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from streams.delivery.publisher import Outgoing
from streams.delivery.reader import PartitionReader
from streams.model.delivery import Outcome
from streams.model.ids import customer_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from collections.abc import Set as AbstractSet

    from streams.delivery.pending import Delivery
    from streams.delivery.publisher import Publisher
    from streams.engine.kafka import KafkaSettings
    from streams.model.enriched import EnrichedEvent, ProfileView

APPLIED: Final = frozenset({Outcome.DELIVERED, Outcome.DELIVERED_NO_TRIGGER})
"""Outcomes of a part whose profile the vendor has."""

_GENERATION_BITS: Final = 40
"""One small number for both: counts stay far below 2**40."""

Versions = dict[bytes, int]
"""Customer's key → the version that the vendor has, packed."""


def packed(profile: ProfileView) -> int:
    """The profile's version as a number: greater is newer."""
    return profile.generation << _GENERATION_BITS | profile.version


def encode(version: int) -> bytes:
    """A record's value, `GENERATION:COUNT` in decimal."""
    generation = version >> _GENERATION_BITS
    return b"%d:%d" % (generation, version - (generation << _GENERATION_BITS))


def decode(value: bytes) -> int:
    """The version in a record's value; ValueError for what is none."""
    generation, _, count = value.partition(b":")
    return int(generation) << _GENERATION_BITS | int(count)


class ProfilesChangelog:
    """Restores partitions from a connection's topic; called in the engine's loading thread."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    def __call__(
        self, partitions: Collection[int], alive: Callable[[], AbstractSet[int]]
    ) -> dict[int, Versions]:
        """The versions of these partitions; unfinished for those that are no longer alive.

        Of a customer's records the greatest counts: one that was refused at first, and produced
        again, may stand behind a newer one.

        Raises:
            KafkaException: they cannot be read now.
        """
        found: dict[int, Versions] = {partition: {} for partition in partitions}
        with PartitionReader(self._kafka) as reader:
            stretches = {p: reader.held(self._topic, p) for p in partitions}
            for message in reader.read(self._topic, stretches, alive):
                versions, key = found[message.partition() or 0], message.key() or b""
                value = message.value()
                if value is None:
                    versions.pop(key, None)
                else:
                    versions[key] = max(versions.get(key, 0), decode(value))
        return found


class Profiles:
    """The versions of one connection's partitions."""

    def __init__(
        self, topic: str, publisher: Publisher, progressed: Callable[[Delivery], None]
    ) -> None:
        """Take what it works with; `progressed` is told of each acknowledgement."""
        self._topic = topic
        self._publisher = publisher
        self._progressed = progressed
        self._versions: defaultdict[int, Versions] = defaultdict(dict)

    def install(self, partition: int, versions: Versions) -> None:
        """Take what was restored."""
        self._versions[partition] = versions

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self._versions.pop(partition, None)

    def age(self, partition: int, event: EnrichedEvent) -> int:
        """The event's profile beside the vendor's: negative older, 0 the same, positive newer."""
        known = self._versions[partition].get(_key(event))
        mine = packed(event.profile)
        return 1 if known is None else (mine > known) - (mine < known)

    def applied(self, delivery: Delivery, event: EnrichedEvent) -> None:
        """Note, here and in Kafka, that the vendor has the event's profile, if it is a newer one.

        The delivery is finished when the broker has acknowledged that.
        """
        if self.age(delivery.partition, event) <= 0:
            return
        key, version = _key(event), packed(event.profile)
        self._versions[delivery.partition][key] = version
        delivery.unacknowledged += 1

        def acknowledged(_: int) -> None:
            delivery.acknowledged()
            self._progressed(delivery)

        record = Outgoing(self._topic, key, encode(version), [], delivery.partition)
        self._publisher.publish(record, acknowledged)


def _key(event: EnrichedEvent) -> bytes:
    return customer_key(event.merchant, event.customer_id)
