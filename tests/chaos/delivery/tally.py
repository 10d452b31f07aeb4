"""Rounds in words: a line each, and the table at the end. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.chaos.delivery.judge import Findings
from tests.chaos.session import by_kind

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
    return by_kind(outcomes, HEAD, _row)


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
