"""Profiles go again through the low lane: appended there, sent by deliver, by its limits and order.

Each record is one customer's `profile.changed`, marked `profile-only`, with the row's version: it
starts no flow anywhere, and is dropped where the vendor was told a newer one.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.model.replayed import Replayed
from streams.reconcile.telling import profile_event
from streams.replay.transaction import Appended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from streams.engine.job import Headers
    from streams.families import Family
    from streams.model.enriched import EnrichedEvent
    from streams.reconcile.telling import Customer
    from streams.replay.transaction import Transactions

AT_ONCE: Final = 1_000
"""Records of a transaction, at most."""


class Lane(NamedTuple):
    """Where profiles are appended, and how they are made.

    Attributes:
        topic: the connection's low lane.
        family: of the rows' table and its generation.
        encode: an enriched event.
        run: id of the action on the audit topic.
        bulk: whether they may go by the vendor's call for many.
    """

    topic: str
    family: Family[Any, Any, Any]
    encode: Callable[[EnrichedEvent], bytes]
    run: str
    bulk: bool = False

    def record(self, customer: Customer) -> Appended:
        """The record that has a customer's profile sent."""
        event = profile_event(customer, self.family)
        headers: Headers = [*Replayed("profile-only", self.run, bulk=self.bulk).headers]
        return Appended(self.topic, customer.key, self.encode(event), headers)


def append(transactions: Transactions, lane: Lane, customers: Iterable[Customer]) -> Iterator[int]:
    """Append these customers' profiles; yields how many are done, each time.

    Raises:
        TakenOver: another command has begun.
        KafkaException: the broker does not answer, or refuses.
    """
    left = iter(customers)
    while some := list(islice(left, AT_ONCE)):
        transactions.append(lane.record(each) for each in some)
        yield len(some)
