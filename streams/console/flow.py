"""The page Flow: sources → derive → delivery topics → connections → vendors, as they are now."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.flow_charts import OutcomesChart, RatesChart
from streams.console.layout import TroubleBar, heading

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.console.polling import Poller
    from streams.console.sight import ConnectionSight, RoleSight, Sight, Tone
    from streams.control.standing import Lag

CSS: Final = """
.flow { display: grid; grid-template-columns: minmax(170px, 1fr) minmax(170px, 1fr) 4fr;
        gap: 2.2rem; align-items: center; width: 100% }
.flow-column, .flow-lanes { display: grid; gap: .8rem; position: relative }
.flow-lane { display: grid; grid-template-columns: 3fr 4fr 2fr; gap: 2.2rem; position: relative }
.flow-card { position: relative; border: 1px solid #8885; border-left: 5px solid #8a94a0;
             border-radius: .4rem; padding: .5rem .7rem; display: grid; gap: .1rem;
             align-content: center; min-width: 0; overflow-wrap: break-word }
.flow-good { border-left-color: #2e9e4f } .flow-rests { border-left-color: #b98a00 }
.flow-trouble { border-left-color: #d9342b }
.flow-next::after { content: "→"; position: absolute; right: -1.75rem; top: 50%;
                    transform: translateY(-50%); font-size: 1.3rem; opacity: .55 }
.flow-number { font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums }
@media (max-width: 900px) {
  .flow, .flow-lane { grid-template-columns: 1fr; gap: 1.6rem }
  .flow-next::after { content: "↓"; right: auto; left: 50%; top: auto; bottom: -1.6rem;
                      transform: none }
  .flow-lane { padding: .8rem; border: 1px dashed #8886; border-radius: .5rem }
}
"""

_CLASSES: Final = {"good": "flow-good", "rests": "flow-rests", "trouble": "flow-trouble"}
_TICK_SECONDS: Final = 1.0


async def flow_page(poller: Poller) -> None:
    """Build the page; it follows what the poller sees."""
    ui.add_css(CSS)
    heading("Flow")
    bar = TroubleBar()
    waits = ui.row().classes("items-center")
    with waits:
        ui.spinner(size="sm")
        ui.label("Kafka is asked …")
    room = ui.column().classes("w-full")
    shown: list[_Picture] = []
    seen: list[Sight] = []

    def follow() -> None:
        poller.watch()
        bar.show(poller.trouble)
        sight = poller.sight
        waits.set_visibility(sight is None and poller.trouble is None)
        if sight is None or (seen and seen[-1] is sight):
            return
        seen[:] = [sight]
        if not shown:
            with room:
                shown.append(_Picture(sight))
        shown[0].show(sight, poller)

    follow()
    ui.timer(_TICK_SECONDS, follow)


class _Picture:
    """The picture, built once; what changes is written into it."""

    def __init__(self, sight: Sight) -> None:
        self._updates: list[Callable[[Sight, Poller], None]] = []
        with ui.element("section").classes("flow").props('aria-label="Topology"'):
            with ui.element("div").classes("flow-column"):
                for number, role in enumerate(sight.roles):
                    self._source(number, role)
            with ui.element("div").classes("flow-column"):
                self._derive(sight)
            with ui.element("div").classes("flow-lanes"):
                for number, each in enumerate(sight.connections):
                    self._lane(number, each)
                if not sight.connections:
                    ui.label("No connection is set up: add a table such as [connections.klaviyo].")
        self._index = ui.label().classes("quiet")
        self._updates.append(self._show_index)
        rates, outcomes = RatesChart(), OutcomesChart()
        self._updates += [rates.show, outcomes.show]

    def show(self, sight: Sight, poller: Poller) -> None:
        """Show a newer sight."""
        for update in self._updates:
            update(sight, poller)

    def _show_index(self, now: Sight, _: Poller) -> None:
        self._index.set_text(_index_text(now))

    def _source(self, number: int, role: RoleSight) -> None:
        with _card("good", next_=True):
            ui.label(role.source if role.role == "derive" else f"{role.source}, to {role.role}")
            rate = ui.label().classes("flow-number")
            _topic(role.topic)
            waits = ui.label() if role.role != "derive" else None

        def update(now: Sight, poller: Poller) -> None:
            rate.set_text(_rate_text(poller.moving.rate(role.topic)))
            if waits is not None:
                waits.set_text(f"waits: {_lag_text(now.roles[number].lag)}")

        self._updates.append(update)

    def _derive(self, sight: Sight) -> None:
        rows = []
        with _card("good", next_=True) as card:
            ui.label("derive").classes("text-bold")
            workers = ui.label()
            for number, role in enumerate(sight.roles):
                if role.role == "derive":
                    ui.label(role.source).classes("quiet")
                    rows.append((number, ui.label(), ui.label()))

        def update(now: Sight, _: Poller) -> None:
            for number, waits, letters in rows:
                role = now.roles[number]
                waits.set_text(f"waits: {_lag_text(role.lag)}")
                letters.set_text(_letters_text(role.dead_letters))
            running = all(now.roles[number].workers for number, _, _ in rows)
            workers.set_text("" if running else "no worker runs")
            _recolour(card, "good" if running else "trouble")

        self._updates.append(update)

    def _lane(self, number: int, each: ConnectionSight) -> None:
        with ui.element("section").classes("flow-lane").props(f'aria-label="{each.name}"'):
            with _card("good", next_=True):
                ui.label("deliveries")
                rate = ui.label().classes("flow-number")
                _topic(each.topic)
                low = ui.label().classes("quiet")
            with _card(each.tone, next_=True) as card:
                ui.link(each.name, "/connections").classes("text-bold")
                mode, state, waits, letters = (ui.label() for _ in range(4))
            with _card("good"):
                ui.label(each.destination).classes("text-bold")
                lately = ui.label().classes("flow-number")
                ui.label("outcomes in the last 5 minutes").classes("quiet")

        def update(now: Sight, poller: Poller) -> None:
            one = now.connections[number]
            rate.set_text(_rate_text(poller.moving.rate(one.topic)))
            again = poller.moving.rate(one.low) or 0.0
            low.set_text(f"replays {_rate_text(again)}" if again else "")
            _recolour(card, one.tone)
            mode.set_text(f"mode: {one.mode}")
            state.set_text(one.state)
            waits.set_text(f"waits: {_lag_text(one.lag)}")
            letters.set_text(_letters_text(one.dead_letters))
            since = (now.at - 300) * 1_000
            count = sum(m.count for m in now.minutes if m.connection == one.name and m.at >= since)
            lately.set_text(f"{count:,}")

        self._updates.append(update)


def _card(tone: Tone, *, next_: bool = False) -> ui.element:
    return ui.element("div").classes(f"flow-card {_CLASSES[tone]} {'flow-next' if next_ else ''}")


def _topic(name: str) -> None:
    """A topic's name, which may be broken behind its dots."""
    shown = ".<wbr>".join(map(escape, name.split(".")))
    ui.html(shown, sanitize=False).classes("mono quiet")


def _recolour(card: ui.element, tone: Tone) -> None:
    card.classes(add=_CLASSES[tone], remove=" ".join(set(_CLASSES.values()) - {_CLASSES[tone]}))


def _rate_text(rate: float | None) -> str:
    if rate is None:
        return "…"
    return f"{rate:,.0f}/s" if rate >= 10 or rate == 0 else f"{rate:.1f}/s"


def _lag_text(lag: Lag) -> str:
    if lag.records is None:
        return "nobody has begun to read"
    return f"{lag.records:,}" if lag.exact else f"about {lag.records:,}"


def _letters_text(letters: int | None) -> str:
    if letters is None:
        return "dead letters: …"
    return f"dead letters: {letters:,}" if letters else "no dead letters"


def _index_text(sight: Sight) -> str:
    index = sight.indexed
    size = f"{index.bytes / (1 << 20):,.1f} MiB"
    if index.to_go is None:
        return f"The console's index ({size}) has not heard of Kafka yet."
    if index.to_go:
        return (
            f"The console's index ({size}) has {index.to_go:,} records to go:"
            " what is newer is missing here."
        )
    return f"The console's index ({size}) holds all that the topics do."
