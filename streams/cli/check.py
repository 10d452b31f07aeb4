"""`streams check`: what each vendor would make of a shop's events, before any of them is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click
import msgspec

from streams.check import Check, told
from streams.cli.codecs import schemas_of
from streams.cli.completers import delivery_topics
from streams.cli.composition import (
    kafka_of,
)
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.explain import bodies, moment, targets
from streams.cli.narrowing import destination_option
from streams.cli.source_desks import DESKS
from streams.delivery.reader import KafkaException, PartitionReader, Stretch
from streams.engine.admin import partition_count
from streams.errors import BadRecord, ConfigurationError
from streams.explain import Explainer
from streams.names import ORDERGROOVE, SOURCES
from streams.pipeline import enriched_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from streams.check import Line
    from streams.settings import Settings


@examples(
    "# A shop's own webhooks, for every destination",
    "streams check webhooks.jsonl",
    "# Loyalty webhooks, for one connection, as data",
    "streams check --source okendo --destination klaviyo --json okendo.jsonl",
    "# What waits in a connection's topic since a day",
    "streams check --topic og.deliveries.klaviyo --since 2026-11-20T00:00:00Z",
)
@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option(
    "--topic",
    shell_complete=delivery_topics,
    help="Deliveries of this topic instead, such as og.deliveries.klaviyo.",
)
@click.option("--since", help="With --topic: from this time on (ISO 8601).")
@click.option("--source", type=click.Choice(SOURCES), default=ORDERGROOVE, help="FILE's webhooks.")
@destination_option
@click.option("--now", help="Judge ages at this time (ISO 8601) instead of each record's own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_context
def check(  # noqa: PLR0913, PLR0917 - a command's options
    context: Context,
    file: BinaryIO | None,
    topic: str | None,
    since: str | None,
    source: str,
    names: tuple[str, ...],
    now: str | None,
    *,
    as_json: bool,
) -> None:
    """Say how many customers and requests would pass each of the vendors' rules.

    Of webhook bodies in FILE (as `streams explain` reads them), or of a topic of deliveries.
    Nothing is sent; examples are masked.
    """
    settings = context.settings
    if (file is None) == (topic is None):
        raise ConfigurationError("check", "needs a FILE or --topic", "Give one of the two")
    checks = {each.name: Check(each) for each in targets(settings, names)}
    at = None if now is None else moment(now, "--now")
    if file is not None:
        unread = _read_file(file, settings, source, checks, at)
    else:
        begin = 0 if since is None else moment(since, "--since")
        unread = _read_topic(topic or "", begin, settings, checks, at)
    for each in checks.values():
        _print(each, as_json=as_json)
    if unread:
        click.echo(f"{unread} records could not be read: see `streams explain`", err=True)


def _read_file(
    file: BinaryIO, settings: Settings, source: str, checks: dict[str, Check], at: int | None
) -> int:
    """Judge what webhooks become; how many are dead letters."""
    desk = DESKS[source]
    explainer = Explainer(
        [each.target for each in checks.values()],
        desk.options_of(settings, history="complete"),
        at,
        source=desk.reading_of(settings),
        watch=lambda name, event, now: checks[name].see(event, now),
    )
    explained = explainer.explain(bodies(file.read()))
    return sum(each["dead_letter"] is not None for each in explained)


def _read_topic(
    topic: str, since: int, settings: Settings, checks: dict[str, Check], at: int | None
) -> int:
    """Judge deliveries that are on a topic; how many cannot be read."""
    codec, unread = schemas_of(settings, [topic], wait=False).codec("events/enriched"), 0
    try:
        for message in _messages(topic, since, settings):
            try:
                event = enriched_of(codec, message.value())
            except BadRecord:
                unread += 1
                continue
            for each in checks.values():
                each.see(event, message.timestamp()[1] if at is None else at)
    except KafkaException as error:
        raise ConfigurationError("--topic", f"{topic}: {error}", "Look for its name") from None
    return unread


def _messages(topic: str, since: int, settings: Settings) -> Iterator[Message]:
    kafka = kafka_of(settings, "streams-check")
    partitions = range(partition_count(kafka, topic))
    with PartitionReader(kafka) as reader:
        starts = reader.since(topic, dict.fromkeys(partitions, since))
        stretches = {
            p: Stretch(starts[p], reader.held(topic, p).end) for p in partitions if p in starts
        }
        yield from reader.read(topic, stretches, lambda: set(partitions))


def _print(check: Check, *, as_json: bool) -> None:
    lines = list(check.lines())
    if as_json:
        for line in lines:
            click.echo(msgspec.json.encode({"connection": check.target.name} | told(line)))
        return
    click.echo(f"{check.target.name}: {check.deliveries:,} deliveries")
    for (part, outcome, reason), count in sorted(check.outcomes.items()):
        click.echo(f"  {count:>8,} {part} {outcome}{f' ({reason})' if reason else ''}")
    for line in lines:
        click.echo(_row(line))
    click.echo()


def _row(line: Line) -> str:
    rate = 100 * line.passed / line.judged if line.judged else 100.0
    text = f"  {line.of:18} {line.judged:>8,} {rate:>6.1f} %  {line.rule}: {line.says}"
    if line.passed == line.judged:
        return text
    share = 100 - rate
    failing = f"have no usable {line.rule}" if line.of == "customers" else "fail"
    lacking = f"    {share:.1f} % of {line.of} {failing}: {line.means}"
    shown = f"; such as {', '.join(line.examples)}" if line.examples else ""
    return f"{text}\n{lacking}{shown}"
