"""`streams explain`: what bodies would become, for people and (`--json`) for programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec
from msgspec.structs import replace

from streams.cli.composition import destination_of, options_of
from streams.cli.connections.settings import gate_settings, wanted_events
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.narrowing import destination_option
from streams.cli.source_desks import DESKS
from streams.destinations import DESTINATIONS
from streams.errors import ConfigurationError
from streams.explain import Explainer, Target
from streams.model.fact import WITHHELD
from streams.model.row_text import row_of_dict
from streams.model.subscriber import Subscriber
from streams.names import ORDERGROOVE, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.derive.terms import History
    from streams.model.member import Member
    from streams.settings import Settings


@examples(
    "# Webhook bodies in arrival order, for people",
    "streams explain webhooks.jsonl",
    "# One object a line, for programs, of one connection",
    "streams explain --json --destination klaviyo webhooks.jsonl",
    "# As if nothing were known of the time before",
    "streams explain --history live webhooks.jsonl",
    "# From the row that a running program has",
    "streams table get 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771 --json --reveal > row.jsonl",
    "streams explain --state row.jsonl next.json",
    "# Loyalty webhooks",
    "streams explain --source okendo okendo.jsonl",
)
@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--source",
    "source",
    type=click.Choice(SOURCES),
    default=ORDERGROOVE,
    show_default=True,
    help="Whose webhooks they are.",
)
@destination_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--now", "now", help="Judge deliveries at this time (ISO 8601) instead.")
@click.option(
    "--history",
    type=click.Choice(["complete", "synced", "live"]),
    default="complete",
    show_default=True,
    help="What is known of the time before.",
)
@click.option(
    "--state",
    type=click.File("rb"),
    help="Begin with these rows: lines of `streams table get KEY --json --reveal`.",
)
@pass_context
def explain(  # noqa: PLR0913 - a command's options
    context: Context,
    file: BinaryIO,
    names: tuple[str, ...],
    now: str | None,
    history: History,
    state: BinaryIO | None,
    *,
    source: str,
    as_json: bool,
) -> None:
    """Show what webhook bodies (JSON lines, or one document) would become, and why.

    FILE is read in arrival order, from empty state or from `--state`. No broker, no network.
    Okendo's lines may be objects of `headers` and `body`. With ordergroove.mapping they are
    records of the merchant's own, or objects of their `key` and `value`.
    """
    settings = context.settings
    desk = DESKS[source]
    reading = desk.reading_of(settings)
    explainer = Explainer(
        targets(settings, names),
        desk.options_of(settings, history=history),
        None if now is None else moment(now, "--now"),
        rows_of(state.read(), reading.family.row) if state is not None else None,
        reading,
    )
    for explained in explainer.explain(bodies(file.read())):
        if as_json:
            click.echo(msgspec.json.encode(explained))
        else:
            click.echo(_readable(explained))


def targets(settings: Settings, names: tuple[str, ...]) -> list[Target]:
    """The configured connections, or one a destination; raises `ConfigurationError`."""
    found = [
        Target(
            name=name,
            destination=destination_of(name, each),
            options=options_of(each),
            merchants=None if each.merchants is None else frozenset(each.merchants),
            url=each.url,
            gate=replace(
                gate_settings(each), events=wanted_events(name, destination_of(name, each), each)
            ),
        )
        for name, each in settings.connections.items()
    ] or [Target(name, destination) for name, destination in DESTINATIONS.items()]
    for name in names:
        if name not in {target.name for target in found}:
            known = ", ".join(target.name for target in found)
            raise ConfigurationError("--destination", f"no connection {name}", f"Known: {known}")
    return [target for target in found if not names or target.name in names]


def bodies(text: bytes) -> Iterator[tuple[int, bytes]]:
    """(line, body) of JSON lines; of one document, or an array of them, (place, body)."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None
    if isinstance(document, list):
        for place, each in enumerate(document, 1):
            yield place, msgspec.json.encode(each)
    elif isinstance(document, dict):
        yield 1, text
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield number, line


def rows_of(
    text: bytes, kind: type[Subscriber | Member] = Subscriber
) -> dict[bytes, Subscriber | Member]:
    """Rows of a kind by key, as `streams table get --json` writes them.

    Raises:
        ConfigurationError: a line is no such row.
    """
    rows: dict[bytes, Subscriber | Member] = {}
    for number, line in bodies(text):
        try:
            told = msgspec.json.decode(line)
            rows[told["key"].encode()] = row_of_dict(told["row"], kind)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            why = str(error) if isinstance(error, ValueError) else "not an object of key and row"
            raise ConfigurationError(
                "--state",
                f"line {number} is no row: {why}",
                "Write it by `streams table get KEY --json --reveal`",
            ) from None
    return rows


def moment(text: str, option: str) -> int:
    """Epoch milliseconds of an option's time; raises `ConfigurationError`."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise ConfigurationError(
            option, "not a time with its zone", "Write it like 2026-10-01T12:00:00Z"
        )
    return int(when.timestamp() * 1000)


def _readable(explained: dict[str, Any]) -> str:
    given = explained["input"]
    lines = ["…  at the end"]
    if given is not None:
        lines = [f"{given['line']}  {given['type']}  {given['event_id']}"]
    if explained["dead_letter"]:
        bad = explained["dead_letter"]
        at = f" at {bad['field']}" if bad["field"] else ""
        return "\n".join([*lines, f"   dead letter: {bad['reason']}{at}", ""])
    if not explained["events"]:
        told = "told before" if "subscriber" in explained else "told before, or not complete"
        lines.append(f"   nothing: {told}")
    for event in explained["events"]:
        notes = [event["because"]["text"]] if event["because"] else []
        notes += ["late: data only"] if event["late"] else []
        notes += [_why_withheld(event["withheld"])] if event["withheld"] else []
        lines.append(f"   event {event['type']}{_in_brackets(notes)}")
    lines += _standing(explained)
    for delivery in explained["deliveries"]:
        reason = f" ({delivery['reason']})" if delivery["reason"] else ""
        lines.append(
            f"   → {delivery['connection']}: {delivery['outcome']}{reason}  "
            f"{delivery['delivery_id']}"
        )
        for request in delivery["requests"]:
            lines.append(f"     {request['method']} {request['url']}")
            pretty = msgspec.json.format(msgspec.json.encode(request["body"]), indent=2).decode()
            lines += [f"     {line}" for line in pretty.splitlines()]
    return "\n".join([*lines, ""])


def _standing(explained: dict[str, Any]) -> list[str]:
    """How the customer stands afterwards."""
    who = explained.get("subscriber")
    if who:
        status, active = who["status"] or "never subscribed", who["active_subscriptions"]
        return [f"   subscriber {status}: {active} active of {who['total_subscriptions']}"]
    who = explained.get("member")
    if not who:
        return []
    parts = [f"tier {who['tier']}"] if who["tier"] else []
    parts += [f"{who['balance']} points"] if who["balance"] else []
    parts += [f"next birthday {who['next_birthday']}"] if who["next_birthday"] else []
    parts += [f"no longer {who['cleared']}"] if who["cleared"] else []
    return [f"   member {who['status'] or 'of unknown status'}: {', '.join(parts) or 'no more'}"]


def _why_withheld(reason: str) -> str:
    return f"withheld, {reason}: {WITHHELD[reason]}"


def _in_brackets(notes: list[str]) -> str:
    return f"  [{'; '.join(notes)}]" if notes else ""
