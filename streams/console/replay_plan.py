"""A plan as the page shows it: counts, who would be messaged, how long, and what differs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from nicegui import ui

from streams.console.wording import moment, several

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.console.replay_sight import ReplayPlan

_PATHS: Final = 20
"""Field paths that are listed, at most."""
_SENT: Final = frozenset({"delivered", "delivered_no_trigger"})
_ROW: Final = 24


def show_plan(plan: ReplayPlan) -> None:
    """Build it where it is to stand."""
    asked = plan.asked
    title = f"Plan: {asked.mode} to {', '.join(asked.names)}"
    ui.label(title).classes("text-h6").props("role=heading aria-level=2")
    ui.label(f"made {moment(plan.made_at)}; good for ten minutes").classes("quiet")
    if asked.new_ids:
        ui.label(f"with new ids, label {asked.new_ids}")
    ui.label(f"{plan.number:,} {plan.what}.").classes("text-bold text-h6")
    for each, takes in zip(plan.plans, plan.takes, strict=True):
        _connection(each, takes, asked.mode)


def _connection(plan: Mapping[str, Any], takes: Sequence[str], mode: str) -> None:
    selected: Counter[str] = Counter(plan["deliveries"])
    concluded: Counter[str] = Counter(plan["concluded"])
    found = plan["modes"][mode]
    name = plan["connection"]
    whose = "" if plan["from"] == name else f" of {plan['from']}"
    ui.label(f"{name}: {several(selected.total(), 'delivery', 'deliveries')}{whose}").classes(
        "text-subtitle1 text-bold"
    )
    for text in takes:
        ui.label(text)
    for number, why in (
        (plan["erased"], "of erased customers"),
        (plan["unreadable"], "unreadable"),
        (plan["copies"], "the same once more, as redriven letters are"),
    ):
        if number:
            ui.label(f"left out: {number:,} {why}")
    if not selected:
        ui.label("Nothing matches: no delivery is meant.").props("role=status")
        return
    ui.label(_standing(plan, concluded))
    ui.label(f"{found['customers']:,} customers will be messaged")
    if found["ignored"]:
        ui.label(f"ignored by vendor, since it has their ids: {found['ignored']:,} (use new ids)")
    if found["again"]:
        ui.label(f"of ids that the vendor has, and sent again: {found['again']:,}")
    if found["left_out"]:
        ui.label(f"left out, since the same profile is sent: {found['left_out']:,}")
    rows = _rows(selected, concluded, found)
    with ui.row().classes("w-full items-start"):
        with (
            ui.element("figure")
            .classes("col-12 col-md q-ma-none")
            .props('role=img aria-label="Flows, data and not sent, by event type as in the table"')
        ):
            ui.echart(_chart(rows)).classes("w-full").style(f"height: {110 + _ROW * len(rows)}px")
        _table("Plan by event type", rows)
    with ui.expansion("What is expected of each part, and what would differ").classes("w-full"):
        _table(
            "Expected outcomes",
            [
                {"type": what[0], "part": what[1], "outcome": _outcome(what), "parts": what[4]}
                for what in found["parts"]
            ],
        )
        _differences(plan)


def _standing(plan: Mapping[str, Any], concluded: Counter[str]) -> str:
    had = ", ".join(f"{what} {n:,}" for what, n in plan["standing"].items())
    return f"{concluded.total():,} have a final outcome already{': ' if had else ''}{had}"


def _rows(
    selected: Counter[str], concluded: Counter[str], found: Mapping[str, Any]
) -> list[dict[str, Any]]:
    sent: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for kind, _, outcome, _, number in found["parts"]:
        (sent if outcome in _SENT else refused)[kind] += number
    starts: Counter[str] = Counter(found["starts"])
    return [
        {
            "event type": kind,
            "deliveries": selected[kind],
            "concluded": concluded[kind],
            "flows": starts[kind],
            "data": sent[kind] - starts[kind],
            "not sent": refused[kind],
        }
        for kind in sorted(selected)
    ]


def _outcome(what: Sequence[Any]) -> str:
    return f"{what[2]}: {what[3]}" if what[3] else str(what[2])


def _differences(plan: Mapping[str, Any]) -> None:
    if not plan["compared"]:
        ui.label("Nothing of it was sent, so nothing can be compared.")
        return
    told = f"{plan['different']:,} would be others now"
    ui.label(f"Of {plan['compared']:,} bodies that were sent, {told}.")
    rows = [
        {"part": part, "field": path, "change": change, "bodies": number}
        for part, path, change, number in plan["differences"][:_PATHS]
    ]
    if rows:
        _table("Differences", rows)
    more = len(plan["differences"]) - len(rows)
    if more > 0:
        ui.label(f"and {more:,} fields more")


def _table(name: str, rows: list[dict[str, Any]]) -> None:
    with ui.element("div").classes("scroll-box"):
        ui.table(
            columns=[
                {"name": each, "label": each, "field": each, "align": "left", "sortable": True}
                for each in (rows[0] if rows else ())
            ],
            rows=rows,
            pagination=15,
        ).props(f'flat dense bordered aria-label="{name}"')


def _chart(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    grey = {"color": "#8a94a0"}
    colors = {"flows": "#c62828", "data": "#1d5fa8", "not sent": "#8a94a0"}
    kinds = [row["event type"] for row in rows][::-1]
    return {
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "legend": {"top": 0, "textStyle": grey},
        "grid": {"left": 8, "right": 24, "top": 36, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1, "axisLabel": grey},
        "yAxis": {"type": "category", "data": kinds, "axisLabel": grey},
        "series": [
            {
                "name": name, "type": "bar", "stack": "all", "barMaxWidth": 16, "color": color,
                "data": [row[name] for row in rows][::-1],
            }
            for name, color in colors.items()
        ],
    }  # fmt: skip
