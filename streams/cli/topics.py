"""`streams topics`: what Kafka must hold before anything runs."""

from __future__ import annotations

import click

from streams.cli.composition import kafka_of, names_of, sources_of
from streams.cli.context import Context, pass_context
from streams.engine.admin import TopicSpec, create_topics


@click.group()
def topics() -> None:
    """Topics of Kafka."""


@topics.command()
@pass_context
def create(context: Context) -> None:
    """Create every topic that is missing, with its policy; those that exist are left alone."""
    settings = context.settings
    replication = settings.topics.replication
    enough = {"min.insync.replicas": str(min(2, replication))}
    specs = [
        TopicSpec(
            name=topic.name,
            partitions=settings.topics.partitions,
            replication=replication,
            config=topic.config | enough,
        )
        for topic in names_of(settings).topics(settings.connections, sources_of(settings))
    ]
    made = create_topics(kafka_of(settings, "streams-topics"), specs)
    for spec in specs:
        click.echo(f"{'created' if spec.name in made else 'exists '}  {spec.name}")
