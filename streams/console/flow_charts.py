"""The charts of the page Flow: how fast topics grow, and what became of deliveries."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from nicegui import ui

from streams.console.layout import heading

if TYPE_CHECKING:
    from streams.console.polling import Poller
    from streams.console.sight import Sight

INK: Final = "#8a94a0"
"""Reads on dark and on light."""
COLOURS: Final = {
    "delivered": "#2e9e4f",
    "delivered_no_trigger": "#7cc68f",
    "duplicate": "#4c9be8",
    "filtered": "#a7b0ba",
    "superseded": "#8f7fd1",
    "retrying": "#e0a800",
    "unauthorized": "#e36f1e",
    "rejected": "#d9342b",
    "expired": "#b3587a",
    "erased": "#5d6670",
}
"""Outcome → its colour, in the order in which they are stacked."""
_LINES: Final = ("#4c9be8", "#2e9e4f", "#e0a800", "#d9342b", "#8f7fd1", "#18a5a5", "#e36f1e")


class RatesChart:
    """Records a second of each topic, over the last minutes."""

    def __init__(self) -> None:
        heading("How fast topics grow", level=2)
        ui.label("Offsets a second, so a transaction's marker counts as a record does.").classes(
            "quiet"
        )
        self._chart = _chart("Line chart: offsets a second of each topic, over the last minutes")

    def show(self, sight: Sight, poller: Poller) -> None:
        """Draw what was seen."""
        topics = [each.topic for each in sight.roles] + [each.topic for each in sight.connections]
        self._chart.options.update(
            _axes({"type": "time"}, [_line(topic, poller) for topic in topics])
        )
        self._chart.update()


class OutcomesChart:
    """Outcomes a minute in the last hour, of one connection or all."""

    def __init__(self) -> None:
        heading("What became of deliveries", level=2)
        self._sight: Sight | None = None
        self._choice = ui.select({"": "all connections"}, value="", label="Connection")
        self._choice.classes("w-64 max-w-full").props("outlined dense")
        self._choice.on_value_change(self._draw)
        self._chart = _chart("Stacked bars: outcomes a minute in the last hour, by outcome")
        self._sums = ui.label().classes("quiet")

    def show(self, sight: Sight, _: Poller) -> None:
        """Draw what is known."""
        self._sight = sight
        names = {"": "all connections"} | {each.name: each.name for each in sight.connections}
        if self._choice.options != names:
            self._choice.set_options(names)
        self._draw()

    def _draw(self) -> None:
        if self._sight is None:
            return
        chosen = self._choice.value
        counts: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        for each in self._sight.minutes:
            if not chosen or each.connection == chosen:
                counts[each.outcome][each.at] += each.count
        series = [
            {
                "name": outcome,
                "type": "bar",
                "stack": "all",
                "color": colour,
                "barMaxWidth": 14,
                "data": [[at, n] for at, n in sorted(counts[outcome].items())],
            }
            for outcome, colour in COLOURS.items()
            if outcome in counts
        ]
        end = int(self._sight.at * 1_000)
        self._chart.options.clear()
        self._chart.options.update(
            _axes({"type": "time", "min": end - 3_600_000, "max": end}, series)
        )
        self._chart.update()
        sums = ", ".join(f"{sum(counts[o].values()):,} {o}" for o in COLOURS if o in counts)
        self._sums.set_text(f"In the last hour: {sums or 'none'}.")


def _chart(label: str) -> ui.echart:
    chart = ui.echart({}).classes("w-full h-64")
    chart.props(f'role=img aria-label="{label}"')
    return chart


def _line(topic: str, poller: Poller) -> dict[str, Any]:
    points = [[round(at * 1_000), round(rate, 1)] for at, rate in poller.moving.rates(topic)]
    return {"name": topic, "type": "line", "showSymbol": False, "data": points}


def _axes(x: dict[str, Any], series: list[dict[str, Any]]) -> dict[str, Any]:
    label = {"color": INK, "hideOverlap": True}
    return {
        "animation": False,
        "color": list(_LINES),
        "textStyle": {"color": INK},
        "tooltip": {"trigger": "axis", "confine": True},
        "legend": {"type": "scroll", "textStyle": label, "top": 0},
        "grid": {"left": 48, "right": 16, "top": 36, "bottom": 28},
        "xAxis": x | {"axisLabel": label},
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": label,
            "splitLine": {"lineStyle": {"color": "#8883"}},
        },
        "series": series,
    }
