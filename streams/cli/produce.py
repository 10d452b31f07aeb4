"""`streams produce`: webhook bodies → the source topic, by the mapping and key that ingest uses."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from streams.cli.codecs import schemas_of
from streams.cli.composition import (
    intake_of,
    kafka_of,
    loyalty_webhook_options_of,
    names_of,
    webhook_options_of,
)
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.engine.producer import RecordProducer
from streams.errors import BadRecord, ConfigurationError
from streams.model.dead_letter import body_dead_letter
from streams.model.ids import customer_key
from streams.names import OKENDO, ORDERGROOVE
from streams.sources import okendo as okendo_source
from streams.sources import ordergroove as ordergroove_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.settings import Settings

    Mapped = Callable[[bytes, int], dict[str, Any]]
    """(body, when it is received) → record; raises `BadRecord`."""


@examples(
    "# Webhook bodies, one a line",
    "streams produce ordergroove webhooks.jsonl",
    "streams produce okendo okendo.jsonl",
)
@click.group()
def produce() -> None:
    """Write events to a source topic."""


@examples(
    "# Webhook bodies, one a line",
    "streams produce ordergroove webhooks.jsonl",
    "# One, from another program",
    "cat cancel.json | streams produce ordergroove",
)
@produce.command()
@click.argument("file", type=click.File("rb"), default="-")
@pass_context
def ordergroove(context: Context, file: BinaryIO) -> None:
    """Write webhook bodies, one a line, to the topic of Ordergroove's events.

    A body that cannot be mapped goes, with its bytes, to the source's dead letters.
    """
    options = webhook_options_of(context.settings)
    mapped = partial(ordergroove_source.record_of, options=options)
    _produce(context.settings, ORDERGROOVE, file, mapped)


@examples(
    "# Webhooks, one a line",
    "streams produce okendo okendo.jsonl",
)
@produce.command()
@click.argument("file", type=click.File("rb"), default="-")
@pass_context
def okendo(context: Context, file: BinaryIO) -> None:
    """Write webhooks, one a line, to the topic of Okendo's events.

    A line is a body, or an object of its `headers` and `body`. What cannot be mapped goes, with its
    bytes, to the source's dead letters.
    """
    settings = context.settings
    if settings.okendo is None:
        raise ConfigurationError("okendo", "it is no source here", "Add the table [okendo]")
    options = loyalty_webhook_options_of(settings)

    def mapped(line: bytes, received_at: int) -> dict[str, Any]:
        webhook = okendo_source.webhook_of_line(line)
        return okendo_source.record_of(webhook, received_at, options)

    _produce(settings, OKENDO, file, mapped)


def _produce(settings: Settings, source: str, file: BinaryIO, mapped: Mapped) -> None:
    events, dead_letters = intake_of(settings, source), names_of(settings).dead_letters(source)
    codec = schemas_of(settings, [events, dead_letters], wait=False).codec
    record, dead_letter = codec(f"sources/{source}"), codec("dead_letter")
    producer = RecordProducer(kafka_of(settings, "streams-produce"))
    produced: Counter[str] = Counter()
    for body in lines(file):
        now = time.time_ns() // 1_000_000
        try:
            told = mapped(body, now)
        except BadRecord as bad:
            letter = body_dead_letter(bad, body, now)
            producer.produce(dead_letters, letter["id"].encode(), dead_letter.encode(letter))
            produced[bad.reason] += 1
        else:
            key = customer_key(told["merchant"], told["customer_id"])
            producer.produce(events, key, record.encode(told))
            produced["records"] += 1
    producer.flush()
    producer.close()
    records = produced.pop("records", 0)
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(produced.items()))
    click.echo(f"{records} records to {events}; dead letters: {refused or 'none'}", err=True)


def lines(file: BinaryIO) -> Iterator[bytes]:
    """The bodies of a file, as they arrive: an empty line is none."""
    for line in file:
        body = line.rstrip(b"\r\n")
        if body.strip():
            yield body
