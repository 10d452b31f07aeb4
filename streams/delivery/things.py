"""Things that start flows again whenever they are sent: each is sent once, as it is then.

An order in a status fires its own event at a vendor that upserts it. What was last sent of each is
kept by customer, as a digest: the same once more is not sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.delivery.known import Things, encode_kept, things_key
from streams.delivery.publisher import Outgoing
from streams.model.ids import customer_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from streams.delivery.known import Known
    from streams.delivery.pending import Delivery, Step
    from streams.delivery.publisher import Publisher
    from streams.model.delivery import Part
    from streams.model.enriched import EnrichedEvent

_KEPT: Final = 16
"""Things of a customer that are remembered: more than are ever open at a time."""


class SentThings:
    """What one connection's partitions sent of each thing."""

    def __init__(
        self, topic: str, publisher: Publisher, progressed: Callable[[Delivery], None]
    ) -> None:
        """Take what it works with; `progressed` is told of each acknowledgement."""
        self._topic = topic
        self._publisher = publisher
        self._progressed = progressed
        self._sent: dict[int, dict[bytes, Things]] = {}

    def install(self, partition: int, known: Known) -> None:
        """Take what was restored."""
        self._sent[partition] = known.things

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self._sent.pop(partition, None)

    def unchanged(self, partition: int, event: EnrichedEvent, part: Part) -> bool:
        """Whether the vendor has a part's thing as it is; what is asked for is kept longest."""
        if part.thing is None:
            return False
        sent = self._sent.get(partition, {}).get(customer_key(event.merchant, event.customer_id))
        if sent is None or sent.digests.get(part.thing) != part.substance:
            return False
        sent.digests[part.thing] = sent.digests.pop(part.thing)
        return True

    def applied(self, delivery: Delivery, event: EnrichedEvent, step: Step) -> None:
        """Note, here and in Kafka, that the vendor has a step's thing.

        The delivery is finished when the broker has acknowledged that.
        """
        if step.thing is None:
            return
        key = customer_key(event.merchant, event.customer_id)
        sent = self._sent.setdefault(delivery.partition, {}).setdefault(key, Things(0))
        sent.offset = delivery.offset
        sent.digests.pop(step.thing, None)
        sent.digests[step.thing] = step.substance
        while len(sent.digests) > _KEPT:
            del sent.digests[next(iter(sent.digests))]
        value = encode_kept(sent)
        record = Outgoing(self._topic, things_key(key), value, [], delivery.partition)
        self._publisher.publish(record, delivery.awaiting(self._progressed))

    def forget(self, delivery: Delivery, event: EnrichedEvent) -> None:
        """Forget the customer of an erase, here and in Kafka."""
        key = customer_key(event.merchant, event.customer_id)
        self._sent.get(delivery.partition, {}).pop(key, None)
        record = Outgoing(self._topic, things_key(key), None, [], delivery.partition)
        self._publisher.publish(record, delivery.awaiting(self._progressed))
