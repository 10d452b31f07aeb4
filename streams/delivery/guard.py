"""What holds a connection back: its breaker, and the circuit to the vendor (`circuit`).

The breaker opens when too many parts are given up on alike. While it is open, whatever would be
rejected stays unconcluded, so that no dead letter is written and no offset passes it; and now and
then one delivery may go as a trial. If the vendor accepts it (or it fails otherwise), all go on, in
order. Each trial takes another delivery: one that is truly
wrong must not keep the others from showing that the fault is mended. While the circuit is open, a
delivery is tried in the same way, until the vendor answers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from streams.breaker import Breaker
from streams.delivery.circuit import OF_ONE_RECORD, Circuit
from streams.delivery.gate import REHEARSED
from streams.model.delivery import Outcome, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.breaker import Kind, Rule
    from streams.delivery.clock import Clock
    from streams.delivery.owner import Owner
    from streams.delivery.pending import Conclusion, Delivery
    from streams.delivery.retry import Schedule
    from streams.model.delivery import Verdict

_GOOD = frozenset({Outcome.DELIVERED, Outcome.DELIVERED_NO_TRIGGER})


class Guard:
    """Judges one connection's conclusions. For one event loop, not used before it runs.

    Attributes:
        trial: the delivery that may go although the breaker is open, until it is judged.
        due: whether one may be chosen.
        tried: the sequence number of the last one chosen.
    """

    def __init__(self, rule: Rule, probes: Schedule, clock: Clock, owner: Owner) -> None:
        """Start closed; `probes`: how long to wait between tries while the circuit is open."""
        self._breaker = Breaker(rule)
        self._circuit = Circuit(probes)
        self._clock = clock
        self._owner = owner
        self._wake: Callable[[], None] = _nobody
        self._timer: asyncio.TimerHandle | None = None
        self.trial: Delivery | None = None
        self.due = False
        self.tried = 0

    def attach(self, wake: Callable[[], None]) -> None:
        """Take what is called when a trial is due, or all may go again."""
        self._wake = wake

    @property
    def open(self) -> bool:
        """Whether nothing may be sent but the trial."""
        return self._breaker.cause is not None or self.down

    @property
    def down(self) -> bool:
        """Whether the circuit to the vendor is open."""
        return self._circuit.reason is not None

    def heard(self, delivery: Delivery, verdict: Verdict) -> None:
        """Note what a call came to, before anything follows from it; opens or closes the circuit.

        A vendor that throttles, refuses or does not know us is there.
        """
        match verdict:
            case Retry(reason, throttled=False) if reason not in OF_ONE_RECORD:
                if self._circuit.failed(delivery.sequence, reason):
                    self._owner.cut_off(reason)
                    self._later()
            case _:
                if self._circuit.answered():
                    self._recovered()

    def passes(self, delivery: Delivery, conclusion: Conclusion) -> bool:
        """Whether a part may be concluded so; counts it, which may open or close the breaker.

        What was never judged (filtered, superseded, expired, …) always may.
        """
        if _is_good(conclusion):
            kind = None
        elif conclusion.outcome is Outcome.REJECTED:
            kind = conclusion.reason or "", conclusion.field
        else:
            return True
        cause = self._breaker.cause
        if cause is None:
            return self._count(kind) or kind is None
        if delivery is not self.trial:
            return kind is None
        if kind == cause.kind:
            self.undecided(delivery)
            return False
        self._close()
        return self._count(kind) or kind is None

    def begin(self, delivery: Delivery) -> None:
        """Let this delivery go as a trial."""
        self.trial, self.due, self.tried = delivery, False, delivery.sequence

    def undecided(self, delivery: Delivery) -> None:
        """If this delivery is the trial, it showed nothing good: another one later."""
        if delivery is self.trial:
            self.trial = None
            self._later()

    def pass_over(self) -> None:
        """The trial came to its end without being judged: another one now."""
        self.trial, self.due = None, True

    def forget(self) -> None:
        """Close: nothing is left that was judged."""
        if self._circuit.answered():
            self._owner.cut_off(None)
        if self._breaker.cause is not None:
            self._close()
        self._breaker.close()
        self._forget_trial()

    def _count(self, kind: Kind | None) -> bool:
        failures = {} if kind is None else {kind: 1}
        closed = self._breaker.count(1, failures, self._clock.monotonic())
        if self._breaker.cause is not None:
            self._owner.stopped(self._breaker.cause.text)
            self._later()
        return closed

    def _later(self) -> None:
        def trial_is_due() -> None:
            self._timer, self.due = None, True
            self._wake()

        if self._timer is not None:
            self._timer.cancel()
        random = self._clock.random()
        seconds = self._circuit.wait(random) if self.down else self._breaker.rule.retry
        self._timer = asyncio.get_running_loop().call_later(seconds, trial_is_due)

    def _recovered(self) -> None:
        if self._breaker.cause is None:
            self._forget_trial()
        self._owner.cut_off(None)
        self._wake()

    def _close(self) -> None:
        self._breaker.close()
        self._forget_trial()
        self._owner.stopped(None)
        self._wake()

    def _forget_trial(self) -> None:
        self.trial, self.due = None, False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _is_good(conclusion: Conclusion) -> bool:
    """Delivered, or rendered well enough to be, if the connection sent anything."""
    rehearsed = conclusion.outcome is Outcome.FILTERED and conclusion.reason in REHEARSED
    return rehearsed or conclusion.outcome in _GOOD


def _nobody() -> None:
    """Nobody is to be woken yet."""
