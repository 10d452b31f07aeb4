"""The page Dead letters: what was given up on, looked at, appended again, or let go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.confirmation import Confirmation
from streams.console.layout import TroubleBar
from streams.console.letters_list import LetterList
from streams.console.letters_one import show_letter
from streams.console.letters_plan import show_plan
from streams.console.letters_sight import LettersAsked
from streams.console.wording import several
from streams.console.works_list import WorksList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.console.access import User
    from streams.console.desks import Desks
    from streams.console.letters_sight import LetterRow, LettersPlan, LettersSight
    from streams.console.working import Work

_NOTHING_GOES: Final = "Nothing of it can go."


async def letters_page(desks: Desks, user: User) -> None:
    """Build the page within the frame; what takes long is asked for once it is shown."""
    ui.label("Dead letters").classes("text-h5").props("role=heading aria-level=1")
    ui.label("Records and deliveries that were given up on, with their bytes, until settled.")
    page = _Page(desks, user)
    ui.timer(0.05, page.look, once=True)


class _Page:
    def __init__(self, desks: Desks, user: User) -> None:
        self._desks, self._user = desks, user
        self._sight: LettersSight | None = None
        self._form = _Form(desks.letters.places())
        self._form.button.on_click(self.look)
        self._bar = TroubleBar()
        self._busy = ui.linear_progress(show_value=False).props("indeterminate aria-label=Reading")
        with ui.row().classes("items-center") as self._actions:
            self._redrive = ui.button("Redrive …", on_click=self.redrive)
            self._purge = ui.button("Purge …", on_click=self.purge, color=None).props("outline")
            self._again = ui.checkbox("also what is under way")
            self._meant = ui.label()
        WorksList("Redrives and purges of this console", desks.letters.works, self._ended)
        self._list = LetterList(self.show_one, self._say_meant)
        self._actions.set_visibility(False)
        if not user.may_operate:
            for each in (self._redrive, self._purge, self._again):
                each.disable()
            with self._actions:
                ui.label("You may look; redriving needs the role operate.").classes("quiet")

    async def look(self) -> None:
        self._busy.set_visibility(True)
        found = await ask(self._desks.letters.look, self._form.asked)
        self._busy.set_visibility(False)
        if isinstance(found, Trouble):
            self._bar.show(found)
            return
        self._bar.show(None)
        self._sight = found
        self._form.learn(found)
        self._list.show(found)
        self._actions.set_visibility(bool(found.ids))
        self._say_meant()

    async def show_one(self, row: LetterRow) -> None:
        await show_letter(self._desks, self._user, row)

    async def redrive(self) -> None:
        again = bool(self._again.value)
        plan = await self._planned("redrive", again=again)
        if plan is None:
            return
        confirmation = Confirmation(
            "Redrive dead letters",
            plan.number,
            f"{'letter goes' if plan.number == 1 else 'letters go'} back to where they came from",
            "Redrive",
        )
        if await self._confirmed(confirmation, plan):
            self._begun(await ask(self._desks.letters.redrive, self._user, plan.ids, again=again))

    async def purge(self) -> None:
        plan = await self._planned("purge", again=False)
        if plan is None:
            return
        confirmation = Confirmation(
            "Purge dead letters",
            plan.number,
            f"{'letter is' if plan.number == 1 else 'letters are'} gone for good, and nothing else"
            " is done about them",
            "Purge",
        )
        if await self._confirmed(confirmation, plan):
            self._begun(await ask(self._desks.letters.purge, self._user, plan.ids))

    async def _planned(self, verb: str, *, again: bool) -> LettersPlan | None:
        """The dry run; None: there is nothing to confirm, and that was said."""
        ids, desk = self._ids(), self._desks.letters
        self._busy.set_visibility(True)
        if verb == "purge":
            found = await ask(desk.purge_plan, ids)
        else:
            found = await ask(desk.redrive_plan, ids, again=again)
        self._busy.set_visibility(False)
        if isinstance(found, Trouble):
            self._bar.show(found)
            return None
        self._bar.show(None)
        if not found.number:
            with ui.dialog(value=True), ui.card():
                ui.label(_NOTHING_GOES).classes("text-h6").props("role=alert")
                show_plan(found)
            return None
        return found

    async def _confirmed(self, confirmation: Confirmation, plan: LettersPlan) -> bool:
        with confirmation.details():
            show_plan(plan)
        return await confirmation.given()

    def _begun(self, found: Work | Trouble) -> None:
        self._bar.show(found if isinstance(found, Trouble) else None)

    async def _ended(self, _: Work) -> None:
        await self.look()

    def _ids(self) -> frozenset[str]:
        ticked = self._list.ticked
        return ticked or (self._sight.ids if self._sight is not None else frozenset())

    def _say_meant(self) -> None:
        ticked = len(self._list.ticked)
        every = len(self._sight.ids) if self._sight is not None else 0
        self._meant.set_text(
            f"{ticked:,} ticked" if ticked else f"all {several(every, 'letter')} of this filter"
        )


class _Form:
    """Which letters are meant."""

    def __init__(self, places: Sequence[str]) -> None:
        with (
            ui.element("section")
            .classes("row items-end q-gutter-sm w-full")
            .props('aria-label="Filter"')
        ):
            self._of = _several("Source or connection", list(places))
            self._reasons = _several("Reason", [])
            self._types = _several("Event type", [])
            self._customer = ui.input("Customer", placeholder="MERCHANT:ID")
            self._since = ui.input("Since", placeholder="24h, or 2026-10-01T12:00:00Z")
            self._until = ui.input("Until", placeholder="1h, or a time with its zone")
            for each in (self._customer, self._since, self._until):
                each.props("dense autocomplete=off").style("min-width: 11rem")
            self.button = ui.button("Show", icon="filter_list")

    @property
    def asked(self) -> LettersAsked:
        return LettersAsked(
            of=tuple(self._of.value or ()),
            reasons=tuple(self._reasons.value or ()),
            types=tuple(self._types.value or ()),
            customer=self._customer.value or "",
            since=self._since.value or "",
            until=self._until.value or "",
        )

    def learn(self, sight: LettersSight) -> None:
        """Offer what there is, beside what was offered before."""
        for field, place in ((self._reasons, 1), (self._types, 2)):
            known = set(field.options) | {kind[place] for kind, _ in sight.counts}
            if known != set(field.options):
                field.set_options(sorted(known), value=field.value)


def _several(label: str, options: list[str]) -> ui.select:
    field = ui.select(options, label=label, multiple=True, clearable=True)
    return field.props("dense use-chips options-dense").style("min-width: 11rem")
