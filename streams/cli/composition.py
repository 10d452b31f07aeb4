"""Settings → the values that the rooms below want. Nothing else knows both sides."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from streams.delivery.connection import Connection
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.kafka import KafkaSettings
from streams.errors import ConfigurationError
from streams.model.delivery import Destination, Options
from streams.names import LARGEST_DEAD_LETTER, Names
from streams.route import Route
from streams.sources.ordergroove import WebhookOptions

if TYPE_CHECKING:
    from pathlib import Path

    from streams.settings import Connection as ConnectionSettings
    from streams.settings import Settings


def kafka_of(settings: Settings, client_id: str) -> KafkaSettings:
    """How to reach Kafka."""
    extra = {"message.max.bytes": str(LARGEST_DEAD_LETTER)} | settings.kafka.properties
    if settings.kafka.password is not None:
        extra["sasl.password"] = settings.kafka.password.get_secret_value()
    return KafkaSettings(
        bootstrap=settings.kafka.bootstrap,
        extra=extra,
        protocol=settings.kafka.protocol,
        instance_id=settings.kafka.instance_id,
        client_id=client_id,
    )


def names_of(settings: Settings) -> Names:
    """What everything is called."""
    return Names(settings.prefix)


def instance_of(settings: Settings) -> str:
    """A name that no other live process has."""
    return settings.kafka.instance_id or f"{socket.gethostname()}-{os.getpid()}"


def webhook_options_of(settings: Settings) -> WebhookOptions:
    """How Ordergroove's values are read."""
    return WebhookOptions(settings.ordergroove.source_zone, settings.ordergroove.phone_region)


def derive_options_of(settings: Settings) -> DeriveOptions:
    """How events are derived."""
    return DeriveOptions(late_after=int(settings.derive.late_after.total_seconds() * 1000))


def destination_of(name: str, configured: ConnectionSettings) -> Destination:
    """The destination of a connection; raises `ConfigurationError`."""
    wanted = configured.destination or name
    found = DESTINATIONS.get(wanted)
    if found is None:
        raise ConfigurationError(
            f"connections.{name}.destination",
            f"there is no destination {wanted}",
            f"Choose one of: {', '.join(DESTINATIONS)}",
        )
    return found


def routes_of(settings: Settings) -> list[Route]:
    """What each connection takes, whatever its mode: modes are the deliver role's."""
    return [
        Route(
            name,
            destination_of(name, each).takes,
            None if each.merchants is None else frozenset(each.merchants),
        )
        for name, each in settings.connections.items()
    ]


def options_of(configured: ConnectionSettings) -> Options:
    """What a connection chooses about rendering."""
    return Options(display_zone=configured.display_zone)


def connection_of(name: str, configured: ConnectionSettings) -> Connection:
    """A connection for the deliver role; raises `ConfigurationError`."""
    destination = destination_of(name, configured)
    return Connection(
        name=name,
        destination=destination.name,
        mode=configured.mode,
        credentials=_credentials(name, configured),
        url=configured.url,
        options=options_of(configured),
        concurrency=configured.concurrency,
        limits=None if configured.limits == "off" else configured.limits,
    )


def _credentials(name: str, configured: ConnectionSettings) -> str:
    if configured.credentials is not None and configured.credentials.get_secret_value().strip():
        return configured.credentials.get_secret_value().strip()
    if configured.credentials_file is not None:
        return _read_secret(name, configured.credentials_file)
    if configured.mode == "live":
        variable = f"STREAMS_CONNECTIONS__{name.upper()}__CREDENTIALS"
        raise ConfigurationError(
            f"connections.{name}.credentials",
            "a live connection needs them",
            f"Set {variable}, or connections.{name}.credentials_file",
        )
    return ""


def _read_secret(name: str, file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"connections.{name}.credentials_file", f"not readable ({error.strerror})", "Mend it"
        ) from None
