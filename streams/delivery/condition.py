"""The condition that a connection is in, as its parts tell it and as others are shown it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from streams.delivery.statistics import Statistics
    from streams.engine.poller import Poller

log = logging.getLogger(__name__)


class Control(Protocol):
    """What keeps a connection to what is decided about it (`control.connections`)."""

    def start(self) -> None:
        """Bring the handler to what holds now, before it returns, and keep it there."""

    def stop(self) -> None:
        """Let it be."""


class Condition:
    """Keeps what holds one connection back, and says so in logs, health and metrics.

    Attributes:
        statistics: what the connection counts.
    """

    def __init__(self, name: str, statistics: Statistics) -> None:
        """Begin in a good condition, or `off`."""
        self.statistics = statistics
        self._name = name
        self._refusal: str | None = None
        self._stopped: str | None = None

    def attach(self, poller: Poller) -> None:
        """Take the lane's poller."""
        self._poller = poller
        self._count_breaker()

    def halted(self, reason: str) -> None:
        """Show that the connection is paused: the vendor refuses the credentials."""
        log.error("%s: paused, the vendor refuses the credentials: %s", self._name, reason)
        self.statistics.unauthorized = True
        self._show()

    def pause(self, reason: str) -> None:
        """Begin nothing more, until `resume`; what is under way goes on.

        The worker stays ready: somebody wants it so, and a new version or another machine must not
        wait for the day that they do not.
        """
        if self.statistics.paused != reason:
            log.warning("%s: paused: %s", self._name, reason)
            self.statistics.paused = reason
            self.statistics.unauthorized = False
            self._show()

    def resume(self) -> None:
        """Go on after a pause, whoever asked for it."""
        if self.statistics.paused is not None:
            log.info("%s: resumed", self._name)
            self.statistics.paused = None
            self.statistics.unauthorized = False
            self._show()

    def stopped(self, reason: str | None) -> None:
        """Show that the breaker has stopped the connection, or that it goes on."""
        if reason is not None:
            log.error("%s: stopped, too much is given up on: %s", self._name, reason)
        else:
            log.info("%s: the breaker is closed again", self._name)
        self._stopped = reason
        self._show()

    def cut_off(self, reason: str | None) -> None:
        """Count that the circuit is open, or closed again; the worker stays ready meanwhile.

        A restart would not help, and what waits is safe in its topic.
        """
        self.statistics.down = reason
        if reason is not None:
            self.statistics.openings += 1
            log.error("%s: the vendor fails, it is tried now and then: %s", self._name, reason)
        else:
            log.info("%s: the vendor has recovered", self._name)

    def failed(self, error: BaseException) -> None:
        """End the process."""
        self._poller.fail(error)

    def refused(self, reason: str | None) -> None:
        """Show that nothing can be finished: the broker refuses records."""
        self._refusal = reason
        self._show()

    def _show(self) -> None:
        refused = self.statistics.unauthorized
        reasons = [f"paused: {self.statistics.paused}"] if refused else []
        reasons += [f"stopped: {self._stopped}"] if self._stopped else []
        reasons += [self._refusal] if self._refusal else []
        self._poller.unready("; ".join(reasons) or None)
        self._count_breaker()

    def _count_breaker(self) -> None:
        self._poller.statistics.breakers = {"all": int(self._stopped is not None)}
