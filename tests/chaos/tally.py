"""Rounds in words: a line each, and the table at the end. Pure."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from tests.chaos.compare import EXACT
from tests.chaos.session import by_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.chaos.round import Outcome

HEAD = (
    "fault", "rounds", "met", "events", "lost", "duplicated", "reordered", "unexpected", "rows",
    "first commit", "all partitions",
)  # fmt: skip


def line(outcome: Outcome) -> str:
    """One round in one line; what went wrong, in lines behind it."""
    found, title = outcome.findings, f"{outcome.plan.number:>3} {outcome.plan.title}"
    met = ", ".join(outcome.phases) or "nothing: not counted"
    told = [f"{title}: met {met}"]
    if outcome.resumed is not None:
        told.append(f"commits again after {outcome.resumed.first:.1f} s, "
                    f"everywhere {outcome.resumed.whole:.1f} s")  # fmt: skip
    if found is not None:
        told.append(
            f"{found.events:,} events, {found.outputs:,} outputs ({found.letters} dead letters), "
            f"{found.rows:,} rows: {'exact' if found.is_exact else found.difference}"
        )
    told[-1] += f" ({outcome.seconds:.0f} s)"
    told += [f"note: {note}" for note in outcome.notes]
    behind = [f"    FAILED: {fault}" for fault in outcome.faults]
    behind += [f"    {sample}" for sample in (found.samples if found is not None else [])]
    return "\n".join(["; ".join(told), *behind])


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """The table of the rounds that count, a line each: by fault, and all together."""
    return by_kind(outcomes, HEAD, _row, words=(0, 2))


def _row(kind: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    found = [each.findings for each in outcomes if each.findings is not None]
    total = sum((each.difference for each in found), EXACT)
    resumed = [each.resumed for each in outcomes if each.resumed is not None]
    return (
        kind,
        str(len(outcomes)),
        _phases(outcomes),
        f"{sum(each.events for each in found):,}",
        str(total.lost),
        str(total.duplicated),
        str(total.reordered),
        str(total.unexpected),
        str(sum(each.wrong_rows for each in found)),
        _seconds([each.first for each in resumed]),
        _seconds([each.whole for each in resumed]),
    )


def _phases(outcomes: Iterable[Outcome]) -> str:
    met = Counter(phase for outcome in outcomes for phase in outcome.phases)
    return " ".join(f"{phase} {count}" for phase, count in met.most_common())


def _seconds(values: Sequence[float]) -> str:
    """Median and maximum."""
    return f"{median(values):.1f} / {max(values):.1f} s" if values else "-"
