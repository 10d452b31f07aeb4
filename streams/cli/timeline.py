"""`streams timeline`: what did we send to this customer, and why? Or why not?"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from streams.cli.codecs import schemas_of
from streams.cli.composition import awaits_sync, kafka_of, names_of, sources_of
from streams.cli.context import Context, pass_context
from streams.cli.deriving import pipeline_of
from streams.cli.erase_search import Who, checked, people_of
from streams.cli.timeline_lines import story_lines
from streams.control.tables import table_of
from streams.engine.batch import Position
from streams.engine.first_offsets import first_start
from streams.engine.rows import Rows, Shard
from streams.model.ids import is_nobody
from streams.names import ORDERGROOVE
from streams.synced import History, mark_synced
from streams.timeline.reading import outcomes_of, records_of
from streams.timeline.story import Story, ends_of, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.kafka import KafkaSettings
    from streams.pipeline import Pipeline
    from streams.registry import Schemas
    from streams.settings import Settings
    from streams.timeline.story import Came, Chapter

NOBODY: Final = 1
"""Exit status where Kafka answered and knows nobody like that."""


@click.command()
@click.argument("customer", metavar="[MERCHANT:CUSTOMER]", required=False)
@click.option("--email", help="Instead: everybody with this address; looks the tables through.")
@click.option("--phone", help="Instead: everybody with this number.")
@click.option("--type", "types", multiple=True, help="Only these, and what led to them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a customer.")
@pass_context
def timeline(
    context: Context,
    customer: str | None,
    email: str | None,
    phone: str | None,
    types: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Tell what came of a customer, what was concluded and why, and what became of each delivery.

    What came and what became of it is read from the topics, as far back as they go. What was
    concluded is computed anew by today's rules: so it also says what was withheld, and why.
    """
    settings = context.settings
    who = checked(settings, Who(email, phone, customer), "timeline")
    kafka = kafka_of(settings, "streams-timeline")
    schemas = schemas_of(settings, [], wait=False)
    if who.customer is not None:  # no table needs to be looked through
        keys = [who.customer.encode()]
    else:
        keys = list(dict.fromkeys(each.key for each in people_of(settings, kafka, who)))
    known = False
    for key in keys:
        story = _story(settings, kafka, schemas, key)
        if not story.chapters and not story.elsewhere:
            continue
        known, name = True, key.decode(errors="replace")
        if as_json:
            click.echo(msgspec.json.encode({"customer": name, "story": story}))
        else:
            click.echo("\n".join(story_lines(name, story, frozenset(types))))
    if not known:
        click.echo("nothing is known of anybody like that", err=True)
        sys.exit(NOBODY)


def _story(settings: Settings, kafka: KafkaSettings, schemas: Schemas, key: bytes) -> Story:
    """What all sources tell of a key, in order."""
    names, now = names_of(settings), int(time.time() * 1_000)
    decode = schemas.decode_in_thread("outcome")
    lows = {names.low(each) for each in settings.connections}
    ends = ends_of(outcomes_of(kafka, names.outcomes, key, decode), lows.__contains__)
    chapters: list[Chapter] = []
    for source in sources_of(settings):
        derived = names.derived(source)
        started = first_start(kafka, derived.group, derived.topic, control=names.control)
        generation = table_of(kafka, names, source).generation
        pipeline = pipeline_of(source, settings, schemas, started or 0, generation=generation)
        came = records_of(kafka, derived.topic, key)
        chapters += told(came, _chooser(settings, pipeline, source), ends, now)
    chapters.sort(key=lambda each: each.at)
    return Story(chapters, [end for some in ends.values() for end in some])


def _chooser(
    settings: Settings, pipeline: Pipeline[Any], source: str
) -> Callable[[Came], Pipeline[Any] | None]:
    """What handles each record, as derive would choose: by the marks of syncs before it."""
    rows = Rows(Shard({}, lambda _: 0, Position(0)))
    history = History(pipeline, awaited=awaits_sync(settings)) if source == ORDERGROOVE else None

    def choose(each: Came) -> Pipeline[Any] | None:
        if is_nobody(each.key):
            mark_synced(each.key, each.recorded_at, rows)
            return None
        return pipeline if history is None else history.of(each.key, each.value, rows)

    return choose
