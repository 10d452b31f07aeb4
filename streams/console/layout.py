"""What all pages have in common: the frame around them, and how trouble is shown."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from nicegui import ui

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.console.access import User
    from streams.console.asking import Trouble


class Room(NamedTuple):
    """A page of the menu."""

    path: str
    title: str
    icon: str


class Visit(NamedTuple):
    """Somebody who looks at a page.

    Attributes:
        user: who.
        room: path of the page in the menu.
        path: that they asked for.
        dark: what they chose; None: as their machine has it.
        signed_in: whether they gave a token, and may sign out.
    """

    user: User
    room: str
    path: str
    dark: bool | None
    signed_in: bool


ROOMS: Final = (
    Room("/flow", "Flow", "hub"),
    Room("/customer", "Customer", "person_search"),
    Room("/dead-letters", "Dead letters", "markunread_mailbox"),
    Room("/connections", "Connections", "cable"),
    Room("/replay", "Replay", "replay"),
)

COLORS: Final = {
    "primary": "#1d5fa8", "positive": "#2e7d32", "negative": "#c62828", "warning": "#b26a00",
    "info": "#1d5fa8", "dark_page": "#14181d", "dark": "#1d232b",
}  # fmt: skip

CSS: Final = """
body { overflow-x: hidden; font-family: system-ui, sans-serif }
.nicegui-content { padding: 0 }
.page { width: 100%; max-width: 1240px; margin: 0 auto; padding: 1rem; gap: 1rem;
        overflow-wrap: anywhere }
.scroll-box { max-width: 100%; overflow-x: auto }
.quiet { opacity: .72 }
.body--dark .text-primary, .body--dark .page a { color: #7db8f2 !important }
.mono { font-family: ui-monospace, monospace; font-size: .85rem }
.nav a { color: inherit; text-decoration: none; padding: .3rem .6rem; border-radius: .3rem }
.nav a:hover, .nav a[aria-current] { background: #ffffff2e }
:focus-visible { outline: 3px solid #4c9be8 !important; outline-offset: 2px }
.skip { position: absolute; left: -999px }
.skip:focus { left: .5rem; top: .5rem; z-index: 9999; background: #fff; padding: .3rem }
"""


STILL_HERE: Final = """<script>
setInterval(() => fetch("/here", {method: "POST"}).then(
  answer => { if (answer.status === 401) location.reload() },
  () => {},
), 60000)
</script>"""
"""An open page asks each minute whether its user is still let in; who is not, sees it no more."""


@contextmanager
def frame(visit: Visit) -> Iterator[None]:
    """The frame around a page: its head with the menu, and room for what is built within."""
    title = next(room.title for room in ROOMS if room.path == visit.room)
    ui.page_title(f"{title} · streams")
    ui.add_css(CSS)
    ui.add_body_html(STILL_HERE)
    ui.colors(**COLORS)
    ui.dark_mode(visit.dark)
    ui.link("To the page", "#page").classes("skip")
    with ui.header().classes("items-center q-py-xs no-wrap").props('aria-label="Console"'):
        with ui.element("nav").classes("nav gt-sm row items-center").props('aria-label="Pages"'):
            ui.label("streams").classes("text-bold q-mr-md")
            for room in ROOMS:
                current = "aria-current=page" if room.path == visit.room else ""
                ui.link(room.title, room.path).props(current)
        _menu_of_phones()
        ui.label(title).classes("lt-md text-bold ellipsis")
        ui.space()
        _theme(visit)
        _who(visit)
    with ui.element("div").classes("page column").props("id=page tabindex=-1"):
        yield


def _menu_of_phones() -> None:
    button = ui.button(icon="menu").props('flat color=white dense aria-label="Pages"')
    with button.classes("lt-md"), ui.menu():
        for room in ROOMS:
            item = ui.menu_item(room.title, lambda path=room.path: ui.navigate.to(path))
            item.props("role=menuitem")


def _theme(visit: Visit) -> None:
    """A switch that goes round: as the machine has it, dark, light."""
    now, then, icon = {
        None: ("as your machine", "dark", "brightness_auto"),
        True: ("dark", "light", "dark_mode"),
        False: ("light", "auto", "light_mode"),
    }[visit.dark]
    words = f"Colours: {now}; next: {then}"
    where = f"/theme/{then}?back={quote(visit.path)}"
    switch = ui.button(icon=icon, on_click=lambda: ui.navigate.to(where))
    switch.props(f'flat dense color=white aria-label="{words}"').tooltip(words)


def _who(visit: Visit) -> None:
    user = visit.user
    does = "may look and decide" if user.may_operate else "may look"
    with (
        ui.button(icon="account_circle").props(
            f'flat dense color=white aria-label="You: {user.role}"'
        ),
        ui.menu(),
        ui.column().classes("q-pa-md"),
    ):
        ui.label(user.name).classes("text-bold")
        ui.label(f"{user.role}: {does}").classes("quiet")
        if visit.signed_in:
            ui.link("Sign out", "/logout")


def heading(text: str, *, level: int = 1) -> ui.label:
    """A heading that screen readers find."""
    size = "text-h5" if level == 1 else "text-h6 q-mt-md"
    return ui.label(text).classes(size).props(f"role=heading aria-level={level}")


def show_trouble(trouble: Trouble) -> None:
    """Trouble, where the page's content would be."""
    with ui.card().classes("w-full").props("flat bordered role=alert"):
        with ui.row().classes("items-center no-wrap"):
            ui.icon("error_outline", size="md", color="negative")
            ui.label(trouble.problem).classes("text-subtitle1")
        if trouble.advice:
            ui.label(trouble.advice).classes("quiet")


class TroubleBar:
    """Trouble that comes and goes while a page stands; announced when it comes."""

    def __init__(self) -> None:
        self._told: Trouble | None = None
        self._card = ui.card().classes("w-full").props("flat bordered role=alert")
        with self._card, ui.row().classes("items-center no-wrap"):
            ui.icon("error_outline", size="md", color="negative")
            with ui.column().classes("gap-0"):
                self._problem = ui.label().classes("text-subtitle1")
                self._advice = ui.label().classes("quiet")
        self._card.set_visibility(False)

    def show(self, trouble: Trouble | None) -> None:
        """Show it, or that it is over."""
        if trouble == self._told:
            return
        self._told = trouble
        self._card.set_visibility(trouble is not None)
        self._problem.set_text("" if trouble is None else trouble.problem)
        self._advice.set_text("" if trouble is None else trouble.advice)
