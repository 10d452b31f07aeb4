"""`streams dead-letters`: what was given up on: listed, shown, appended again, or let go."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from streams.cli.composition import kafka_of
from streams.cli.context import Context, pass_context
from streams.cli.letter_boxes import Boxes, boxes_of, readers_of, ways_of
from streams.cli.letter_filters import filter_of
from streams.cli.letter_lines import (
    count_lines,
    left_out_lines,
    now_milliseconds,
    plan_lines,
    purge_lines,
    row_lines,
    row_object,
    whole,
)
from streams.cli.rehearsal import rehearsal
from streams.errors import ConfigurationError
from streams.replay.obstacles import obstacle, target_of
from streams.replay.redrive import purge as purge_letters
from streams.replay.redrive import redrive as redrive_letters
from streams.replay.transaction import TakenOver, Transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from confluent_kafka import Message

    from streams.cli.letter_lines import Plan
    from streams.replay.letters import Filter, Letter
    from streams.replay.redrive import Chosen
    from streams.settings import Settings

    Command = TypeVar("Command", bound=Callable[..., None])

NO_SUCH_LETTER = 1
"""Exit status where Kafka answered and there is nothing to show."""

OPTIONS = (
    click.option("--connection", "connections", multiple=True, help="Only what it gave up on."),
    click.option("--source", "sources", multiple=True, help="Only what derive or rekey gave up."),
    click.option("--reason", "reasons", multiple=True, help="Only for this reason."),
    click.option("--type", "types", multiple=True, help="Only of this event type."),
    click.option("--customer", help="Only of this customer: MERCHANT:ID."),
    click.option("--since", help="Only given up since: a time with its zone, or 24h ago."),
    click.option("--until", help="Only given up before: a time with its zone, or 24h ago."),
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


@click.group(name="dead-letters")
def dead_letters() -> None:
    """What was given up on, with its bytes, until it is settled."""


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
    boxes, wanted = _opened(context, told)
    unmasked = unmasked or wanted.customer is not None
    letters = sorted(_standing(boxes, wanted), key=lambda each: (each.written_at, each.id))
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
    told["ids"] = (*told["ids"], letter_id)
    boxes, wanted = _opened(context, told)
    for each in boxes.topics:
        letters = [one for one in each.standing(boxes.readers)[0] if one.id == letter_id]
        for letter in filter(wanted.takes, letters):
            found: list[Message] = []
            each.records({letter.place}, found.append)
            record = boxes.readers.letter(found[0].value() or b"")
            if as_bytes:
                click.get_binary_stream("stdout").write(record["value"])
                return
            shown = whole(each.box, letter, record, boxes.readers, unmasked=unmasked)
            click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))
            return
    click.echo(f"no such dead letter: {letter_id}", err=True)
    sys.exit(NO_SUCH_LETTER)


@dead_letters.command()
@filters
@click.option("--again", is_flag=True, help="Also what was redriven and is not settled yet.")
@execute_option
@pass_context
def redrive(context: Context, /, *, again: bool, execute: bool, **told: Any) -> None:
    """Append dead letters to where they came from: deliveries for deliver, records for derive.

    A letter stays, marked, until that is settled. Without --execute nothing is written.
    """
    boxes, wanted = _opened(context, told)
    begun = _begun(context) if execute else None
    ways = ways_of(context.settings)
    plan: Plan = [
        (each, target_of(each, ways), obstacle(each, ways, again=again))
        for each in _standing(boxes, wanted)
    ]
    going = [(each, to) for each, to, why in plan if why is None and to is not None]
    _warn_of_modes(context.settings, {each.of for each, _ in going if each.is_delivery})
    if begun is None:
        _print(plan_lines(plan))
        _dry("redrive", len(going))
        return

    _follow(_redriven(boxes, going, begun), len(going), "appended again")
    if going:
        click.echo("They stand, marked, until a worker has settled them.")
    _print(left_out_lines(plan))


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
    boxes, wanted = _opened(context, told)
    begun = _begun(context) if execute else None
    letters = list(_standing(boxes, wanted))
    if begun is None:
        _print(purge_lines(letters))
        _dry("purge", len(letters))
        return

    _follow(_purged(boxes, letters, begun), len(letters), "settled")


def _opened(context: Context, told: dict[str, Any]) -> tuple[Boxes, Filter]:
    """The topics and the filter that the options name; nothing is read yet.

    Raises:
        ConfigurationError: an option or a setting is wrong.
    """
    connections, sources = told.pop("connections"), told.pop("sources")
    wanted = filter_of(now=now_milliseconds(), **told)
    settings = context.settings
    chosen = boxes_of(settings, connections, sources)
    return Boxes(kafka_of(settings, "streams-dead-letters"), chosen, readers_of(settings)), wanted


def _begun(context: Context) -> Transactions:
    """Take over, before anything is read: what is read then has every mark that will ever be."""
    settings = context.settings
    kafka = kafka_of(settings, "streams-dead-letters")
    return Transactions(kafka, f"{settings.prefix}-dead-letters", rehearsal())


def _standing(boxes: Boxes, wanted: Filter) -> Iterator[Letter]:
    for topic in boxes.topics:
        letters, unreadable = topic.standing(boxes.readers)
        yield from filter(wanted.takes, letters)
        if unreadable:
            click.echo(f"{topic.box.topic}: {unreadable:,} records are no dead letters", err=True)


def _warn_of_modes(settings: Settings, connections: Collection[str]) -> None:
    """Say which connections send nothing: what they conclude then settles no letter."""
    for name in sorted(connections):
        mode = settings.connections[name].mode
        if mode in {"off", "shadow"}:
            text = f"connections.{name}.mode is {mode}: unless it runs in another one now, letters"
            click.echo(f"{text} that go there are not sent, and stay marked", err=True)


def _redriven(boxes: Boxes, going: Sequence[Chosen], transactions: Transactions) -> Iterator[int]:
    now = now_milliseconds()
    for topic in boxes.topics:
        chosen = [each for each in going if each[0].of == topic.box.of]
        yield from redrive_letters(topic, chosen, boxes.readers.letter, transactions, now)


def _purged(boxes: Boxes, letters: Sequence[Letter], transactions: Transactions) -> Iterator[int]:
    for topic in boxes.topics:
        chosen = [each for each in letters if each.of == topic.box.of]
        yield from purge_letters(topic.box.topic, chosen, transactions)


def _dry(verb: str, count: int) -> None:
    if count:
        click.echo(f"Nothing was written: `streams dead-letters {verb} … --execute` does it.")
    else:
        click.echo("Nothing to do.")


def _follow(done: Iterable[int], total: int, what: str) -> None:
    """Say how far it is, where somebody looks; then what was done."""
    count, looks = 0, sys.stderr.isatty()
    try:
        for some in done:
            count += some
            if looks:
                click.echo(f"\r{count:,} of {total:,}", nl=False, err=True)
    except TakenOver as error:
        problem = f"{error}: {count:,} of {total:,} are {what}, the others as they were"
        raise Refused(problem) from None
    if looks and total:
        click.echo(err=True)
    click.echo(f"{count:,} dead letter{'' if count == 1 else 's'} {what}")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
