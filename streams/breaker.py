"""The breaker against draining: when many fail alike, the fault is ours, and the flow must stop.

A renderer that fails on everything, a wrong schema, a vendor that answers 400 to everything would
empty a topic into the dead letters. Both roles that give records up count them here (DESIGN §4.4):
derive by partition (`streams.engine.breakers`), deliver by connection (`streams.delivery.guard`).
Pure: time is given in. What was given up on before enough was seen to judge stays given up: it is
in the dead letters, for redrive.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = tuple[str, str | None]
"""What failures have in common when they are alike: the reason and the field named, if any."""

Failures = Counter[Kind]
"""How many failed, by kind."""

_SLOTS: Final = 60
_ROUNDING: Final = 1e-9
"""So that exactly the share, of whatever number, is not more than the share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When the flow stops (settings table `breaker`).

    Attributes:
        share: it stops when more than this share fail alike …
        at_least: … of at least so many …
        within: … in so many seconds.
        retry: seconds after which it is tried whether it works again.
    """

    share: float = 0.2
    at_least: int = 200
    within: float = 60.0
    retry: float = 30.0


DEFAULT_RULE: Final = Rule()


class Cause(NamedTuple):
    """Why a breaker is open: of so many records, so many failed alike."""

    kind: Kind
    failed: int
    records: int

    @property
    def text(self) -> str:
        """In words, without any record's data."""
        reason, name = self.kind
        alike = f"{reason} ({name})" if name else reason
        return f"{self.failed} of {self.records} failed alike: {alike}"


@dataclass(slots=True)
class _Slot:
    at: float
    records: int = 0
    failures: Failures = field(default_factory=Counter)


class Breaker:
    """Counts what was judged in a sliding window, to a sixtieth of its length.

    Attributes:
        rule: when it opens.
        cause: why it is open; None while it is closed.
    """

    def __init__(self, rule: Rule) -> None:
        """Start closed, nothing seen."""
        self.rule = rule
        self.cause: Cause | None = None
        self._slots: deque[_Slot] = deque()
        self._records = 0
        self._failures: Failures = Counter()

    def count(self, records: int, failures: Mapping[Kind, int], now: float) -> bool:
        """Count records that were judged together, and of them those that failed.

        Args:
            records: how many, the failed ones included.
            failures: the failed ones by kind.
            now: seconds of a clock that never goes back.

        Returns:
            Whether the breaker is closed still; `cause` says why not.
        """
        self._forget(now)
        slot = self._slot(now)
        slot.records += records
        self._records += records
        slot.failures.update(failures)
        self._failures.update(failures)
        if self.cause is None and self._records >= self.rule.at_least:
            self.cause = self._too_many(self._records, self._failures)
        return self.cause is None

    def retried(self, records: int, failures: Mapping[Kind, int], now: float) -> bool:
        """Judge an open breaker by a trial: it closes if not more than the share fail alike.

        However few the trial's records are, they are enough. Arguments and result are those of
        `count`.
        """
        cause = self._too_many(records, failures)
        if cause is not None:
            self.cause = cause
            return False
        self.close()
        return self.count(records, failures, now)

    def close(self) -> None:
        """Close, and forget what was counted."""
        self.cause = None
        self._slots.clear()
        self._records = 0
        self._failures.clear()

    def _too_many(self, records: int, failures: Mapping[Kind, int]) -> Cause | None:
        if not failures:
            return None
        kind, failed = max(failures.items(), key=lambda each: each[1])
        limit = self.rule.share * records + _ROUNDING
        return Cause(kind, failed, records) if failed > limit else None

    def _slot(self, now: float) -> _Slot:
        if not self._slots or now - self._slots[-1].at >= self.rule.within / _SLOTS:
            self._slots.append(_Slot(now))
        return self._slots[-1]

    def _forget(self, now: float) -> None:
        while self._slots and now - self._slots[0].at >= self.rule.within:
            old = self._slots.popleft()
            self._records -= old.records
            self._failures -= old.failures  # drops kinds of which none is left
