"""Rounds in words: a line each, and the table at the end. Pure."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from tests.chaos.delivery.judge import Findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.delivery.round import Outcome

HEAD = (
    "fault", "rounds", "in flight", "deliveries", "lost", "reordered", "unexpected", "repeated",
    "repeated of in flight", "late of zombies", "first delivery", "others' p95",
)  # fmt: skip


def line(outcome: Outcome) -> str:
    """One round in one line; what went wrong, in lines behind it."""
    found, told = outcome.findings, [f"{outcome.plan.number:>3} {outcome.plan.title}"]
    told.append(f"met {outcome.met} in flight" if outcome.met else "met nothing: not counted")
    if outcome.first is not None:
        told.append(f"delivers again after {outcome.first:.1f} s")
    if outcome.slowed is not None:
        before, during = outcome.slowed
        told.append(f"the other's p95 {before:.2f} -> {during:.2f} s")
    if found is not None:
        told.append(
            f"{found.deliveries:,} deliveries, {found.excused} repeated of those in flight, "
            f"{found.late} late of a zombie: {'good' if found.is_good else _wrong(found)}"
        )
    told[-1] += f" ({outcome.seconds:.0f} s)"
    told += [f"note: {note}" for note in outcome.notes]
    behind = [f"    FAILED: {wrong}" for wrong in outcome.wrong]
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
    """The last line, and whether all is well: enough rounds counted, and each was good."""
    counted = sum(each.counts for each in outcomes)
    bad = sum(not each.is_good for each in outcomes)
    told = (
        f"{counted} of {asked} rounds counted, {len(outcomes) - counted} met nothing, {bad} failed"
    )
    return told, counted >= asked and not bad


def _wrong(found: Findings) -> str:
    counts = {
        "lost": found.lost,
        "reordered": found.reordered,
        "unexpected": found.unexpected,
        "repeated without a fault": found.repeated,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _row(kind: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    total = sum((each.findings for each in outcomes if each.findings is not None), Findings())
    ratios = [each.slowed.ratio for each in outcomes if each.slowed is not None]
    return (
        kind,
        str(len(outcomes)),
        str(sum(each.met for each in outcomes)),
        f"{total.deliveries:,}",
        str(total.lost),
        str(total.reordered),
        str(total.unexpected),
        str(total.repeated),
        str(total.excused),
        str(total.late),
        _spread([each.first for each in outcomes if each.first is not None], "{:.1f}", " s"),
        _spread(ratios, "x {:.2f}", ""),
    )


def _spread(values: Sequence[float], form: str, unit: str) -> str:
    """Median and maximum."""
    if not values:
        return "-"
    return f"{form.format(median(values))} / {form.format(max(values))}{unit}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, figures to the right."""
    first, *others = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()
