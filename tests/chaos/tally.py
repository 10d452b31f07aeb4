"""Rounds in words: a line each, and the table at the end. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING

from tests.chaos.compare import EXACT

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
    counted = [each for each in outcomes if each.counts]
    by_kind: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in counted:
        by_kind[outcome.plan.kind].append(outcome)
    rows = [HEAD, *(_row(kind, by_kind[kind]) for kind in sorted(by_kind))]
    rows.append(_row("all", counted))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_aligned(row, widths) for row in rows]


def verdict(outcomes: Sequence[Outcome], asked: int) -> tuple[str, bool]:
    """The last line, and whether all is well: enough rounds counted, and each was exact."""
    counted = sum(each.counts for each in outcomes)
    bad = sum(not each.is_good for each in outcomes)
    good = counted >= asked and not bad
    told = (
        f"{counted} of {asked} rounds counted, {len(outcomes) - counted} met nothing, {bad} failed"
    )
    return told, good


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


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, figures to the right."""
    left = {0, 2}
    cells = [
        cell.ljust(width) if place in left else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
