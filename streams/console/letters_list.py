"""Dead letters in counts, as a chart and a table, and in rows that can be ticked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from nicegui import events, ui

from streams.console.wording import NOTHING, moment, several
from streams.replay.letters import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from streams.console.letters_sight import LetterRow, LettersSight

_COLORS: Final = (
    "#3b82d0", "#d98324", "#2f9e77", "#a45fd0", "#cf4b4b", "#17a2b8", "#b59a1c", "#c2569a",
)  # fmt: skip
"""Of event types in the chart, on a light page and on a dark one; all further types are grey."""
_REST: Final = "#8a94a0"
_ROW: Final = 26
"""Pixels of a bar and the gap after it."""


class LetterList:
    """The letters that are meant."""

    def __init__(
        self, look: Callable[[LetterRow], Awaitable[None]], ticked: Callable[[], None]
    ) -> None:
        """Build it empty; `look`: somebody wants to see one; `ticked`: others are ticked now."""
        self._rows: dict[str, LetterRow] = {}
        self._look, self._say = look, ticked
        self._summary = ui.label().classes("text-subtitle1").props("role=status")
        self._unreadable = ui.label().classes("text-negative")
        with ui.row().classes("w-full items-start") as self._counts:
            with (
                ui.element("figure")
                .classes("col-12 col-md q-ma-none")
                .props('role=img aria-label="By reason and event type, as in the table"')
            ):
                self._chart = ui.echart({}).classes("w-full")
            with ui.element("div").classes("scroll-box"):
                self._kinds = ui.table(
                    columns=_columns(
                        ("of", "given up by"), ("reason", "reason"), ("type", "event type"),
                        ("count", "letters"),
                    ),
                    rows=[], pagination=10,
                ).props('flat bordered dense aria-label="Counts"')  # fmt: skip
        with ui.element("div").classes("scroll-box w-full"):
            self._table = ui.table(
                columns=_columns(
                    ("look", ""), ("written", "given up"), ("of", "by"), ("reason", "reason"),
                    ("field", "field"), ("type", "event type"), ("customer", "customer"),
                    ("status", "HTTP"), ("under_way", ""),
                ),
                rows=[], row_key="id", selection="multiple", pagination=25,
                on_select=lambda _: ticked(),
            ).props('flat bordered dense aria-label="Letters"')  # fmt: skip
        self._table.add_slot(
            "body-cell-look",
            '<q-td :props="props"><q-btn dense flat no-caps label="Look"'
            " :aria-label=\"'Look at letter ' + props.row.id\""
            " @click=\"() => $parent.$emit('look', props.row.id)\" /></q-td>",
        )
        self._table.on("look", self._looked)
        self._show_tables(any_=False)

    @property
    def ticked(self) -> frozenset[str]:
        """Ids of the letters that are ticked."""
        return frozenset(each["id"] for each in self._table.selected)

    def show(self, sight: LettersSight) -> None:
        """Show these; what was ticked and is gone is not ticked any more."""
        count = len(sight.ids)
        oldest = f", the oldest of {moment(sight.oldest)}" if count else ""
        more = f"; the newest {len(sight.rows):,} are listed" if len(sight.rows) < count else ""
        none = "No dead letters match."
        self._summary.set_text(f"{several(count, 'dead letter')}{oldest}{more}" if count else none)
        told = ", ".join(f"{topic}: {n:,}" for topic, n in sight.unreadable.items())
        self._unreadable.set_text(f"Records that are no dead letters: {told}" if told else "")
        self._rows = {each.id: each for each in sight.rows}
        self._kinds.rows = [
            {"id": f"{of} {reason} {type_}", "of": of, "reason": reason, "type": type_, "count": n}
            for (of, reason, type_), n in sight.counts
        ]
        self._table.rows = [_row(each) for each in sight.rows]
        known = {each.id for each in sight.rows}
        self._table.selected = [each for each in self._table.selected if each["id"] in known]
        self._chart.options.clear()
        self._chart.options.update(_chart(sight))
        reasons = len({reason for (_, reason, _), _ in sight.counts})
        self._chart.style(f"height: {130 + _ROW * reasons}px")
        for each in (self._kinds, self._table, self._chart):
            each.update()
        self._show_tables(any_=bool(count))

    def _show_tables(self, *, any_: bool) -> None:
        self._counts.set_visibility(any_)
        self._table.set_visibility(any_)

    async def _looked(self, event: events.GenericEventArguments) -> None:
        row = self._rows.get(str(event.args))
        if row is not None:
            await self._look(row)


def _columns(*named: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "label": label, "field": name, "align": "left", "sortable": bool(label)}
        for name, label in named
    ]


def _row(each: LetterRow) -> dict[str, Any]:
    again = each.redriven_at
    return {
        "id": each.id,
        "look": "",
        "written": moment(each.written_at),
        "of": each.of,
        "reason": each.reason,
        "field": each.field or NOTHING,
        "type": each.type,
        "customer": each.customer or NOTHING,
        "status": each.status or NOTHING,
        "under_way": "" if again is None else f"redriven {moment(again)}",
    }


def _chart(sight: LettersSight) -> dict[str, Any]:
    """A bar for each reason, in it a piece for each event type."""
    by: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for (_, reason, type_), n in sight.counts:
        by[reason, type_] += n
        reasons[reason] += n
        types[type_] += n
    shown = [name for name, _ in types.most_common(len(_COLORS))]
    rows = [name for name, _ in reasons.most_common()][::-1]
    series = [
        _series(name, color, [by[reason, name] for reason in rows])
        for name, color in zip(shown, _COLORS, strict=False)
    ]
    rest = [reasons[reason] - sum(by[reason, name] for name in shown) for reason in rows]
    if any(rest):
        series.append(_series("others", _REST, rest))
    grey = {"color": _REST}
    return {
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "legend": {"type": "scroll", "top": 0, "textStyle": grey},
        "grid": {"left": 8, "right": 24, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1, "axisLabel": grey},
        "yAxis": {"type": "category", "data": rows, "axisLabel": grey},
        "series": series,
    }


def _series(name: str, color: str, data: list[int]) -> dict[str, Any]:
    told = "type unknown" if name == UNKNOWN else name
    bar = {"type": "bar", "stack": "all", "barMaxWidth": 18}
    return {"name": told, "color": color, "data": data, **bar}
