"""The heart of delivery: which request starts when, and what is done about its answer.

There is no loop here: each change that may let a request start (a record, an answer, a timer) asks
for one dispatch in the next turn of the event loop. A customer whose delivery waits for its next
attempt holds no slot, so it holds back nobody else. While the breaker is open (`guard`), one
delivery at a time may go, as a trial.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from streams.delivery.admission import Admission
from streams.delivery.alarm import Alarm
from streams.delivery.calls import Calls
from streams.delivery.erasing import Erasing
from streams.delivery.order import Customers, Ready, oldest
from streams.delivery.overdue import Overdue
from streams.delivery.pending import Conclusion
from streams.delivery.verdicts import Halt, Resend, Throttled, Wait, judge
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from streams.delivery.books import Books
    from streams.delivery.owner import Owner
    from streams.delivery.pace import Pace
    from streams.delivery.pending import Delivery, Step
    from streams.delivery.rendering import Renderer
    from streams.delivery.statistics import Statistics
    from streams.delivery.verdicts import Next
    from streams.model.delivery import Verdict

_AHEAD: Final = 4
"""Deliveries rendered and waiting for a slot, for each slot: enough that one endpoint's limit does
not hide what another endpoint could take, few enough to hold in memory."""

_CROWDS: Final = 2
"""Of the largest batch so many rendered ahead: one to go, one to gather."""

_RENDERED_A_TURN: Final = 16
"""Renderings between two turns of the event loop; answers must not wait for long."""


class Sender:
    """Sends one connection's deliveries. For one event loop, not used before it runs."""

    def __init__(
        self,
        owner: Owner,
        attempt: Callable[[Sequence[Step], str | None], Awaitable[Sequence[Verdict]]],
        pace: Pace,
        renderer: Renderer,
        books: Books,
        statistics: Statistics,
    ) -> None:
        """Take what it works with."""
        self._owner = owner
        self._concurrency = pace.concurrency
        self._batching = pace.batching
        self._ahead = max(_AHEAD * pace.concurrency, _CROWDS * pace.batching.largest)
        self._admission = Admission(pace)
        self._low = pace.low
        self._schedules = pace.schedule
        self._clock = pace.clock
        self._renderer = renderer
        self._books, self._guard = books, books.guard
        self._statistics = statistics
        self._customers = Customers()
        self._ready = Ready(pace.clock.monotonic)
        self._erasing = Erasing(self._customers, self._ready, renderer, books, owner)
        self._asked = False
        self._alarm = Alarm(self.wake, statistics)
        self._overdue = Overdue(pace.clock.monotonic, pace.request_seconds)
        self._calls = Calls(
            attempt, self._judged, books.guard.heard, owner, statistics, self._overdue
        )
        self._dispatched_at = 0.0
        self._guard.attach(self.wake)

    def offer(self, delivery: Delivery) -> None:
        """Take a delivery; it goes after its customer's earlier ones, which an erase concludes."""
        self._customers.add(delivery)
        self._erasing.meet(delivery)
        self.wake()

    def hold(self, partitions: Collection[int], deliveries: Iterable[Delivery]) -> None:
        """Begin nothing more for these partitions' deliveries; requests under way go on."""
        for delivery in deliveries:
            delivery.dropped = True
            if delivery.timer is not None:
                delivery.timer.cancel()
        self._customers.drop(partitions)
        for ready in self._ready:
            ready.sift()
        self.wake()

    def drop(self, partitions: Collection[int], deliveries: Iterable[Delivery]) -> None:
        """Forget these; a request under way is broken off, its delivery's next owner repeats it."""
        going = list(deliveries)
        self.hold(partitions, going)
        self._calls.leave(going)

    def renew(self) -> None:
        """Let what is rendered, and not under way, go by the renderer's gate as it is now."""
        for delivery in self._ready.empty():
            self._renderer.renew(delivery)
            self._go_on(delivery)
        self.wake()

    @property
    def low_room(self) -> int:
        """How many deliveries of the low lane to hold: half of what is rendered ahead."""
        return self._ahead // 2

    @property
    def stands_since(self) -> float | None:
        """Monotonic seconds since when a request is overdue, or else one could begin and does not.

        None: neither; a limit, the breaker or a pause may hold all back. From any thread.
        """
        statistics = self._statistics
        held = self._asked or self._alarm.is_set or self._guard.open or statistics.paused
        full = statistics.in_flight >= self._concurrency
        could = not held and not full and (len(self._customers.free) or len(self._ready))
        return self._overdue.since or (self._dispatched_at if could else None)

    def wake(self) -> None:
        """Look in the next turn of the loop whether anything may go."""
        if not self._asked:
            self._asked = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._asked = False
        self._dispatched_at = self._clock.monotonic()
        if self._statistics.paused is not None:
            return
        try:
            if not self._guard.open:
                self._render_some()
            self._alarm.set(self._try_out() if self._guard.open else self._start_some())
        except Exception as error:  # noqa: BLE001 - in a callback it would only be logged
            self._owner.failed(error)

    def _render_some(self) -> None:
        for _ in range(_RENDERED_A_TURN):
            if self._guard.open or len(self._ready) >= self._ahead:
                return
            delivery = self._customers.take()
            if delivery is None:
                return
            self._render(delivery)
        self.wake()

    def _render(self, delivery: Delivery) -> None:
        if self._renderer.render(delivery):
            if delivery.steps:
                first = delivery.steps[0]
                first.failures, first.under_attempt = delivery.resumed
            self._go_on(delivery)
        else:
            self._customers.put_back(delivery)

    def _start_some(self) -> float | None:
        """Start what may start; return the seconds until a limit lets more start, if it is that."""
        waits = []
        for queue in self._ready.oldest_first():
            while len(queue) and self._statistics.in_flight < self._concurrency:
                if queue.low and self._statistics.low_in_flight >= self._low.slots:
                    break
                wait = self._batching.unripe(queue) or self._admission.take(
                    queue.endpoint, low=queue.low
                )
                if wait > 0:
                    waits.append(wait)
                    break
                self._start(self._batching.take(queue))
        return min(waits, default=None)

    def _try_out(self) -> float | None:
        """Let the trial go, if there is one; return the seconds until a limit lets it, as above."""
        trial = self._trial()
        if trial is None or trial.task is not None:
            return None
        wait = self._admission.take(trial.steps[0].request.endpoint, low=trial.low)
        if wait > 0:
            return wait
        for ready in self._ready:
            ready.remove(trial)
        self._start([trial])
        return None

    def _trial(self) -> Delivery | None:
        """The delivery that may go although the breaker is open; rendered, with a step to send."""
        trial = self._guard.trial
        if trial is not None and (trial.dropped or not trial.steps):
            self._guard.pass_over()
            trial = None
        if trial is not None or not self._guard.due:
            return trial
        places = [self._customers.free, *self._ready]
        candidate = oldest(places, after=self._guard.tried)
        if candidate is not None:
            self._guard.begin(candidate)
            if not candidate.rendered:
                self._customers.free.remove(candidate)
                self._render(candidate)
            self.wake()
        return None

    def _start(self, deliveries: Sequence[Delivery]) -> None:
        going = [each for each in deliveries if not self._overtaken(each)]
        if going:
            low = going[0].low
            self._statistics.low_in_flight += low
            self._calls.start(going, partial(self._ended, low=low))

    def _ended(self, *, low: bool) -> None:
        self._statistics.low_in_flight -= low
        self.wake()

    def _overtaken(self, delivery: Delivery) -> bool:
        """Whether the customer's next delivery sets the same thing anew; if so it stands for both.

        Each sending of it would start the vendor's flows again.
        """
        step, behind = delivery.steps[0], self._customers.behind(delivery)
        if step.thing is None or step.name == "profile" or behind is None:
            return False  # profiles have versions, which say the same of them
        if self._renderer.thing_of(behind) != step.thing:
            return False
        self._books.conclude(delivery, step, Conclusion(Outcome.SUPERSEDED))
        self._go_on(delivery)
        self.wake()
        return True

    def _judged(self, delivery: Delivery, step: Step, verdict: Verdict | None) -> None:
        if verdict is None:
            self._go_on(delivery)
            return
        under_attempt = step.under_attempt
        following = judge(step, verdict, self._schedules, self._clock.random())
        if self._guard.down:
            step.under_attempt = under_attempt  # the vendor's own failure
        self._follow(delivery, step, following)

    def _follow(self, delivery: Delivery, step: Step, following: Next) -> None:
        if isinstance(following, Throttled):
            self._admission.throttled(step, following.after)
        else:
            self._admission.passed(step)
        match following:
            case Conclusion():
                self._books.conclude(delivery, step, following)
            case Resend(request, reason):
                step.repair(request, reason)
            case Wait(seconds, reason):
                self._books.outcomes.mention(delivery, step, Conclusion(Outcome.RETRYING, reason))
                self._guard.undecided(delivery)
                self._later(delivery, seconds)
                if step.under_attempt >= self._books.parking.after:
                    self._books.parking.park(self._customers.of(delivery))
                return
            case Halt(reason):
                self._halt(reason)
                refused = Conclusion(Outcome.UNAUTHORIZED, reason)
                self._books.outcomes.mention(delivery, step, refused)
            case Throttled():
                pass
        self._go_on(delivery)

    def _go_on(self, delivery: Delivery) -> None:
        """Queue the next request of a customer's head, or let the customer's next delivery go."""
        if delivery.steps and not self._erasing.overtakes(delivery):
            if not delivery.dropped:
                self._ready.push(delivery)
            return
        self._customers.conclude(delivery)
        self._owner.progressed(delivery)

    def _later(self, delivery: Delivery, seconds: float) -> None:
        if delivery.dropped:
            return

        def again() -> None:
            delivery.timer = None
            self._go_on(delivery)
            self.wake()

        wait = self._erasing.wait(delivery, seconds)
        delivery.timer = asyncio.get_running_loop().call_later(wait, again)

    def _halt(self, reason: str) -> None:
        if self._statistics.paused is None:
            self._statistics.paused = reason
            self._owner.halted(reason)
