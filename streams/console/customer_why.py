"""Why did they not get it? A question of two choices, answered with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.layout import show_trouble

if TYPE_CHECKING:
    from streams.console.customer_sight import CustomerSight
    from streams.console.desks import Desks
    from streams.timeline.absence import Answer

_GOOD: Final = frozenset({"got_it", "data_only", "duplicate"})
_WAITS: Final = frozenset(
    {
        "trying", "paused", "waiting", "not_begun", "not_derived", "read_not_told", "unauthorized",
        "not_filled",
    }
)  # fmt: skip
_UNKNOWN: Final = "not_kept"


def why_card(desks: Desks, sight: CustomerSight) -> None:
    """The card that asks and answers."""
    with ui.card().classes("w-full").props("flat bordered"):
        ui.label("Why did they not get it?").classes("text-subtitle1").props(
            "role=heading aria-level=2"
        )
        if not sight.connections:
            ui.label("There are no connections.").classes("quiet")
            return
        with ui.row().classes("w-full items-center"):
            came = _came(sight)
            types = sorted({*sight.types, *came})
            likely = [each for each in came if each in sight.types] or types
            kind = ui.select(types, label="Event", value=likely[-1], with_input=True)
            kind.classes("col-grow").props("outlined dense").style("min-width: min(16rem, 100%)")
            where = ui.select(sight.connections, label="Connection", value=sight.connections[0])
            where.props("outlined dense").style("min-width: 10rem")
            button = ui.button("Ask", icon="help_outline")
        room = ui.column().classes("w-full gap-1").props("aria-live=polite")

        async def asked() -> None:
            button.props("loading")
            found = await ask(desks.customers.why_not, sight.token, kind.value, where.value)
            button.props(remove="loading")
            room.clear()
            with room:
                if isinstance(found, Trouble):
                    show_trouble(found)
                else:
                    _answer(found)

        button.on_click(asked)


def _answer(answer: Answer) -> None:
    icon, color = "block", "negative"
    if answer.verdict in _GOOD:
        icon, color = "check_circle", "positive"
    elif answer.verdict in _WAITS:
        icon, color = "schedule", "warning"
    elif answer.verdict == _UNKNOWN:
        icon, color = "help_outline", "info"
    with ui.row().classes("items-center no-wrap"):
        ui.icon(icon, size="sm", color=color)
        ui.label(f"{answer.text.rstrip('.')}.").classes("text-body1")
    for each in answer.evidence:
        ui.label(each).classes("mono quiet q-pl-lg")


def _came(sight: CustomerSight) -> list[str]:
    """The types of what was concluded of this customer, whoever takes them, the newest last."""
    return [line.type for chapter in sight.story.chapters for line in chapter.lines]
