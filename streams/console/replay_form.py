"""The form of a replay: what, to whom, how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.replay_sight import ReplayAsked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MODES: Final = {
    "fill": "fill: as data that starts no flow",
    "profile-only": "profile-only: nothing but profiles",
    "trigger": "trigger: as if it came for the first time; customers are messaged",
}
_OWN: Final = "each its own"


class ReplayForm:
    """What somebody asks for.

    Attributes:
        button: makes the plan.
    """

    def __init__(self, connections: Mapping[str, Sequence[str]]) -> None:
        """Build it; `connections`: with the event types that each takes."""
        names = list(connections)
        types = sorted({each for takes in connections.values() for each in takes})
        with ui.card().classes("w-full").props('flat bordered role=form aria-label="New plan"'):
            with ui.row().classes("w-full items-end"):
                only = names if len(names) == 1 else []
                self._names = _field(ui.select(names, label="To", multiple=True, value=only))
                sources = {"": _OWN, **{name: name for name in names}}
                self._source = _field(ui.select(sources, label="Whose deliveries", value=""))
                self._since = _field(ui.input("Since", placeholder="24h, or a time with its zone"))
                self._until = _field(ui.input("Until", placeholder="1h, or a time with its zone"))
            with ui.row().classes("w-full items-end"):
                self._types = _field(ui.select(types, label="Event types", multiple=True))
                self._types.props("use-chips clearable")
                self._merchants = _field(ui.input("Merchants", placeholder="with blanks between"))
                self._customers = _field(ui.input("Customers", placeholder="MERCHANT:ID …"))
                self._new_ids = _field(ui.input("New ids", placeholder="a label; empty: ids stay"))
            ui.label("Mode").classes("text-bold")
            self._mode = ui.radio(_MODES, value="fill").props('aria-label="Mode"')
            self.button = ui.button("Make the plan", icon="fact_check")
            ui.label("Making a plan changes nothing.").classes("quiet")

    @property
    def asked(self) -> ReplayAsked:
        """What the form says now."""
        return ReplayAsked(
            names=tuple(self._names.value or ()),
            mode=self._mode.value,
            source=self._source.value or "",
            since=self._since.value or "",
            until=self._until.value or "",
            types=tuple(self._types.value or ()),
            merchants=tuple((self._merchants.value or "").split()),
            customers=tuple((self._customers.value or "").split()),
            new_ids=self._new_ids.value or "",
        )


def _field(field: ui.select | ui.input) -> ui.select | ui.input:
    field.props("dense autocomplete=off").style("min-width: 13rem")
    return field
