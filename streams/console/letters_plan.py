"""What a redrive or purge would do, in counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from streams.console.dialogs import warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.console.letters_sight import LettersPlan


def show_plan(plan: LettersPlan) -> None:
    """Build it where it is to stand."""
    if plan.going:
        _table("What goes", ("letters", "by", "goes to", "reason", "event type"), [
            (f"{n:,}", of, to or "nowhere", reason, type_)
            for (of, to, reason, type_), n in plan.going
        ])  # fmt: skip
    if plan.left_out:
        ui.label("Left out:").classes("text-bold")
        rows = [(f"{n:,}", of, why) for (of, why), n in plan.left_out]
        _table("Left out", ("letters", "by", "why"), rows)
    for name, mode in plan.silent.items():
        warn(f"{name} is in mode {mode}: letters that go there are not sent, and stay marked.")


def _table(name: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with ui.element("div").classes("scroll-box w-full"):
        ui.table(
            columns=[
                {"name": head, "label": head, "field": head, "align": "left"} for head in heads
            ],
            rows=[dict(zip(heads, row, strict=True)) for row in rows],
            pagination=8,
        ).props(f'flat dense wrap-cells aria-label="{name}"')
