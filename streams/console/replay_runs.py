"""Runs of replays: how far each is, going on with one, and its report beside its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nicegui import events, ui

from streams.console.asking import Trouble, ask
from streams.console.wording import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.console.access import User
    from streams.console.desks import Desks
    from streams.console.layout import TroubleBar
    from streams.console.replay_sight import RunSight

_LOOK_SECONDS: Final = 2.0
_COLUMNS: Final = (
    ("begun", "begun"), ("what", "what"), ("appended", "appended"), ("planned", "planned"),
    ("state", "state"), ("do", ""),
)  # fmt: skip


class RunsList:
    """Every run that was ever begun."""

    def __init__(self, desks: Desks, user: User, bar: TroubleBar) -> None:
        """Build it empty; trouble is shown in the bar."""
        self._desks, self._user, self._bar = desks, user, bar
        ui.label("Runs").classes("text-subtitle1 q-mt-md").props("role=heading aria-level=2")
        self._none = ui.label("No run was begun yet.").classes("quiet")
        with ui.element("div").classes("scroll-box w-full"):
            self._table = ui.table(
                columns=[
                    {"name": name, "label": label, "field": name, "align": "left"}
                    for name, label in _COLUMNS
                ],
                rows=[], row_key="id", pagination=10,
            ).props('flat dense bordered aria-label="Runs"')  # fmt: skip
        self._table.add_slot(
            "body-cell-do",
            '<q-td :props="props">'
            '<q-btn dense flat no-caps label="Report"'
            " :aria-label=\"'Report of run ' + props.row.id\""
            " @click=\"() => $parent.$emit('report', props.row.id)\" />"
            '<q-btn v-if="props.row.resumable" dense flat no-caps label="Resume"'
            " :aria-label=\"'Resume run ' + props.row.id\""
            " @click=\"() => $parent.$emit('resume', props.row.id)\" /></q-td>",
        )
        self._table.on("report", self._report)
        self._table.on("resume", self._resume)
        self._table.set_visibility(False)
        self._room = ui.column().classes("w-full")

    async def look(self) -> None:
        """Show how they stand now."""
        found = await ask(self._desks.replay.runs)
        if isinstance(found, Trouble):
            self._bar.show(found)
            return
        self._table.rows = [self._row(each) for each in found or ()]
        self._table.update()
        self._table.set_visibility(bool(found))
        self._none.set_visibility(not found)

    def _row(self, run: RunSight) -> dict[str, Any]:
        label = f", new ids {run.new_ids}" if run.new_ids else ""
        whose = "" if run.source == run.connection else f" of {run.source}"
        state = "appended" if run.ended else "under way" if run.under_way else "not ended"
        return {
            "id": run.id,
            "begun": moment(run.begun_at),
            "what": f"{run.mode} to {run.connection}{whose}{label}",
            "appended": f"{run.appended:,}",
            "planned": f"{run.deliveries:,}",
            "state": state,
            "do": "",
            "resumable": state == "not ended" and self._user.may_operate,
        }

    async def _resume(self, event: events.GenericEventArguments) -> None:
        found = await ask(self._desks.replay.resume, self._user, str(event.args))
        self._bar.show(found if isinstance(found, Trouble) else None)
        await self.look()

    async def _report(self, event: events.GenericEventArguments) -> None:
        self._room.clear()
        with self._room:
            await _Report(self._desks, str(event.args), self._bar).look()


class _Report:
    """One run's report; it follows the run until the low lane has passed it."""

    def __init__(self, desks: Desks, run_id: str, bar: TroubleBar) -> None:
        self._desks, self._id, self._bar = desks, run_id, bar
        with ui.card().classes("w-full").props('flat bordered role=region aria-label="Report"'):
            title = ui.label(f"Report of run {run_id}").classes("text-h6")
            title.props("role=heading aria-level=2")
            self._said = ui.label("What came of it is read …").props("role=status")
            self._bar_of_lane = ui.linear_progress(0.0, show_value=False)
            self._bar_of_lane.props('aria-label="Concluded"')
            self._off = ui.label()
            with ui.element("div").classes("scroll-box w-full"):
                heads = ("event type", "part", "outcome", "planned", "happened")
                self._table = ui.table(
                    columns=[
                        {"name": each, "label": each, "field": each, "align": "left"}
                        for each in heads
                    ],
                    rows=[], pagination=20,
                ).props('flat dense aria-label="Planned and happened"')  # fmt: skip
        self._timer = ui.timer(_LOOK_SECONDS, self.look, immediate=False)

    async def look(self) -> None:
        found = await ask(self._desks.replay.report, self._id)
        if isinstance(found, Trouble):
            self._bar.show(found)
            self._timer.deactivate()
            return
        if found is None:
            return
        self._show(found)
        if found["drained"] and found["ended"]:
            self._timer.deactivate()

    def _show(self, found: Mapping[str, Any]) -> None:
        appended, concluded = found["appended"], found["concluded"]
        lane = "the low lane has passed all of it" if found["drained"] else "the low lane is at it"
        yet = "" if found["ended"] else ", not all yet"
        gone = f"; {found['gone']:,} offsets were past retention" if found["gone"] else ""
        self._said.set_text(f"{appended:,} appended{yet}, {concluded:,} concluded; {lane}{gone}")
        self._bar_of_lane.set_value(concluded / appended if appended else 0.0)
        self._off.set_text(f"{found['deviation']:.1%} of the parts came otherwise than planned")
        self._table.rows = [
            {
                "event type": kind,
                "part": part,
                "outcome": f"{outcome}: {reason}" if reason else outcome,
                "planned": planned,
                "happened": happened,
            }
            for kind, part, outcome, reason, planned, happened in found["parts"]
        ]
        self._table.update()
