"""Who was erased, as one connection knows it: what is older than that is concluded, never sent.

The fact `customer.erased` comes by the delivery topic, in order. From then on what stands before it
is `erased`, and so is what comes later by another way (the low lane, a redrive) and happened before
it. It is kept by partition in the connection's changelog, under a keyed hash, before anything else
is done about it; it stays there, since a replay may come at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.delivery.known import Erasure, encode_erasure, erased_key
from streams.delivery.pending import Conclusion
from streams.delivery.publisher import Outgoing
from streams.model.dead_letter import redriven_letter
from streams.model.delivery import Outcome
from streams.model.fact import CUSTOMER_ERASED, PROFILE_CHANGED
from streams.model.ids import customer_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from streams.delivery.known import Known
    from streams.delivery.outcomes import Outcomes
    from streams.delivery.pending import Delivery
    from streams.delivery.publisher import Publisher
    from streams.model.enriched import EnrichedEvent

_ERASED: Final = Conclusion(Outcome.ERASED)
_REPLAYED: Final = Conclusion(Outcome.FILTERED, "erased_before")
"""An erase is asked for once: whoever came back since is somebody new."""


class Erasures:
    """The erased customers of one connection's partitions."""

    def __init__(
        self,
        topic: str,
        publisher: Publisher,
        progressed: Callable[[Delivery], None],
        outcomes: Outcomes,
        hash_key: bytes,
    ) -> None:
        """Take what it works with.

        Args:
            topic: the connection's changelog.
            publisher: writes to it.
            progressed: told of each acknowledgement.
            outcomes: where conclusions are written.
            hash_key: of the hashes that stand for customers.
        """
        self._topic = topic
        self._publisher = publisher
        self._progressed = progressed
        self._outcomes = outcomes
        self._hash_key = hash_key
        self._known: dict[int, dict[str, Erasure]] = {}

    def install(self, partition: int, known: Known) -> None:
        """Take what was restored."""
        self._known[partition] = known.erased

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self._known.pop(partition, None)

    def note(self, delivery: Delivery, event: EnrichedEvent) -> bool:
        """Take the fact that a customer is erased; False: it is known, or older than what is.

        The delivery is finished when the broker has acknowledged that.
        """
        there = self._known.setdefault(delivery.partition, {})
        name = self._name(delivery)
        if name in there and there[name].at >= event.occurred_at:
            return False
        there[name] = Erasure(delivery.offset, event.occurred_at)
        record = Outgoing(
            self._topic, erased_key(name), encode_erasure(there[name]), [], delivery.partition
        )
        self._publisher.publish(record, delivery.awaiting(self._progressed))
        return True

    def covers(self, delivery: Delivery, event: EnrichedEvent) -> bool:
        """Whether a delivery is older than its customer's erase."""
        there = self._known.get(delivery.partition)
        if not there or event.type == CUSTOMER_ERASED:
            return False
        erasure = there.get(self._name(delivery))
        if erasure is None:
            return False
        if not delivery.low and delivery.offset < erasure.offset:
            return True
        elsewhere = delivery.low or redriven_letter(delivery.headers) is not None
        return elsewhere and event.occurred_at < erasure.at

    def concluded(self, delivery: Delivery, event: EnrichedEvent) -> bool:
        """Conclude what is left of a delivery that is not to be sent for an erase's sake.

        Whether it is that. The delivery has its event and id. No hash of what was rendered is kept.
        """
        again = delivery.low and event.type == CUSTOMER_ERASED
        if not again and not self.covers(delivery, event):
            return False
        names: list[str] = [step.name for step in delivery.steps]
        if not delivery.rendered:
            whole = delivery.scheduled or event.type == PROFILE_CHANGED
            name = "profile" if whole else "event"
            done = {each.part for each in delivery.recalled if each.delivery_id == delivery.id}
            names = [] if name in done else [name]
        delivery.steps.clear()
        delivery.rendered = True
        for name in names:
            self._outcomes.conclude(delivery, name, _REPLAYED if again else _ERASED)
        return True

    def _name(self, delivery: Delivery) -> str:
        return customer_hash(self._hash_key, delivery.key or b"")
