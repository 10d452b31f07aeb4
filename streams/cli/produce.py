"""`streams produce`: webhook bodies → the source topic, by the mapping and key that ingest uses."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

import click

from streams.cli.codecs import schemas_of
from streams.cli.composition import kafka_of, names_of, webhook_options_of
from streams.cli.context import Context, pass_context
from streams.engine.producer import RecordProducer
from streams.errors import BadRecord
from streams.model.dead_letter import body_dead_letter
from streams.model.ids import customer_key
from streams.sources.ordergroove import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.group()
def produce() -> None:
    """Write events to a source topic."""


@produce.command()
@click.argument("file", type=click.File("rb"), default="-")
@pass_context
def ordergroove(context: Context, file: BinaryIO) -> None:
    """Write webhook bodies, one a line, to the topic of Ordergroove's events.

    A body that cannot be mapped goes, with its bytes, to the source's dead letters.
    """
    settings = context.settings
    names = names_of(settings)
    events, dead_letters = names.events("ordergroove"), names.dead_letters("ordergroove")
    codec = schemas_of(settings, [events, dead_letters], wait=False).codec
    record, dead_letter = codec("sources/ordergroove"), codec("dead_letter")
    options = webhook_options_of(settings)
    producer = RecordProducer(kafka_of(settings, "streams-produce"))
    produced: Counter[str] = Counter()
    for body in lines(file):
        now = time.time_ns() // 1_000_000
        try:
            mapped = record_of(body, now, options)
        except BadRecord as bad:
            letter = body_dead_letter(bad, body, now)
            producer.produce(dead_letters, letter["id"].encode(), dead_letter.encode(letter))
            produced[bad.reason] += 1
        else:
            key = customer_key(mapped["merchant"], mapped["customer_id"])
            producer.produce(events, key, record.encode(mapped))
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
