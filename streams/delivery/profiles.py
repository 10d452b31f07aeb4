"""Which profile each customer has at the vendor: no replay may bring an older one back.

A row's profile has a version, (table generation, count). The last one that the vendor accepted is
kept by customer, in memory while a partition is owned, and in a compacted topic with the delivery
topic's partitions. It is written when the vendor has accepted a profile, and the offset waits for
it as it waits for outcomes. If the process dies between the two, the recalled outcome tells it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from streams.delivery.known import encode, packed
from streams.delivery.publisher import Outgoing
from streams.model.delivery import Outcome
from streams.model.ids import customer_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from streams.delivery.known import Known, Versions
    from streams.delivery.pending import Delivery
    from streams.delivery.publisher import Publisher
    from streams.model.enriched import EnrichedEvent, ProfileView

APPLIED: Final = frozenset({Outcome.DELIVERED, Outcome.DELIVERED_NO_TRIGGER})
"""Outcomes of a part whose profile the vendor has."""


def version_of(profile: ProfileView) -> int:
    """The profile's version as a number: greater is newer."""
    return packed(profile.generation, profile.version)


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

    def install(self, partition: int, known: Known) -> None:
        """Take what was restored."""
        self._versions[partition] = known.versions

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self._versions.pop(partition, None)

    def age(self, partition: int, event: EnrichedEvent) -> int:
        """The event's profile beside the vendor's: negative older, 0 the same, positive newer."""
        known = self._versions[partition].get(_key(event))
        mine = version_of(event.profile)
        return 1 if known is None else (mine > known) - (mine < known)

    def applied(self, delivery: Delivery, event: EnrichedEvent) -> None:
        """Note, here and in Kafka, that the vendor has the event's profile, if it is a newer one.

        The delivery is finished when the broker has acknowledged that.
        """
        if self.age(delivery.partition, event) <= 0:
            return
        key, version = _key(event), version_of(event.profile)
        self._versions[delivery.partition][key] = version
        record = Outgoing(self._topic, key, encode(version), [], delivery.partition)
        self._publisher.publish(record, delivery.awaiting(self._progressed))

    def forget(self, delivery: Delivery, event: EnrichedEvent) -> None:
        """Forget the customer of an erase, here and in Kafka: the next profile is the first."""
        key = _key(event)
        self._versions[delivery.partition].pop(key, None)
        record = Outgoing(self._topic, key, None, [], delivery.partition)
        self._publisher.publish(record, delivery.awaiting(self._progressed))


def _key(event: EnrichedEvent) -> bytes:
    return customer_key(event.merchant, event.customer_id)
