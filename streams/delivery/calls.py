"""The calls to the vendor that are under way: each carries one delivery's next record, or several.

A delivery that is dropped takes no notice of its call any more. The call itself is broken off only
if nobody is left who waits for it: the others' records may have landed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from streams.delivery.batching import parted
from streams.model.delivery import Retry
from streams.model.trace import trace_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from streams.delivery.overdue import Overdue
    from streams.delivery.owner import Owner
    from streams.delivery.pending import Delivery, Step
    from streams.delivery.statistics import Statistics
    from streams.model.delivery import Verdict


class Calls:
    """One connection's calls. For one event loop."""

    def __init__(
        self,
        attempt: Callable[[Sequence[Step], str | None], Awaitable[Sequence[Verdict]]],
        follow: Callable[[Delivery, Step, Verdict | None], None],
        heard: Callable[[Delivery, Verdict], None],
        owner: Owner,
        statistics: Statistics,
        overdue: Overdue,
    ) -> None:
        """Take what it works with.

        Args:
            attempt: makes a call with these records, in this trace; their verdicts, in order.
            follow: does what follows from a record's verdict; None: it is to be sent again, in the
                company that its step says.
            heard: told first of what each call came to, for one of its deliveries.
            owner: told of progress, and of failures of our own.
            statistics: where calls are counted.
            overdue: told when each begins and ends.
        """
        self._attempt = attempt
        self._follow = follow
        self._heard = heard
        self._owner = owner
        self._statistics = statistics
        self._overdue = overdue
        self._carried: dict[asyncio.Task[None], Sequence[Delivery]] = {}
        self._companies = 0

    def start(self, deliveries: Sequence[Delivery], ended: Callable[[], None]) -> None:
        """Send the next records of these deliveries in one call; `ended` is called after it."""
        self._statistics.in_flight += 1

        def done(task: asyncio.Task[None]) -> None:  # also when it was cancelled before it began
            self._statistics.in_flight -= 1
            self._carried.pop(task, None)
            self._overdue.end(task)
            for delivery in deliveries:
                if delivery.task is task:  # the next attempt may have begun already
                    delivery.task = None
            ended()
            for delivery in deliveries:
                self._owner.progressed(delivery)

        task = asyncio.get_running_loop().create_task(self._try(deliveries))
        for delivery in deliveries:
            delivery.task = task
        self._carried[task] = deliveries
        self._overdue.begin(task)
        task.add_done_callback(done)

    def leave(self, deliveries: Iterable[Delivery]) -> None:
        """Forget that these wait for a call; one that nobody waits for is broken off."""
        left = [each for each in deliveries if each.task is not None]
        tasks = {each.task for each in left if each.task is not None}
        for delivery in left:
            delivery.task = None
        for task in tasks:
            if all(each.task is not task for each in self._carried.get(task, ())):
                task.cancel()

    async def _try(self, deliveries: Sequence[Delivery]) -> None:
        task = asyncio.current_task()
        steps = [each.steps[0] for each in deliveries]
        trace = trace_of(deliveries[0].headers) if len(deliveries) == 1 else None  # else of many
        try:
            found = await self._attempt(steps, trace)
            self._heard(deliveries[0], min(found, key=lambda each: isinstance(each, Retry)))
            verdicts: list[Verdict | None] = list(found)
            for places in parted(found, again=steps[0].company > 0):
                self._companies += 1
                for place in places:
                    steps[place].company, verdicts[place] = self._companies, None
            for delivery, step, verdict in zip(deliveries, steps, verdicts, strict=True):
                if delivery.task is task:
                    self._follow(delivery, step, verdict)
        except Exception as error:  # noqa: BLE001 - nobody awaits this task
            self._owner.failed(error)
