"""A run of a replay, begun or gone on with: the same whether the command line asks or a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from streams.cli.auditing import audit_of
from streams.cli.composition import kafka_of, names_of
from streams.cli.connections.lines import mode_text
from streams.cli.replay.replaying import (
    CLIENT,
    gate_now,
    now_ms,
    parts_of,
    picker_of,
    places_of,
)
from streams.cli.worker.rehearsal import rehearsal
from streams.delivery.profiles import version_of
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError
from streams.replay.running import Running
from streams.replay.runs import Run, runs_of
from streams.replay.transaction import Transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from streams.cli.replay.replaying import Prepared
    from streams.control.audit import Entry
    from streams.delivery.gate import Gate
    from streams.model.replayed import Mode
    from streams.settings import Settings

    Told = Callable[[Run], None]


def begin_run(  # noqa: PLR0913 - what, how, as whom
    settings: Settings,
    prepared: Prepared,
    mode: Mode,
    new_ids: str | None,
    told: Told,
    *,
    by: str | None = None,
    anew: bool = False,
) -> Run:
    """Append what was planned and confirmed, as an action of the audit topic; the run at its end.

    `told` hears of the run before its first delivery and behind each transaction; what it raises
    ends the work there, and the run can be gone on with.

    Raises:
        ConfigurationError: it must not be done any more (`check_run`).
        TakenOver: another command has begun; the run that was told last is how far it is.
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
    check_run(settings, [prepared], mode, new_ids, anew=anew)  # before anybody is interrupted
    with audit_of(settings, by).action("replay.run", what) as entry:
        transactions = taking_over(settings)  # what is read after it is not written any more
        check_run(settings, [prepared], mode, new_ids, anew=anew)
        low = Watermarks(kafka_of(settings, CLIENT), prepared.places.low)
        begun = replace(
            _run_of(prepared, mode, new_ids),
            id=entry.id,
            low=low.stable(prepared.stretch.starts),
            begun_at=now_ms(),
        )
        return _append(settings, begun, transactions, told, entry)


def _run_of(prepared: Prepared, mode: Mode, new_ids: str | None) -> Run:
    """The run that a plan would be; it has no id, and has not begun."""
    found = prepared.plan.prospects[mode]
    return Run(
        id="",
        connection=prepared.connection,
        source=prepared.source,
        mode=mode,
        new_ids=new_ids,
        selection=prepared.selection,
        starts=dict(prepared.stretch.starts),
        ends=dict(prepared.stretch.ends),
        low={},
        begun_at=0,
        planned=parts_of(prepared, mode),
        seconds=prepared.seconds(mode),
        flows=found.starts.total(),
        customers=found.customers,
        deliveries=found.deliveries,
    )


def resume_run(settings: Settings, run_id: str, told: Told, *, by: str | None = None) -> Run:
    """Go on with a run behind the last delivery that is there; as above."""
    known = run_in(settings, run_id)  # an unknown one is said before anybody is interrupted
    with audit_of(settings, by).action("replay.resume", {"run": known.id}) as entry:
        transactions = taking_over(settings)  # what is read after it is not written any more
        return _append(settings, run_in(settings, known.id), transactions, told, entry)


def taking_over(settings: Settings) -> Transactions:
    """Begin to append: no earlier command appends anything any more."""
    kafka = kafka_of(settings, CLIENT)
    return Transactions(kafka, f"{settings.prefix}-replay", rehearsal())


def _append(
    settings: Settings, begun: Run, transactions: Transactions, told: Told, entry: Entry
) -> Run:
    """Append what is left of a run."""

    def tell(run: Run) -> None:
        entry.result |= {"appended": run.appended, "left_out": run.left_out}
        told(run)

    tell(begun)
    if begun.ended:
        return begun
    places = places_of(settings, begun.connection, begun.source)
    picker = picker_of(settings, begun.selection)
    running = Running(kafka_of(settings, CLIENT), places, begun, picker, version_of)
    running.append(transactions, lambda _: tell(running.run))
    tell(running.run)
    return running.run


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


def to_confirm(plans: Collection[Prepared], mode: Mode) -> tuple[int, str]:
    """The number that has to be typed before a run, and what it is the number of."""
    prospects = [each.plan.prospects[mode] for each in plans]
    deliveries = sum(each.deliveries for each in prospects)
    if mode == "trigger":
        number = sum(each.customers for each in prospects)
        return number, f"customers will be messaged, by {deliveries:,} deliveries"
    what = "profiles" if mode == "profile-only" else "data that starts no flow"
    return deliveries, f"deliveries will go again, as {what}"


def check_run(
    settings: Settings,
    plans: Collection[Prepared],
    mode: Mode,
    new_ids: str | None,
    *,
    anew: bool = False,
) -> None:
    """Raise `ConfigurationError` where a run would do what nobody has counted or confirmed.

    That is where one of the same has not ended, or has begun since this was planned (unless it is
    to be done `anew`), and where who would be messaged is not who was planned.
    """
    if mode == "trigger":
        for each in plans:
            _check_gate(settings, each)
    if anew:
        return
    for known in runs_in(settings).values():
        for each in plans:
            if known.means(_run_of(each, mode, new_ids)):
                _check_other(known, each.terms.now)


def _check_other(known: Run, planned_at: int) -> None:
    """Raise where a run of the same is in the way; `planned_at`: epoch milliseconds."""
    if not known.ended:
        raise ConfigurationError(
            "replay run",
            f"a run of the same has not ended: {known.id}",
            f"Go on with it (--resume {known.id}), or begin --anew",
        )
    if known.begun_at >= planned_at:
        raise ConfigurationError(
            "replay run",
            f"a run of the same has begun since this was planned: {known.id}",
            "Plan again, and see what is left to be done",
        )


def _check_gate(settings: Settings, prepared: Prepared) -> None:
    """Raise where a connection sends nothing now, or to others than when it was planned.

    What waits in the low lane is judged when it is sent: by then it may be live for all.
    """
    name, planned = prepared.connection, prepared.terms.gate
    gate = gate_now(settings, name)
    if gate.mode in {"off", "shadow"}:
        raise ConfigurationError(
            f"connection {name}",
            f"it is in mode {gate.mode}, so nobody can say whom a trigger would message later",
            "Let it send first, or replay with --mode fill or profile-only",
        )
    if _who(gate) != _who(planned):
        raise ConfigurationError(
            f"connection {name}",
            f"it was planned in mode {mode_text(planned)} and is in mode {mode_text(gate)}",
            "Plan again: others would be messaged",
        )


def _who(gate: Gate) -> tuple[object, ...]:
    """Who is let in."""
    return gate.mode, gate.percentage, gate.allowlist
