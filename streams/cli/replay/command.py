"""`streams replay`: deliveries sent again on purpose: planned, run by the low lane, reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from streams.cli.codecs import schemas_of
from streams.cli.completers import connection_names, merchants
from streams.cli.composition import kafka_of, names_of
from streams.cli.confirmation import confirm, yes_option
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.narrowing import type_option
from streams.cli.progress import counting
from streams.cli.replay.following import Following, drained
from streams.cli.replay.lines import plan_lines, plan_object, report_lines, report_object
from streams.cli.replay.replaying import (
    CLIENT,
    check_label,
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
from streams.errors import ConfigurationError
from streams.model.replayed import MODES
from streams.model.wording import moment
from streams.replay.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.cli.replay.replaying import Prepared
    from streams.model.replayed import Mode
    from streams.settings import Settings

    Command = TypeVar("Command", bound=Callable[..., None])

OPTIONS = (
    click.option(
        "--from",
        "source",
        metavar="NAME",
        shell_complete=connection_names,
        help="Read this connection's deliveries.",
    ),
    click.option("--since", help="Written since: a time with its zone, or so long ago: 24h."),
    click.option("--until", help="Written before: a time with its zone, or so long ago: 24h."),
    click.option(
        "--offsets", multiple=True, metavar="P:FROM-TO", help="Only these of a partition."
    ),
    type_option,
    click.option(
        "--merchant",
        "merchants",
        multiple=True,
        shell_complete=merchants,
        help="Only of this merchant.",
    ),
    click.option("--customer", "customers", multiple=True, help="Only of MERCHANT:ID."),
    click.option("--new-ids", metavar="LABEL", help="Fresh ids: the same for the same label."),
)
"""Which deliveries are meant; those that may be repeated mean any of what they name."""

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


def selecting(command: Command) -> Command:
    """Give a command the options that say which deliveries are meant."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@examples(
    "# What sending again would do to customers",
    "streams replay plan klaviyo --since 48h",
    "# Do it, once the number that it shows is typed",
    "streams replay run klaviyo --since 48h --mode fill",
)
@click.group()
def replay() -> None:
    """Deliveries sent again on purpose, with the consequences known first."""


@examples(
    "# What each mode would do",
    "streams replay plan klaviyo --since 48h",
    "# One event type, under fresh ids, as it would be if it came anew",
    "streams replay plan klaviyo --type order.reminder --mode trigger --new-ids autumn",
)
@replay.command()
@click.argument("names", nargs=-1, required=True, shell_complete=connection_names)
@selecting
@click.option(
    "--mode", "modes", multiple=True, type=click.Choice(MODES), help="Only this. Default: all."
)
@json_option
@pass_context
def plan(
    context: Context,
    /,
    names: tuple[str, ...],
    modes: tuple[Mode, ...],
    *,
    as_json: bool,
    **told: Any,
) -> None:
    """Say what a replay to the connections NAMES would do, in each mode; nothing is changed."""
    for each in _planned(context.settings, names, modes or MODES, told):
        if as_json:
            click.echo(msgspec.json.encode(plan_object(each)))
        else:
            click.echo("\n".join(plan_lines(each)))


@examples(
    "# As data that starts no flow, once the number that it shows is typed",
    "streams replay run klaviyo --since 48h --mode fill",
    "# As if it were new, in a script: with the customers that the plan counts",
    "streams replay run klaviyo --type order.reminder --mode trigger --yes 343",
    "# Go on with one that was cut short",
    "streams replay run --resume 7c1e04d2",
)
@replay.command()
@click.argument("names", nargs=-1, shell_complete=connection_names)
@selecting
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="fill: as data that starts no flow; profile-only: only profiles; trigger: as if new.",
)
@click.option("--resume", metavar="RUN", help="Go on with this run where it was; nothing else.")
@click.option(
    "--anew",
    is_flag=True,
    help="Although one of the same has not ended, or has begun since the plan.",
)
@yes_option
@pass_context
def run(
    context: Context,
    /,
    names: tuple[str, ...],
    mode: Mode | None,
    resume: str | None,
    yes: int | None,
    *,
    anew: bool,
    **told: Any,
) -> None:
    """Plan, have it confirmed, and append the deliveries to the low topics of NAMES.

    `trigger` is confirmed with the number of customers who will be messaged, and needs a connection
    that sends; the others are with the number of deliveries. A run that was killed goes on exactly
    where it was: --resume RUN.
    """
    settings = context.settings
    if resume is not None:
        if names or mode is not None:
            raise ConfigurationError("--resume", "it says which already", "Leave the rest out")
        with Following() as follow:
            found = resume_run(settings, resume, follow.told)
        follow.ended(names_of(settings).low(found.connection))
        return
    if mode is None or not names:
        raise ConfigurationError(
            "replay run", "not clear what to do", "NAME… and --mode, or --resume RUN"
        )
    plans = _planned(settings, names, (mode,), told)
    for each in plans:
        click.echo("\n".join(plan_lines(each)))
    check_run(settings, plans, mode, told["new_ids"], anew=anew)
    confirm(*to_confirm(plans, mode), yes)
    for each in plans:
        with Following() as follow:
            begin_run(settings, each, mode, told["new_ids"], follow.told, anew=anew)
        follow.ended(each.places.low)


@examples(
    "# Every run, and how far it is",
    "streams replay list",
)
@replay.command(name="list")
@pass_context
def list_(context: Context) -> None:
    """Show every run, the newest last, and how far it is."""
    known = sorted(runs_in(context.settings).values(), key=lambda each: each.begun_at)
    for each in known:
        state = "appended" if each.ended else "not ended: streams replay run --resume " + each.id
        text = f"{each.id}  {moment(each.begun_at)}  {each.mode} to {each.connection}"
        click.echo(f"{text}  {each.appended:,}  {state}")
    if not known:
        click.echo("no runs")


@examples(
    "# When the low lane has passed all of it",
    "streams replay report 7c1e04d2",
    "# As it is now",
    "streams replay report 7c1e04d2 --no-wait",
)
@replay.command()
@click.argument("run_id", metavar="RUN")
@click.option("--no-wait", is_flag=True, help="As it is now, drained or not.")
@json_option
@pass_context
def report(context: Context, run_id: str, *, no_wait: bool, as_json: bool) -> None:
    """Say what came of RUN beside what was planned, once the low lane has passed all of it."""
    settings = context.settings
    found = run_in(settings, run_id)
    places = places_of(settings, found.connection, found.source)
    decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
    follower = Report(kafka_of(settings, CLIENT), places, found, decode)
    happened = follower.look(positions=True) if no_wait else drained(follower, found)
    if as_json:
        click.echo(msgspec.json.encode(report_object(found, happened)))
    else:
        click.echo("\n".join(report_lines(found, happened)))


def _planned(
    settings: Settings, names: Sequence[str], modes: tuple[Mode, ...], told: Mapping[str, Any]
) -> list[Prepared]:
    options = dict(told)
    source, new_ids = options.pop("source"), options.pop("new_ids")
    check_label(new_ids)
    selection = selection_of(settings, **options)
    found = []
    for name in dict.fromkeys(names):
        with counting(f"looking through {source or name}") as bar:
            done = 0

            def progressed(some: int, together: int) -> None:
                nonlocal done
                done += some
                bar(done, together)

            found.append(
                prepare(settings, name, source or name, selection, modes, new_ids, progressed)
            )
    return found
