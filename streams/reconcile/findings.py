"""What a reconciliation found: customers, fields, reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streams.reconcile.comparing import Difference
    from streams.reconcile.reasons import Reason, Why


class Drift(NamedTuple):
    """One customer who differs: where, and why."""

    key: bytes
    differences: tuple[Difference, ...]
    why: Why


@dataclass(slots=True)
class Findings:
    """All of it.

    Attributes:
        rows: that were read.
        compared: customers whose both sides were seen.
        elsewhere: rows of merchants who are not asked about here.
        unaddressed: rows of whom nothing can be told or asked: no good identifier.
        erased: rows of people who were erased.
        unreadable: rows of another version's making.
        settled: customers who differed at the first look and agreed at the second.
        drifts: customers who differ.
    """

    rows: int = 0
    compared: int = 0
    elsewhere: int = 0
    unaddressed: int = 0
    erased: int = 0
    unreadable: int = 0
    settled: int = 0
    drifts: list[Drift] = field(default_factory=list)

    @property
    def fields(self) -> int:
        """Fields that differ."""
        return sum(len(each.differences) for each in self.drifts)

    @property
    def reasons(self) -> Counter[Reason]:
        """Customers by reason."""
        return Counter(each.why.reason for each in self.drifts)
