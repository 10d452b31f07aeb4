"""`streams audit`: who had what done to customers or to state, and what came of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import click
import msgspec

from streams.cli.completers import beginning
from streams.cli.composition import kafka_of, names_of
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.control.audit import Action, Audited, decode_action
from streams.engine.stretch import look_through, whole
from streams.errors import BadRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

    from streams.settings import Settings

_DAY_MS = 86_400_000


def _verbs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    del context, parameter
    known = get_args(Audited)
    return beginning(incomplete, {*known, *(each.partition(".")[0] for each in known)})


@examples(
    "# What was done to customers and state in the last week",
    "streams audit --days 7",
    "# All replays, as data",
    "streams audit --action replay --json",
)
@click.command()
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="How far back.")
@click.option(
    "--action",
    "verb",
    shell_complete=_verbs,
    help="Only this one, or all of a command: replay.run, replay.",
)
@click.option("--id", "id_", help="Only the action with this id.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a record.")
@pass_context
def audit(context: Context, days: int, verb: str | None, id_: str | None, *, as_json: bool) -> None:
    """Show what was done on purpose: replays, erasures, rebuilds, repairs; the oldest first."""
    since = int(time.time() * 1_000) - days * _DAY_MS
    for each in _actions(context.settings):
        if each.at < since or (id_ is not None and each.id != id_):
            continue
        if verb is not None and each.action != verb and not each.action.startswith(f"{verb}."):
            continue
        click.echo(msgspec.json.encode(each) if as_json else _line(each))


def _actions(settings: Settings) -> list[Action]:
    found: list[Action] = []

    def note(message: Message) -> None:
        try:
            found.append(decode_action(message.value()))
        except BadRecord:
            click.echo(f"offset {message.offset()}: no record of an action", err=True)

    kafka = kafka_of(settings, "streams-audit")
    look_through(kafka, whole(kafka, names_of(settings).audit), note)
    return sorted(found, key=lambda each: each.at)


def _line(each: Action) -> str:
    at = datetime.fromtimestamp(each.at / 1_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    told = _pairs(each.what if each.state == "began" else each.result)
    ended = f" ({each.error})" if each.error else ""
    return f"{at}  {each.id[:8]}  {each.action}  {each.state}{ended}  by {each.by}  {told}".rstrip()


def _pairs(told: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in told.items())
