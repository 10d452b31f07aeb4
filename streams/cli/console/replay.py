"""Replays for the console, by the functions of `streams replay`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from streams.cli.codecs import schemas_of
from streams.cli.composition import destination_of, kafka_of
from streams.cli.connections.lines import mode_text
from streams.cli.console.forms import fields
from streams.cli.progress import duration_text
from streams.cli.replay.lines import plan_object, rate_lines, report_object
from streams.cli.replay.replaying import (
    CLIENT,
    check_label,
    now_ms,
    places_of,
    prepare,
    selection_of,
)
from streams.cli.replay.runs import (
    begin_run,
    check_run,
    resume_run,
    run_in,
    runs_in,
    to_confirm,
)
from streams.console.access import require_operate
from streams.console.replay_sight import ReplayPlan, RunSight
from streams.console.working import Works
from streams.errors import ConfigurationError
from streams.replay.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.cli.replay.replaying import Prepared
    from streams.console.access import User
    from streams.console.replay_sight import ReplayAsked
    from streams.console.working import Work
    from streams.replay.runs import Run
    from streams.settings import Settings

FRESH_MS: Final = 10 * 60_000
"""An older plan is made again before it is run: events grow too old, others come."""


class ReplayOperated:
    """Replays as the console asks for them (`console.desks.ReplayDesk`)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._works = Works()
        self._run_once: set[str] = set()
        self._beginning = threading.Lock()
        self._reports: dict[str, tuple[int, Report, int]] = {}
        self._reporting = threading.Lock()

    def connections(self) -> dict[str, list[str]]:
        """Connections, and the event types that each takes."""
        return {
            name: sorted(destination_of(name, each).takes)
            for name, each in self._settings.connections.items()
        }

    def plan(self, user: User, asked: ReplayAsked) -> Work:
        """Begin to make a plan; nothing is changed."""
        settings, new_ids = self._settings, asked.new_ids.strip() or None
        if not asked.names:
            raise ConfigurationError("Connections", "none is named", "Say where it is to go")
        with fields():
            check_label(new_ids)
            selection = selection_of(
                settings,
                since=asked.since.strip() or None,
                until=asked.until.strip() or None,
                offsets=(),
                types=asked.types,
                merchants=asked.merchants,
                customers=asked.customers,
            )

        def job(work: Work) -> str:
            found = []
            for name in asked.names:
                source, told = asked.source or name, _adding(work)
                modes = (asked.mode,)
                found.append(prepare(settings, name, source, selection, modes, new_ids, told))
            number, what = to_confirm(found, asked.mode)
            work.result = ReplayPlan(
                asked=asked,
                made_at=now_ms(),
                plans=[plan_object(each) for each in found],
                takes=[_takes(each) for each in found],
                number=number,
                what=what,
                prepared=found,
                id=work.id,
            )
            return f"{number:,} {what}"

        return self._works.begin(f"plan {asked.mode} to {', '.join(asked.names)}", user.name, job)

    def run(self, user: User, plan: ReplayPlan) -> Work:
        """Begin to append the deliveries of a plan that was confirmed: a plan is run once."""
        require_operate(user)
        asked, settings = plan.asked, self._settings
        self._check_unused(plan)
        if now_ms() - plan.made_at > FRESH_MS:
            raise ConfigurationError("This plan", "it is too old to be run", "Make it again")
        new_ids = asked.new_ids.strip() or None
        check_run(settings, plan.prepared, asked.mode, new_ids)
        self._use(plan)

        def job(work: Work) -> str:
            done = 0
            for each in plan.prepared:
                told = _following(work)
                done += begin_run(settings, each, asked.mode, new_ids, told, by=user.name).appended
            return f"{done:,} deliveries appended; what comes of them is in the report"

        return self._works.begin(f"{asked.mode} to {', '.join(asked.names)}", user.name, job)

    def _use(self, plan: ReplayPlan) -> None:
        """Let nobody run a plan again, nor find it on the page; raises where somebody has."""
        with self._beginning:
            self._check_unused(plan)
            self._run_once.add(plan.id)
        made = self._works.find(plan.id)
        if made is not None:
            made.result = None

    def _check_unused(self, plan: ReplayPlan) -> None:
        if plan.id in self._run_once:
            raise ConfigurationError("This plan", "it was run already", "Make it again")

    def resume(self, user: User, run_id: str) -> Work:
        """Begin to go on with a run."""
        require_operate(user)
        known = run_in(self._settings, run_id)

        def job(work: Work) -> str:
            done = resume_run(self._settings, known.id, _following(work), by=user.name)
            return f"{done.appended:,} deliveries appended; what comes of them is in the report"

        return self._works.begin(f"{known.mode} to {known.connection}, resumed", user.name, job)

    def stop(self, user: User, work: Work) -> None:
        """Have a run end behind its next transaction; it can be gone on with."""
        require_operate(user)
        work.stop()

    def works(self) -> list[Work]:
        """What was begun since the console started, the newest first."""
        return self._works.all()

    def runs(self) -> list[RunSight]:
        """Every run, the newest first."""
        going = {each.subject for each in self._works.all() if each.runs}
        known = sorted(runs_in(self._settings).values(), key=lambda each: -each.begun_at)
        return [
            RunSight(
                id=each.id,
                connection=each.connection,
                source=each.source,
                mode=each.mode,
                new_ids=each.new_ids,
                begun_at=each.begun_at,
                deliveries=each.deliveries,
                customers=each.customers,
                appended=each.appended,
                ended=each.ended,
                under_way=each.id in going,
            )
            for each in known
        ]

    def report(self, run_id: str) -> Mapping[str, Any]:
        """What came of a run so far, beside what was planned; each look reads on."""
        run = run_in(self._settings, run_id)
        with self._reporting:
            appended, report, before = self._reports.get(run.id, (-1, None, -1))
            if report is None or appended != run.appended:
                report = self._report(run)
            happened = report.look(positions=False)
            if happened.concluded in {before, happened.records}:  # nothing new: is it through?
                happened = report.look(positions=True)
            self._reports[run.id] = run.appended, report, happened.concluded
        return report_object(run, happened)

    def _report(self, run: Run) -> Report:
        places = places_of(self._settings, run.connection, run.source)
        decode = schemas_of(self._settings, [], wait=False).decode_in_thread("outcome")
        return Report(kafka_of(self._settings, CLIENT), places, run, decode)


def _adding(work: Work) -> Callable[[int, int], None]:
    done = 0

    def told(some: int, together: int) -> None:
        nonlocal done
        done += some
        work.told(done, together)

    return told


def _following(work: Work) -> Callable[[Run], None]:
    def told(run: Run) -> None:
        work.subject = run.id
        if run.ended:  # too late to stop it
            work.done = run.appended
        else:
            work.told(run.appended, run.deliveries)

    return told


def _takes(prepared: Prepared) -> Sequence[str]:
    [(mode, found)] = prepared.plan.prospects.items()
    told = f"takes {duration_text(prepared.seconds(mode))}, beside live deliveries"
    gate = f"the connection is in mode {mode_text(prepared.terms.gate)}"
    return [told, gate, *rate_lines(prepared, mode)] if found.deliveries else [gate]
