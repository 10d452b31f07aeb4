"""`streams schemas`: ours against earlier releases and a registry, and what others' may change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.avro import registry
from streams.cli.codecs import Unavailable, client_of, schemas_by_topic, subject_of
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.schemas.drift import show_drift
from streams.cli.schemas.releases import check_files, incompatible, write_release
from streams.errors import ConfigurationError
from streams.registry import RegistryAway, SchemaRefused, obstacles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.registry import RegistryClient
    from streams.settings import Settings

SEEN = 3
"""Obstacles that are told of one version; the rest is counted."""


@examples(
    "# May this version run beside what earlier ones wrote?",
    "streams schemas check",
    "# What would vendors lose by a change at the source?",
    "streams schemas drift --writer new.avsc",
)
@click.group()
def schemas() -> None:
    """Our schemas, their releases, and those of others."""


@examples(
    "# In the registry of registry.url",
    "streams schemas register",
)
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


@examples(
    "# Against earlier releases and, with registry.url, what is registered",
    "streams schemas check",
)
@schemas.command()
@pass_context
def check(context: Context) -> None:
    """Say whether our schemas read what earlier releases wrote, and what a registry has.

    Exit 1 if a released record could not be read any more, with the fields; 2 if a registered one.
    """
    found = check_files()
    if context.settings.registry.url is not None:
        _check_registry(context.settings)
    if found:
        raise incompatible(found)


@examples(
    "# When 1.4.0 is released",
    "streams schemas release 1.4.0",
)
@schemas.command()
@click.argument("version")
def release(version: str) -> None:
    """Keep today's schemas as those of VERSION, which all later ones must be able to read."""
    click.echo(f"kept in released/{write_release(version).name}")


@examples(
    "# The source will write by a new schema",
    "streams schemas drift --writer new.avsc",
    "# The mapping is to be changed",
    "streams schemas drift --mapping new.toml",
)
@schemas.command()
@click.option(
    "--writer",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A new schema of those who write the source topic (.avsc).",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A settings file with a new [ordergroove.mapping].",
)
@pass_context
def drift(context: Context, writer: Path | None, mapping: Path | None) -> None:
    """List the fields of destinations that would lose their source; exit 1 if there are any.

    Compared is with the mapping that is configured, or else with our own schema.
    """
    show_drift(context.settings, writer, mapping)


def _check_registry(settings: Settings) -> None:
    """Say whether our schemas are registered, and whether they read all that others registered."""
    client, wanted = client_of(settings.registry), _wanted(settings)
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
