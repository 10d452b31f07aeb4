"""One connection as the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.wording import NOTHING, moment, several

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from streams.console.access import User
    from streams.console.connections_sight import ConnectionStanding, LimitSight

_COLORS: Final = {"good": "positive", "rests": "warning", "trouble": "negative"}
_FACTS: Final = (
    "Mode", "Waiting", "Last success", "Dead letters", "Workers", "Limits used", "Let in by name",
)  # fmt: skip


class ConnectionCard:
    """A card that is built once and shown anew."""

    def __init__(
        self,
        standing: ConnectionStanding,
        user: User,
        actions: Mapping[str, Callable[[], Awaitable[None]]],
    ) -> None:
        """Build it; `actions`: what the buttons do, by their words."""
        self._user = user
        self._facts: dict[str, ui.label] = {}
        self._limits: list[LimitSight] | str | None = ""
        name = standing.name
        with ui.card().classes("w-full").props(f'flat bordered role=region aria-label="{name}"'):
            with ui.row().classes("items-center w-full"):
                ui.label(name).classes("text-h6").props("role=heading aria-level=2")
                if standing.destination != name:
                    ui.label(standing.destination).classes("quiet")
                self._state = ui.badge().classes("q-pa-sm").style("white-space: normal")
            with ui.element("dl").classes("row q-gutter-md q-ma-none"):
                for fact in _FACTS:
                    with ui.element("div"):
                        with ui.element("dt").classes("quiet"):
                            ui.label(fact)
                        with ui.element("dd").classes("q-ma-none"):
                            self._facts[fact] = ui.label()
            with ui.expansion("Limits of its account").classes("w-full"):
                self._room = ui.column().classes("w-full gap-1")
            with ui.row():
                self._buttons = {
                    title: ui.button(
                        title if title == "Test" else f"{title} …", on_click=act, color=None
                    ).props(f'outline no-caps padding="xs sm" aria-label="{title} {name}"')
                    for title, act in actions.items()
                }

    def show(self, standing: ConnectionStanding) -> None:
        """Show how it stands now."""
        self._state.set_text(standing.state)
        self._state.props(f"color={_COLORS[standing.tone]}")
        told = {
            "Mode": _mode(standing),
            "Waiting": _lag(standing),
            "Last success": moment(standing.last_success) if standing.last_success else "none",
            "Dead letters": "…" if standing.dead_letters is None else f"{standing.dead_letters:,}",
            "Workers": f"{standing.workers:,}" if standing.workers else "none",
            "Limits used": _used(standing),
            "Let in by name": several(standing.allowlist, "customer"),
        }
        for fact, text in told.items():
            self._facts[fact].set_text(text)
        self._show_limits(standing)
        may = self._user.may_operate
        allowed = {
            "Pause": not standing.paused and not standing.off,
            "Resume": not standing.off,
            "Promote": not standing.off,
            "Reset": standing.promoted_by is not None,
            "Test": True,
        }
        for title, button in self._buttons.items():
            button.set_enabled(may and allowed[title])

    def _show_limits(self, standing: ConnectionStanding) -> None:
        now = standing.limits if standing.limits is not None else standing.limits_unknown
        if now == self._limits:
            return
        self._limits = now
        self._room.clear()
        with self._room:
            if isinstance(now, str):
                ui.label(f"Not known: {now}.").classes("quiet")
                return
            for each in now or ():
                ui.label(_limit(each))
                share = min(1.0, each.wanted / each.allowed)
                bar = ui.linear_progress(share, show_value=False)
                bar.props(
                    f'color={"warning" if each.held else "primary"} aria-label="{each.endpoint}"'
                )


def _used(standing: ConnectionStanding) -> str:
    """The limit that is nearest to its end."""
    if not standing.limits:
        return NOTHING
    most = max(standing.limits, key=lambda each: each.wanted / each.allowed)
    return f"{most.wanted / most.allowed:.0%} of {most.endpoint}" if most.wanted else "0%"


def _limit(each: LimitSight) -> str:
    held = "; the limit holds some back" if each.held else ""
    return f"{each.endpoint}: {each.wanted:,.1f} of {each.allowed:,.1f} requests/s{held}"


def _mode(standing: ConnectionStanding) -> str:
    if standing.promoted_by is None:
        return standing.mode
    return f"{standing.mode}, by {standing.promoted_by} (settings: {standing.setting})"


def _lag(standing: ConnectionStanding) -> str:
    if standing.lag is None:
        return "nobody has begun to read"
    return f"{'' if standing.lag_exact else 'about '}{standing.lag:,}"
