"""Whether the vendor works at all: the circuit opens when calls for anybody fail in a row.

One customer's delivery that fails again and again says nothing of the vendor (it is parked after a
while); several different ones in a row, or a vendor that cannot be reached, do. An open circuit
lets one waiting delivery through now and then; the first answer that is none of a sick vendor's
closes it. Time in which it is open counts against nobody's budget (DESIGN §7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from streams.delivery.retry import Schedule

IN_A_ROW: Final = 5
"""Failures without any other answer between them, of so many different deliveries."""

UNANSWERED: Final = frozenset({"unreachable", "timeout", "connection_broken"})
"""Failures without an answer: so many in a row are enough, of however few deliveries."""

OF_ONE_RECORD: Final = frozenset({"locked", "too_early", "spared"})
"""Failures that say something of a record only: the vendor works."""


class Circuit:
    """One connection's circuit. For one event loop; pure but for what it remembers.

    Attributes:
        reason: of the last failure, while the circuit is open; None: it is closed.
        openings: how often it opened.
    """

    def __init__(self, probes: Schedule) -> None:
        """Start closed; `probes`: how long to wait for the next try while it is open."""
        self._probes = probes
        self._failed: set[int] = set()
        self._unanswered = 0
        self._tries = 0
        self.reason: str | None = None
        self.openings = 0

    def failed(self, delivery: int, reason: str) -> bool:
        """Note a call that failed, of a delivery by its number; whether the circuit opens now."""
        if self.reason is not None:
            self._tries += 1
            self.reason = reason
            return False
        if len(self._failed) < IN_A_ROW:
            self._failed.add(delivery)
        self._unanswered = self._unanswered + 1 if reason in UNANSWERED else 0
        if max(len(self._failed), self._unanswered) < IN_A_ROW:
            return False
        self.reason, self._tries = reason, 1
        self.openings += 1
        return True

    def answered(self) -> bool:
        """Note any other answer; whether the circuit closes now."""
        was_open = self.reason is not None
        self.reason = None
        self._failed.clear()
        self._unanswered = 0
        return was_open

    def wait(self, random: float) -> float:
        """Seconds until the next try; `random` in [0, 1)."""
        return self._probes.backoff(self._tries, (1.0 + random) / 2)
