"""The page Customer: found by what people know of them; then their story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.customer_story import StoryList
from streams.console.customer_why import why_card
from streams.console.layout import heading, show_trouble
from streams.replay.showing import masked_key, plain_key

if TYPE_CHECKING:
    from streams.console.access import User
    from streams.console.customer_sight import CustomerSight
    from streams.console.desks import Desks
    from streams.console.index import Found

NOBODY: Final = Trouble(
    "Nobody like that is known.",
    "Is it spelt as the shop has it? Customers are known as far back as the console's index goes"
    " (console.history), and while it is being filled not all of them are: Flow says how far it is."
    " `streams timeline` reads the topics themselves.",
)
GONE: Final = Trouble(
    "This address stands for nobody.",
    "The customer was erased, or the index was made anew with another key, or is being filled:"
    " search again.",
)


async def customer_page(desks: Desks, user: User, token: str | None) -> None:
    """Build the page; `token`: of a customer who was found."""
    heading("Customer")
    _Search(desks)
    if token is None:
        ui.label(
            "Every event that came of a customer, what was concluded from it and why, and what each"
            " destination was sent."
        ).classes("quiet")
        return
    room = ui.column().classes("w-full")
    with room:
        ui.spinner(size="lg")

    async def load() -> None:
        sight = await ask(desks.customers.told, token)
        room.clear()
        with room:
            if isinstance(sight, Trouble):
                show_trouble(sight)
            elif sight is None:
                show_trouble(GONE)
            else:
                _Customer(desks, user, sight)

    ui.timer(0.05, load, once=True)


class _Search:
    """The search: what is typed travels on the page's own socket, and stands in no address."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        with ui.row().classes("w-full items-center").props("role=search"):
            self._text = ui.input("E-mail, phone, MERCHANT:CUSTOMER or customer id")
            self._text.classes("col-grow").props("outlined dense autofocus autocomplete=off")
            self._text.style("min-width: min(22rem, 100%)")
            self._text.on("keydown.enter", self._search)
            self._button = ui.button("Search", icon="search", on_click=self._search)
        self._found = ui.column().classes("w-full").props("aria-live=polite")

    async def _search(self) -> None:
        text = (self._text.value or "").strip()
        if not text:
            return
        self._button.props("loading")
        found = await ask(self._desks.customers.find, text)
        self._button.props(remove="loading")
        self._found.clear()
        with self._found:
            if isinstance(found, Trouble):
                show_trouble(found)
            elif not found:
                show_trouble(NOBODY)
            elif len(found) == 1:
                ui.navigate.to(f"/customer/{found[0].token}")
            else:
                _several(found)


def _several(found: list[Found]) -> None:
    ui.label(f"{len(found)} customers are known so:")
    for each in found:
        ui.link(masked_key(each.key) or "", f"/customer/{each.token}")


class _Customer:
    """Somebody who was found: masked until it is asked for, which is written down."""

    def __init__(self, desks: Desks, user: User, sight: CustomerSight) -> None:
        self._desks, self._user, self._sight = desks, user, sight
        chapters = sight.story.chapters
        with ui.row().classes("w-full items-center"):
            ui.icon("person", size="md")
            self._name = ui.label(masked_key(sight.key) or "").classes("text-h6")
            ui.space()
            self._switch = ui.switch("Show personal data", on_change=self._shown)
            self._switch.tooltip("That you look is written on the audit topic")
        now = next((each.after for each in reversed(chapters) if each.after), None)
        first = f"; {len(chapters):,} records" if chapters else ""
        ui.label(f"{now or 'nothing is known of how they stand'}{first}").classes("quiet")
        why_card(desks, sight)
        heading("What came, and what became of it", level=2)
        self._list = StoryList(desks, sight)

    async def _shown(self, event: Any) -> None:
        unmasked = bool(event.value)
        if unmasked:
            told = await ask(self._desks.reveal.record, self._user, "customer", self._sight.key)
            if isinstance(told, Trouble):
                self._switch.set_value(False)
                ui.notify(f"Not shown, since it could not be written down. {told.problem}")
                return
        shown = plain_key(self._sight.key) if unmasked else masked_key(self._sight.key)
        self._name.set_text(shown or "")
        self._list.show(unmasked=unmasked)
