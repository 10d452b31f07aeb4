"""The page Replay: a plan made, read, run and watched; and what came of earlier runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.confirmation import Confirmation
from streams.console.layout import TroubleBar
from streams.console.replay_form import ReplayForm
from streams.console.replay_plan import show_plan
from streams.console.replay_runs import RunsList
from streams.console.replay_sight import ReplayPlan
from streams.console.works_list import WorksList

if TYPE_CHECKING:
    from streams.console.access import User
    from streams.console.desks import Desks
    from streams.console.working import Work

_LEFT: Final = (
    "What stops is the appending: deliveries that are in the low lane already are sent. To hold"
    " them back, pause the connection."
)


async def replay_page(desks: Desks, user: User) -> None:
    """Build the page within the frame; what takes long is asked for once it is shown."""
    ui.label("Replay").classes("text-h5").props("role=heading aria-level=1")
    ui.label("Deliveries of the last 14 days sent again, with the consequences known first.")
    page = _Page(desks, user)
    ui.timer(0.05, page.runs.look, once=True)


class _Page:
    def __init__(self, desks: Desks, user: User) -> None:
        self._desks, self._user = desks, user
        self._bar = TroubleBar()
        self._form = ReplayForm(desks.replay.connections())
        self._form.button.on_click(self.plan)
        self._room = ui.column().classes("w-full")
        stop = self._stop if user.may_operate else None
        title = "Under way, and done since the console started"
        WorksList(title, desks.replay.works, self._ended, stop)
        ui.label(_LEFT).classes("quiet")
        self.runs = RunsList(desks, user, self._bar)
        self._waited: str | None = None
        planned = [each for each in desks.replay.works() if isinstance(each.result, ReplayPlan)]
        if planned:  # of a tab that was closed, perhaps
            self._show(planned[0].result)

    async def plan(self) -> None:
        """Begin to make the plan of the form."""
        found = await ask(self._desks.replay.plan, self._user, self._form.asked)
        if isinstance(found, Trouble):
            self._bar.show(found)
            return
        self._bar.show(None)
        self._waited = found.id
        self._room.clear()
        with self._room:
            ui.label("The plan is being made …").props("role=status")

    async def _ended(self, work: Work) -> None:
        if isinstance(work.result, ReplayPlan):
            if work.id == self._waited:
                self._waited = None
                self._show(work.result)
            return
        if work.id == self._waited:  # a plan that failed; the list says why
            self._waited = None
            self._room.clear()
        await self.runs.look()

    def _show(self, plan: ReplayPlan) -> None:
        self._room.clear()
        with self._room, ui.card().classes("w-full") as card:
            card.props('flat bordered role=region aria-label="Plan"')
            show_plan(plan)
            button = ui.button("Run …", icon="replay", on_click=lambda: self._run(plan))
            button.set_enabled(self._user.may_operate and plan.number > 0)
            if not plan.number:
                ui.label("Nothing of it would be done.").props("role=status")
            if not self._user.may_operate:
                ui.label("You may look; running it needs the role operate.").classes("quiet")

    async def _run(self, plan: ReplayPlan) -> None:
        names = ", ".join(plan.asked.names)
        confirmation = Confirmation(
            f"Run {plan.asked.mode} to {names}", plan.number, plan.what, "Run"
        )
        with confirmation.details():
            for each, takes in zip(plan.plans, plan.takes, strict=True):
                ui.label(f"{each['connection']}: {', '.join(takes[:2])}")
        if not await confirmation.given():
            return
        found = await ask(self._desks.replay.run, self._user, plan)
        if isinstance(found, Trouble):
            self._bar.show(found)
            return
        self._bar.show(None)
        self._room.clear()

    async def _stop(self, work: Work) -> None:
        found = await ask(self._desks.replay.stop, self._user, work)
        self._bar.show(found if isinstance(found, Trouble) else None)
