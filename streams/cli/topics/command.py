"""`streams topics`: what Kafka must hold before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.cli.composition import kafka_of, topics_of
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.topics.rewrite import rewrite
from streams.engine.admin import TopicSpec, create_topics

if TYPE_CHECKING:
    from streams.settings import Settings


@examples(
    "# What is missing, with its policy",
    "streams topics create",
)
@click.group()
def topics() -> None:
    """Topics of Kafka."""


topics.add_command(rewrite)


@examples(
    "# Before the first start; later after a connection was added",
    "streams topics create",
)
@topics.command()
@pass_context
def create(context: Context) -> None:
    """Create every topic that is missing, with its policy; those that exist are left alone."""
    settings = context.settings
    specs = specs_of(settings)
    made = create_topics(kafka_of(settings, "streams-topics"), specs)
    for spec in specs:
        click.echo(f"{'created' if spec.name in made else 'exists '}  {spec.name}")


def specs_of(settings: Settings) -> list[TopicSpec]:
    """Every topic that Kafka must hold, as it must be; raises `ConfigurationError`."""
    replication = settings.topics.replication
    enough = {"min.insync.replicas": str(min(2, replication))}
    return [
        TopicSpec(
            name=topic.name,
            partitions=settings.topics.partitions,
            replication=replication,
            config=topic.config | enough,
        )
        for topic in topics_of(settings)
    ]
