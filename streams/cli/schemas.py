"""`streams schemas`: our schemas in a registry, under the names of their topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.avro import registry
from streams.cli.codecs import Unavailable, client_of, schemas_by_topic, subject_of
from streams.cli.context import Context, pass_context
from streams.errors import ConfigurationError
from streams.registry import RegistryAway, SchemaRefused, obstacles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.registry import RegistryClient
    from streams.settings import Settings

SEEN = 3
"""Obstacles that are told of one version; the rest is counted."""


@click.group()
def schemas() -> None:
    """Our schemas in a registry."""


@schemas.command()
@pass_context
def register(context: Context) -> None:
    """Register our schema of every topic; those that are registered stay as they are."""
    client, wanted = client_of(context.settings.registry), _wanted(context.settings)
    refused: dict[str, str] = {}
    width = max(map(len, wanted))
    click.echo(f"{'subject':{width}}  {'id':>6}  version")
    try:
        for subject, text in wanted.items():
            try:
                found = client.register(subject, text)
            except SchemaRefused as error:
                click.echo(f"{subject:{width}}  {'-':>6}  refused")
                refused[subject] = f"{error}; {_told(_cannot_read(client, subject, text))}"
            else:
                click.echo(f"{subject:{width}}  {found.id:>6}  {found.version:>7}")
    except RegistryAway as away:
        raise Unavailable(f"the schema registry is away: {away}") from None
    for subject, why in refused.items():
        raise ConfigurationError(
            subject,
            f"the registry does not take our schema: {why}",
            "Give the subject another compatibility level, or this program another prefix",
        )


@schemas.command()
@pass_context
def check(context: Context) -> None:
    """Say whether our schemas are registered, and whether they read all that others registered."""
    client, wanted = client_of(context.settings.registry), _wanted(context.settings)
    unread: dict[str, str] = {}
    try:
        for subject, text in wanted.items():
            found = client.find(subject, text)
            state = "not registered" if found is None else f"id {found.id}, version {found.version}"
            problems = _cannot_read(client, subject, text)
            click.echo(f"{subject}: {state}; {_told(problems)}")
            if problems:
                unread[subject] = _told(problems)
    except RegistryAway as away:
        raise Unavailable(f"the schema registry is away: {away}") from None
    for subject, why in unread.items():
        raise ConfigurationError(
            subject, why, "Records of that version would be dead letters: have it changed"
        )


def _wanted(settings: Settings) -> dict[str, str]:
    """Subject → the text of our schema."""
    texts = registry().texts
    return {subject_of(topic): texts[name] for topic, name in schemas_by_topic(settings).items()}


def _cannot_read(client: RegistryClient, subject: str, text: str) -> dict[int, list[str]]:
    """The subject's versions that our schema does not read whole, and why."""
    versions = client.versions(subject)
    return {number: why for number, each in versions.items() if (why := obstacles(text, each))}


def _told(problems: Mapping[int, list[str]]) -> str:
    if not problems:
        return "ours reads every version"
    parts = []
    for number, why in problems.items():
        more = f" and {len(why) - SEEN} more" if len(why) > SEEN else ""
        parts.append(f"ours does not read version {number}: {'; '.join(why[:SEEN])}{more}")
    return ". ".join(parts)
