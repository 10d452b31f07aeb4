"""A connection's books: a part's conclusion passes the breaker, then it is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.delivery.pending import Conclusion
from streams.delivery.profiles import APPLIED
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from streams.delivery.guard import Guard
    from streams.delivery.outcomes import Outcomes
    from streams.delivery.pending import Delivery, Step
    from streams.delivery.profiles import Profiles


class Books(NamedTuple):
    """What is written down, and who judges it.

    Attributes:
        outcomes: and dead letters.
        profiles: that the vendor has.
        guard: the breaker.
    """

    outcomes: Outcomes
    profiles: Profiles
    guard: Guard

    def conclude(self, delivery: Delivery, step: Step, conclusion: Conclusion) -> None:
        """Conclude the part that was just tried, and take its step away.

        The step stays if the breaker holds the conclusion back: then it is to be tried again.
        """
        if not self.guard.passes(delivery, conclusion):
            held = Conclusion(Outcome.RETRYING, conclusion.reason, conclusion.field)
            self.outcomes.mention(delivery, step, held)
            return
        if step.carries_profile and conclusion.outcome in APPLIED and delivery.event is not None:
            self.profiles.applied(delivery, delivery.event)
        self.outcomes.conclude(delivery, step.name, conclusion, step)
        delivery.steps.popleft()
