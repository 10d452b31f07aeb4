"""A run of `streams replay`: begun, gone on with, followed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click
import msgspec

from streams.cli.auditing import audit_of
from streams.cli.composition import kafka_of, names_of
from streams.cli.progress import counting
from streams.cli.rehearsal import rehearsal
from streams.cli.replaying import CLIENT, now_ms, parts_of, picker_of, places_of
from streams.delivery.profiles import version_of
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError
from streams.replay.running import Running
from streams.replay.runs import Run, runs_of
from streams.replay.transaction import TakenOver, Transactions

if TYPE_CHECKING:
    from streams.cli.replaying import Prepared
    from streams.model.replayed import Mode
    from streams.replay.report import Happened, Report
    from streams.settings import Settings

_LOOK_SECONDS: Final = 0.5
_STILL: Final = 10
"""Looks without anything new after which it is asked how far the low lane is."""


class Refused(click.ClickException):
    """Another command took over."""

    exit_code = 75


def begin_run(settings: Settings, prepared: Prepared, mode: Mode, new_ids: str | None) -> None:
    """Append what was planned and confirmed, as an action of the audit topic.

    Raises:
        Refused: another command took over.
        KafkaException: the broker does not answer; the run can be gone on with.
    """
    found = prepared.plan.prospects[mode]
    what = {
        "connection": prepared.connection,
        "from": prepared.source,
        "mode": mode,
        "new_ids": new_ids,
        "selection": msgspec.to_builtins(prepared.selection, str_keys=True),
        "deliveries": found.deliveries,
        "customers": found.customers,
    }
    kafka = kafka_of(settings, CLIENT)
    with audit_of(settings).action("replay.run", what) as entry:
        begun = Run(
            id=entry.id,
            connection=prepared.connection,
            source=prepared.source,
            mode=mode,
            new_ids=new_ids,
            selection=prepared.selection,
            starts=dict(prepared.stretch.starts),
            ends=dict(prepared.stretch.ends),
            low=Watermarks(kafka, prepared.places.low).stable(prepared.stretch.starts),
            begun_at=now_ms(),
            planned=parts_of(prepared, mode),
            seconds=prepared.seconds(mode),
            flows=found.starts.total(),
            customers=found.customers,
            deliveries=found.deliveries,
        )
        entry.result |= _append(settings, begun, _taking_over(settings))


def resume_run(settings: Settings, run_id: str) -> None:
    """Go on with a run behind the last delivery that is there."""
    known = run_in(settings, run_id)  # an unknown one is said before anybody is interrupted
    with audit_of(settings).action("replay.resume", {"run": known.id}) as entry:
        transactions = _taking_over(settings)  # what is read after it is not written any more
        entry.result |= _append(settings, run_in(settings, known.id), transactions)


def _taking_over(settings: Settings) -> Transactions:
    kafka = kafka_of(settings, CLIENT)
    return Transactions(kafka, f"{settings.prefix}-replay", rehearsal())


def _append(settings: Settings, begun: Run, transactions: Transactions) -> dict[str, int]:
    """Append what is left of a run; what was done, in counts."""
    if begun.ended:
        click.echo(f"{begun.id}: all of it is appended already")
        return {"appended": begun.appended}
    places = places_of(settings, begun.connection, begun.source)
    picker = picker_of(settings, begun.selection)
    running = Running(kafka_of(settings, CLIENT), places, begun, picker, version_of)
    click.echo(f"{begun.id}: begins" if not begun.position else f"{begun.id}: goes on", err=True)
    with counting("appending", begun.deliveries) as bar:
        try:
            running.append(transactions, lambda _: bar(running.run.appended, None))
        except TakenOver as error:
            raise Refused(f"{error}: {running.run.appended:,} are appended") from None
    done = running.run
    click.echo(f"{done.id}: {done.appended:,} deliveries appended to {places.low}")
    click.echo(f"What comes of them: streams replay report {done.id}")
    return {"appended": done.appended, "left_out": done.left_out}


def drained(follower: Report, found: Run) -> Happened:
    """Wait until the low lane has passed all of a run."""
    still, before = 0, -1
    with counting(f"{found.connection} sends") as bar:
        while True:
            happened = follower.look(positions=False)
            still = still + 1 if happened.concluded == before else 0
            before = happened.concluded
            bar(happened.concluded, happened.records)
            if happened.concluded == happened.records or still % _STILL == _STILL - 1:
                happened = follower.look(positions=True)
                if happened.drained:
                    return happened
            time.sleep(_LOOK_SECONDS)


def runs_in(settings: Settings) -> dict[str, Run]:
    """All runs that were ever begun, by id."""
    return runs_of(kafka_of(settings, CLIENT), names_of(settings).control)


def run_in(settings: Settings, run_id: str) -> Run:
    """The run whose id begins so; raises `ConfigurationError` where that is not one."""
    found = [each for each in runs_in(settings).values() if each.id.startswith(run_id)]
    if len(found) != 1:
        problem = "several begin so" if found else "there is no such run"
        raise ConfigurationError("RUN", problem, "`streams replay list` shows all")
    return found[0]
