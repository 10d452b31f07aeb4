"""Customers who are stuck for reasons of their own: their deliveries leave the topic's way.

A delivery that has failed for a minute, while the vendor works, goes to the connection's table, and
with it all that come after it for the customer. The offset passes them, so that they hold nobody
back and no restart reads long stretches again; they go on from the table, in order. What the table
cannot take any more waits in the topic, as if there were no table (DESIGN §4.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.delivery.known import Parked, encode_kept, parked_key
from streams.delivery.pending import Recalled
from streams.delivery.publisher import Outgoing
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from streams.delivery.pending import Delivery
    from streams.delivery.publisher import Publisher

_NOWHERE: Final = -1
"""The offset of an outcome that need not be read again."""

_Key = tuple[int, bytes | None]


class Parking:
    """One connection's parked deliveries. For one event loop.

    Attributes:
        after: seconds under attempt after which a delivery is parked.
    """

    def __init__(
        self,
        topic: str,
        publisher: Publisher,
        progressed: Callable[[Delivery], None],
        *,
        room: int,
        after: float,
    ) -> None:
        """Take what it works with.

        Args:
            topic: the connection's changelog.
            publisher: writes to it.
            progressed: told of each acknowledgement.
            room: bytes of parked deliveries, at most; they are held in memory too.
            after: see above.
        """
        self._topic = topic
        self._publisher = publisher
        self._progressed = progressed
        self._room = room
        self._size = 0
        self._there: dict[tuple[int, bool, int], Delivery] = {}
        self._customers: dict[_Key, int] = {}
        self._kept: dict[tuple[int, bool, int], tuple[int, float]] = {}
        self.after = after

    def holds(self, customer: _Key) -> bool:
        """Whether deliveries of this customer are parked: those that come now go there too."""
        return customer in self._customers

    def has(self, delivery: Delivery) -> bool:
        """Whether this record is parked already: by an earlier run, before its offset passed."""
        known = self._there.get((delivery.partition, *delivery.place))
        return known is not None and known is not delivery

    def park(self, deliveries: Iterable[Delivery]) -> None:
        """Park one customer's deliveries, in order, as far as there is room."""
        for delivery in deliveries:
            if delivery.parked or delivery.scheduled or delivery.dropped:
                continue
            if self._size + delivery.size > self._room:
                return
            self._add(delivery)
            self._keep(delivery)

    def resume(self, delivery: Delivery) -> None:
        """Take one that an earlier run parked."""
        self._add(delivery)

    def concluded(self, delivery: Delivery) -> bool:
        """Take a delivery out whose outcomes are acknowledged; whether it is out, in Kafka too."""
        if delivery.leaving:
            self._remove(delivery)
            return True
        delivery.leaving = True
        self._publish(delivery, None)
        return False

    def note(self, delivery: Delivery) -> None:
        """Write down anew what has become of one that stays: a part's outcome, its budget.

        Only once an outcome's record is acknowledged: it must not be the one that is lost.
        """
        parts, seconds = self._kept[delivery.partition, *delivery.place]
        spent = delivery.steps[0].under_attempt if delivery.steps else 0.0
        news = len(delivery.concluded) > parts or spent > 2 * max(seconds, self.after)
        if news and not delivery.leaving and delivery.unacknowledged == 0:
            delivery.first_outcome = None  # what it says stands here
            self._keep(delivery)

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for delivery in [each for each in self._there.values() if each.partition in partitions]:
            self._remove(delivery)

    def _add(self, delivery: Delivery) -> None:
        delivery.parked = True
        self._there[delivery.partition, *delivery.place] = delivery
        self._kept[delivery.partition, *delivery.place] = len(delivery.concluded), 0.0
        self._size += delivery.size
        customer = delivery.customer
        self._customers[customer] = self._customers.get(customer, 0) + 1

    def _remove(self, delivery: Delivery) -> None:
        del self._there[delivery.partition, *delivery.place]
        del self._kept[delivery.partition, *delivery.place]
        self._size -= delivery.size
        customer = delivery.customer
        left = self._customers.pop(customer) - 1
        if left:
            self._customers[customer] = left

    def _keep(self, delivery: Delivery) -> None:
        step = delivery.steps[0] if delivery.steps else None
        spent = step.under_attempt if step is not None else 0.0
        self._kept[delivery.partition, *delivery.place] = len(delivery.concluded), spent
        parked = Parked(
            low=delivery.low,
            offset=delivery.offset,
            timestamp=delivery.timestamp,
            key=delivery.key,
            value=delivery.value,
            headers=dict(delivery.headers),
            id=delivery.id,
            concluded={part: outcome.value for part, outcome in delivery.concluded.items()},
            failures=step.failures if step is not None else 0,
            under_attempt=spent,
        )
        self._publish(delivery, encode_kept(parked))

    def _publish(self, delivery: Delivery, value: bytes | None) -> None:
        record = Outgoing(self._topic, parked_key(delivery.place), value, [], delivery.partition)
        self._publisher.publish(record, delivery.awaiting(self._progressed))


def outcomes_of(parked: Parked) -> list[Recalled]:
    """The final outcomes that a parked delivery had already, as if they had been read back."""
    return [
        Recalled(parked.id, part, _NOWHERE, Outcome(what))
        for part, what in parked.concluded.items()
    ]
