"""A connection's books: a part's conclusion passes the breaker, then it is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.delivery.pending import Conclusion
from streams.delivery.profiles import APPLIED
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from streams.delivery.erasures import Erasures
    from streams.delivery.guard import Guard
    from streams.delivery.known import Known
    from streams.delivery.outcomes import Outcomes
    from streams.delivery.parking import Parking
    from streams.delivery.pending import Delivery, Step
    from streams.delivery.profile_sync import ProfileSync
    from streams.delivery.profiles import Profiles
    from streams.delivery.things import SentThings
    from streams.model.enriched import EnrichedEvent


class Books(NamedTuple):
    """What is written down, and who judges it.

    Attributes:
        outcomes: and dead letters.
        profiles: that the vendor has.
        things: that it has, and that are not sent twice.
        sync: profiles that wait for their time.
        parking: customers who are stuck.
        guard: the breaker and the circuit.
        erasures: customers who were erased.
    """

    outcomes: Outcomes
    profiles: Profiles
    things: SentThings
    sync: ProfileSync
    parking: Parking
    guard: Guard
    erasures: Erasures

    def install(self, partition: int, epoch: int, known: Known) -> None:
        """Take what was restored of a partition."""
        self.profiles.install(partition, known)
        self.things.install(partition, known)
        self.sync.install(partition, epoch, known)
        self.erasures.install(partition, known)

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        self.profiles.drop(partitions)
        self.things.drop(partitions)
        self.sync.drop(partitions)
        self.parking.drop(partitions)
        self.erasures.drop(partitions)

    def forget(self, delivery: Delivery, event: EnrichedEvent) -> None:
        """Forget what the vendor has of the customer of an erase: its turn has come."""
        self.profiles.forget(delivery, event)
        self.things.forget(delivery, event)

    def conclude(self, delivery: Delivery, step: Step, conclusion: Conclusion) -> None:
        """Conclude the part that was just tried, and take its step away.

        The step stays if the breaker holds the conclusion back: then it is to be tried again.
        """
        if not self.guard.passes(delivery, conclusion):
            held = Conclusion(Outcome.RETRYING, conclusion.reason, conclusion.field)
            self.outcomes.mention(delivery, step, held)
            return
        if conclusion.outcome in APPLIED and delivery.event is not None:
            if step.carries_profile:
                self.profiles.applied(delivery, delivery.event)
            self.things.applied(delivery, delivery.event, step)
        self.outcomes.conclude(delivery, step.name, conclusion, step)
        delivery.concluded[step.name] = conclusion.outcome
        delivery.steps.popleft()
