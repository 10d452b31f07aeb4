"""`streams timeline`: what did we send to this customer, and why? Or why not?"""

from __future__ import annotations

import sys
from typing import Final

import click
import msgspec

from streams.cli.codecs import schemas_of
from streams.cli.completers import event_types
from streams.cli.composition import kafka_of, names_of
from streams.cli.context import Context, pass_context
from streams.cli.erase.search import Who, checked, people_of
from streams.cli.examples import examples
from streams.cli.timeline.lines import story_lines
from streams.cli.timeline.storytelling import Storyteller, TopicReadings
from streams.timeline.keeping import Kept
from streams.timeline.reading import kept_since

NOBODY: Final = 1
"""Exit status where Kafka answered and knows nobody like that."""


@examples(
    "# Of one customer",
    "streams timeline 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771",
    "# By address, only what led to this",
    "streams timeline --email noor.quill@shop-demo.io --type subscriber.cancel",
    "# As data",
    "streams timeline 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771 --json",
)
@click.command()
@click.argument("customer", metavar="[MERCHANT:CUSTOMER]", required=False)
@click.option("--email", help="Instead: everybody with this address; looks the tables through.")
@click.option("--phone", help="Instead: everybody with this number.")
@click.option(
    "--type",
    "types",
    multiple=True,
    shell_complete=event_types,
    help="Only these, and what led to them.",
)
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

    What came and what became of it is read from the topics, as far back as they go; of what is
    older than the outcomes it says so. What was concluded is computed anew by today's rules: so it
    also says what was withheld, and why.
    """
    settings = context.settings
    who = checked(settings, Who(email, phone, customer), "timeline")
    kafka = kafka_of(settings, "streams-timeline")
    schemas = schemas_of(settings, [], wait=False)
    if who.customer is not None:  # no table needs to be looked through
        keys = [who.customer.encode()]
    else:
        keys = list(dict.fromkeys(each.key for each in people_of(settings, kafka, who)))
    teller, readings = (
        Storyteller(settings, kafka, schemas),
        TopicReadings(settings, kafka, schemas),
    )
    known = False
    for key in keys:
        story = teller.tell(readings, key)
        if not story.chapters and not story.elsewhere:
            continue
        known, name = True, key.decode(errors="replace")
        since = kept_since(kafka, names_of(settings).outcomes, key)
        if as_json:
            told = {"customer": name, "outcomes_since": since or None, "story": story}
            click.echo(msgspec.json.encode(told))
        else:
            click.echo("\n".join(story_lines(name, story, frozenset(types), Kept(since))))
    if not known:
        click.echo("nothing is known of anybody like that", err=True)
        sys.exit(NOBODY)
