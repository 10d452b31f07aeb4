"""`streams dead-letters`: what was given up on: listed, shown, appended again, or let go."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from streams.cli.completers import connection_names, letter_reasons, sources
from streams.cli.confirmation import confirm, yes_option
from streams.cli.context import Context, pass_context
from streams.cli.dead_letters import settling
from streams.cli.dead_letters.filters import filter_of
from streams.cli.dead_letters.lines import (
    count_lines,
    left_out_lines,
    now_milliseconds,
    plan_lines,
    purge_lines,
    row_lines,
    row_object,
)
from streams.cli.dead_letters.settling import Asked
from streams.cli.examples import examples
from streams.cli.narrowing import type_option
from streams.errors import ConfigurationError
from streams.replay.transaction import TakenOver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from streams.cli.dead_letters.lines import Plan
    from streams.cli.dead_letters.settling import Found
    from streams.settings import Settings

    Command = TypeVar("Command", bound=Callable[..., None])

NO_SUCH_LETTER = 1
"""Exit status where Kafka answered and there is nothing to show."""

OPTIONS = (
    click.option(
        "--connection",
        "connections",
        multiple=True,
        shell_complete=connection_names,
        help="Only what it gave up on.",
    ),
    click.option(
        "--source",
        "sources",
        multiple=True,
        shell_complete=sources,
        help="Only what derive or rekey gave up.",
    ),
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        shell_complete=letter_reasons,
        help="Only for this reason.",
    ),
    type_option,
    click.option("--customer", help="Only of this customer: MERCHANT:ID."),
    click.option("--since", help="Only given up since: a time with its zone, or so long ago: 24h."),
    click.option(
        "--until", help="Only given up before: a time with its zone, or so long ago: 24h."
    ),
    click.option("--id", "ids", multiple=True, help="Only this letter."),
)
"""Which letters are meant; those that may be repeated mean any of what they name."""

execute_option = click.option("--execute", is_flag=True, help="Do it, instead of saying what.")


class Refused(click.ClickException):
    """Another command took over."""

    exit_code = 75


def filters(command: Command) -> Command:
    """Give a command the options that say which letters are meant."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@examples(
    "# Counted by reason and type; then the newest",
    "streams dead-letters list",
    "# What would be sent again; --execute does it",
    "streams dead-letters redrive --connection klaviyo",
)
@click.group(name="dead-letters")
def dead_letters() -> None:
    """What was given up on, with its bytes, until it is settled."""


@examples(
    "# Counted by reason and type; then the newest",
    "streams dead-letters list",
    "# What one connection gave up on in a day",
    "streams dead-letters list --connection klaviyo --since 24h",
    "# One customer's, as data",
    "streams dead-letters list --customer 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771 --json",
)
@dead_letters.command(name="list")
@filters
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="Rows: the newest."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a letter, without counts.")
@click.option("--unmasked", is_flag=True, help="Show customers as they are.")
@pass_context
def list_(context: Context, /, limit: int, *, as_json: bool, unmasked: bool, **told: Any) -> None:
    """Count dead letters by source or connection, reason and type; then the newest, one a row."""
    asked = _asked(told)
    unmasked = unmasked or asked.wanted.customer is not None
    found = settling.standing(settling.opened(context.settings, asked), asked.wanted)
    _say_unreadable(found)
    letters = sorted(found.letters, key=lambda each: (each.written_at, each.id))
    newest = letters[max(0, len(letters) - limit) :] if limit else []
    if as_json:
        for each in newest:
            click.echo(msgspec.json.encode(row_object(each, unmasked=unmasked)))
        return
    _print(count_lines(letters))
    if newest:
        click.echo()
        _print(row_lines(newest, unmasked=unmasked))
    if len(newest) < len(letters):
        click.echo(f"and {len(letters) - len(newest):,} older: --limit")


@examples(
    "# Whole, who it is about masked",
    "streams dead-letters show 1f3a9d52-6c1b-5e0e-9a57-3a4be1c02d77",
    "# The record's own bytes",
    "streams dead-letters show 1f3a9d52-6c1b-5e0e-9a57-3a4be1c02d77 --bytes > record.avro",
)
@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@filters
@click.option("--unmasked", is_flag=True, help="Show who it is about.")
@click.option("--bytes", "as_bytes", is_flag=True, help="Write the record's own bytes, only those.")
@pass_context
def show(
    context: Context, /, letter_id: str, *, unmasked: bool, as_bytes: bool, **told: Any
) -> None:
    """Show one dead letter whole, its event as JSON; who it is about is masked by default."""
    told["ids"] = (letter_id,)
    for each in settling.whole_letters(context.settings, _asked(told)):
        if as_bytes:
            click.get_binary_stream("stdout").write(each.record["value"])
            return
        shown = each.shown(unmasked=unmasked)
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))
        return
    click.echo(f"no such dead letter: {letter_id}", err=True)
    sys.exit(NO_SUCH_LETTER)


@examples(
    "# What it would do",
    "streams dead-letters redrive --reason unknown_schema",
    "# Do it, once the number of letters was typed",
    "streams dead-letters redrive --reason unknown_schema --execute",
    "# What a connection gave up on in a day; in a script, the number is given beforehand",
    "streams dead-letters redrive --connection klaviyo --since 24h --execute --yes 12",
)
@dead_letters.command()
@filters
@click.option("--again", is_flag=True, help="Also what was redriven and is not settled yet.")
@execute_option
@yes_option
@pass_context
def redrive(
    context: Context, /, yes: int | None, *, again: bool, execute: bool, **told: Any
) -> None:
    """Append dead letters to where they came from: deliveries for deliver, records for derive.

    A letter stays, marked, until that is settled. Without --execute nothing is written; with it,
    once the number of letters was typed.
    """
    settings, asked = context.settings, _asked(told)
    found = settling.standing(settling.opened(settings, asked), asked.wanted)
    plan = settling.planned(settings, found.letters, again=again)
    _warn(settings, found, plan)
    _print(plan_lines(plan))
    going = [each.id for each, _, why in plan if why is None]
    if not (execute and (going or yes)):
        _dry("redrive", len(going))
        return
    confirm(len(going), f"dead letter{'' if len(going) == 1 else 's'} will be appended again", yes)
    with _followed("appended again") as follow:
        plan, _ = settling.redrive(settings, asked.only(going), follow.told, again=again)
    if follow.total:
        click.echo("They stand, marked, until a worker has settled them.")
    _print(left_out_lines(plan))


@examples(
    "# What it would let go",
    "streams dead-letters purge --reason malformed",
    "# Do it",
    "streams dead-letters purge --reason malformed --execute",
)
@dead_letters.command()
@filters
@click.option("--all", "everything", is_flag=True, help="Without any of the filters: all of them.")
@execute_option
@pass_context
def purge(context: Context, /, *, everything: bool, execute: bool, **told: Any) -> None:
    """Settle dead letters without doing anything about them: they are gone for good.

    Without --execute nothing is written.
    """
    if execute and not everything and not any(told.values()):
        raise ConfigurationError(
            "dead-letters purge", "this would be all of them", "Say which, or --all"
        )
    settings, asked = context.settings, _asked(told)
    if not execute:
        found = settling.standing(settling.opened(settings, asked), asked.wanted)
        _say_unreadable(found)
        _print(purge_lines(found.letters))
        _dry("purge", len(found.letters))
        return

    with _followed("settled") as follow:
        _say_unreadable(settling.purge(settings, asked, follow.told))


def _asked(told: dict[str, Any]) -> Asked:
    """Which letters the options name; raises `ConfigurationError` for one that is wrong."""
    connections, sources = told.pop("connections"), told.pop("sources")
    return Asked(filter_of(now=now_milliseconds(), **told), connections, sources)


def _say_unreadable(found: Found) -> None:
    for topic, count in found.unreadable.items():
        click.echo(f"{topic}: {count:,} records are no dead letters", err=True)


def _warn(settings: Settings, found: Found, plan: Plan) -> None:
    """Say what is no letter, and which connections send nothing: they would settle none."""
    _say_unreadable(found)
    for name, mode in settling.silent_of(settings, plan).items():
        text = f"{name} is in mode {mode}: letters that go there are not sent, and stay marked"
        click.echo(text, err=True)


def _dry(verb: str, count: int) -> None:
    if count:
        click.echo(f"Nothing was written: `streams dead-letters {verb} … --execute` does it.")
    else:
        click.echo("Nothing to do.")


class _Follow:
    """How far it is, shown where somebody looks."""

    def __init__(self) -> None:
        self.count = self.total = 0
        self.looks = sys.stderr.isatty()

    def told(self, count: int, total: int) -> None:
        self.count, self.total = count, total
        if self.looks:
            click.echo(f"\r{count:,} of {total:,}", nl=False, err=True)


@contextmanager
def _followed(what: str) -> Iterator[_Follow]:
    """Follow what is done, then say what was; also where another command took over."""
    follow = _Follow()
    try:
        yield follow
    except TakenOver as error:
        told = f"{follow.count:,} of {follow.total:,} are {what}, the others as they were"
        raise Refused(f"{error}: {told}") from None
    if follow.looks and follow.total:
        click.echo(err=True)
    click.echo(f"{follow.count:,} dead letter{'' if follow.count == 1 else 's'} {what}")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
