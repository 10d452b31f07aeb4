"""Settings → codecs: by the ids of our own files, or by those of a registry, asked at the start."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

import click

from streams.avro import registry
from streams.cli.composition import intake_of, names_of, sources_of
from streams.errors import ConfigurationError
from streams.names import ORDERGROOVE
from streams.registry import Address, RegistryAway, RegistryClient, Schemas, ServedRegistry, Waiting

if TYPE_CHECKING:
    from collections.abc import Collection

    from streams.settings import Registry, Settings

log = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 2.0
_LOG_EVERY: Final = 15
"""Tries between two lines of the log."""


class Unavailable(click.ClickException):
    """The registry is away, and the command does not wait for it."""

    exit_code = 69


def schemas_of(settings: Settings, written: Collection[str], *, wait: bool) -> Schemas:
    """How this process reads and writes Avro.

    Args:
        settings: with a registry or without.
        written: the topics that it writes to: our schemas must be registered for them.
        wait: until a registry that is away is back, as a worker does.

    Raises:
        ConfigurationError: our schemas are not registered; the registry's settings are wrong.
        Unavailable: the registry is away.
    """
    if settings.registry.url is None:
        return Schemas(registry())
    served = ServedRegistry(client_of(settings.registry), registry())
    names = schemas_by_topic(settings)
    missing = _found(served, {subject_of(topic): names[topic] for topic in written}, wait=wait)
    if missing:
        raise ConfigurationError(
            "registry",
            f"our schemas are not under {', '.join(missing)}",
            "Run `streams schemas register`",
        )
    return Schemas(served, Waiting(served, settings.registry.patience.total_seconds()))


def schemas_by_topic(settings: Settings) -> dict[str, str]:
    """Every topic of ours that holds Avro → the name of its schema."""
    names = names_of(settings)
    found = {names.outcomes: "outcome", intake_of(settings): f"sources/{ORDERGROOVE}"}
    for source in sources_of(settings):
        found[names.events(source)] = f"sources/{source}"
        found[names.dead_letters(source)] = "dead_letter"
    for connection in settings.connections:
        for topic in (names.deliveries(connection), names.low(connection)):
            found[topic] = "events/enriched"
        found[names.dead_letters(connection)] = "dead_letter"
    return found


def subject_of(topic: str) -> str:
    """Where a topic's schema is registered: Confluent's topic name strategy."""
    return f"{topic}-value"


def client_of(told: Registry) -> RegistryClient:
    """A client of the registry; raises `ConfigurationError`."""
    url, username = told.url, told.username
    if url is None:
        raise ConfigurationError("registry.url", "there is none", "Set it like https://host:8081")
    if told.password is not None and username is None:
        raise ConfigurationError("registry.username", "a password alone lets nobody in", "Set it")
    if told.key_file is not None and told.certificate_file is None:
        raise ConfigurationError("registry.certificate_file", "a key needs it", "Set it")
    for name in ("ca_file", "certificate_file", "key_file"):
        file = getattr(told, name)
        if file is not None and not file.is_file():
            raise ConfigurationError(f"registry.{name}", "there is no such file", "Mend it")
    return RegistryClient(
        Address(
            url=url,
            username=username,
            password="" if told.password is None else told.password.get_secret_value().strip(),
            ca_file=told.ca_file,
            certificate_file=told.certificate_file,
            key_file=told.key_file,
        )
    )


def _found(served: ServedRegistry, subjects: dict[str, str], *, wait: bool) -> list[str]:
    tries = 0
    while True:
        try:
            return served.find(subjects)
        except RegistryAway as away:
            if not wait:
                raise Unavailable(f"the schema registry is away: {away}") from None
            if tries % _LOG_EVERY == 0:
                log.warning("waits for the schema registry: %s", away)
        tries += 1
        time.sleep(_AGAIN_SECONDS)
