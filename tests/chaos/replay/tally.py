"""Rounds in words: a line each, and the table at the end. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.session import by_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.replay.round import Outcome

HEAD = (
    "replay", "rounds", "deliveries", "parts", "flows planned", "flows started", "unintended",
    "plan off, worst", "flows off, worst",
)  # fmt: skip


def line(outcome: Outcome) -> str:
    """One round in one line; what went wrong, in lines behind it."""
    told = (
        f"{outcome.plan.number:>4} {outcome.plan.kind}: {outcome.deliveries:,} deliveries,"
        f" {outcome.started:,} of {outcome.planned:,} flows, {outcome.unintended} unintended,"
        f" plan off by {outcome.deviation:.1%}, sent in {outcome.hours[1]:.1f} s of"
        f" {outcome.hours[0]:.1f} s planned ({outcome.seconds:.1f} s)"
    )
    return "\n".join([told, *(f"    FAILED: {each}" for each in outcome.wrong)])


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each mode and vendor, and all together."""
    return by_kind(outcomes, HEAD, _row)


def _row(kind: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    return (
        kind,
        str(len(outcomes)),
        f"{sum(each.deliveries for each in outcomes):,}",
        f"{sum(each.parts for each in outcomes):,}",
        f"{sum(each.planned for each in outcomes):,}",
        f"{sum(each.started for each in outcomes):,}",
        str(sum(each.unintended for each in outcomes)),
        f"{max((each.deviation for each in outcomes), default=0):.1%}",
        f"{max((each.off for each in outcomes), default=0):.1%}",
    )
