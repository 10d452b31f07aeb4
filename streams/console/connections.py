"""The page Connections: how each stands, and what is decided about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.connections_card import ConnectionCard
from streams.console.connections_promote import promote
from streams.console.connections_rest import pause, probe, reset, resume
from streams.console.layout import TroubleBar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from streams.console.access import User
    from streams.console.desks import Desks

    Decide = Callable[[Desks, User, str], Awaitable[Trouble | str | None]]
    """Has something decided about a connection: trouble, what was done, or None: nothing was."""

_EVERY_SECONDS: Final = 5.0
_ACTIONS: Final[dict[str, Decide]] = {
    "Pause": pause, "Resume": resume, "Promote": promote, "Reset": reset, "Test": probe,
}  # fmt: skip


async def connections_page(desks: Desks, user: User) -> None:
    """Build the page within the frame; what takes long is asked for once it is shown."""
    ui.label("Connections").classes("text-h5").props("role=heading aria-level=1")
    page = _Page(desks, user)
    ui.timer(0.05, page.look, once=True)
    ui.timer(_EVERY_SECONDS, page.look)


class _Page:
    def __init__(self, desks: Desks, user: User) -> None:
        self._desks, self._user = desks, user
        self._bar = TroubleBar()
        self._done = ui.label().classes("text-positive").props("role=status")
        self._busy = ui.linear_progress(show_value=False).props("indeterminate aria-label=Reading")
        self._none = ui.label("No connection is set up: add a table such as [connections.klaviyo].")
        self._none.set_visibility(False)
        self._room = ui.column().classes("w-full")
        self._cards: dict[str, ConnectionCard] = {}
        self._looking = False
        self._trouble: Trouble | None = None

    async def look(self) -> None:
        """Show how they stand now; what an action met stays to be read."""
        if self._looking:
            return
        self._looking = True
        try:
            found = await ask(self._desks.connections.look)
        finally:
            self._looking = False
        self._busy.set_visibility(False)
        if isinstance(found, Trouble):
            self._bar.show(found)
            return
        if found is None:  # the console ends
            return
        self._bar.show(self._trouble)
        self._none.set_visibility(not found)
        for each in found:
            if each.name not in self._cards:
                with self._room:
                    actions = {
                        title: self._acting(decide, each.name) for title, decide in _ACTIONS.items()
                    }
                    self._cards[each.name] = ConnectionCard(each, self._user, actions)
            self._cards[each.name].show(each)

    def _acting(self, decide: Decide, name: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            with self._room:
                found = await decide(self._desks, self._user, name)
            self._trouble = found if isinstance(found, Trouble) else None
            self._bar.show(self._trouble)
            self._done.set_text(found if isinstance(found, str) else "")
            await self.look()

        return act
