"""Settings → what keeps a worker's connections to what operators decide, and to their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.cli.composition import names_of
from streams.cli.connections.settings import credentials_file_of
from streams.control.connections import ConnectionControl
from streams.control.credentials import CredentialsFile
from streams.control.follower import Follower
from streams.control.records import CONNECTIONS

if TYPE_CHECKING:
    from streams.control.connections import Steered
    from streams.delivery.connection import Connection
    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings


def follower_of(settings: Settings, kafka: KafkaSettings) -> Follower:
    """A follower of all that is decided so far; waits for a broker that is away, and says so.

    Raises:
        ConfigurationError: there is no control topic.
    """
    follower = Follower(kafka, names_of(settings).control, CONNECTIONS)
    follower.start()
    return follower


def control_of(
    settings: Settings, connection: Connection, handler: Steered, follower: Follower
) -> ConnectionControl:
    """What steers a connection's handler, once it is started on the event loop."""
    file = credentials_file_of(connection.name, settings.connections[connection.name])
    watched = None if file is None else CredentialsFile(file, connection.credentials)
    return ConnectionControl(connection, handler, follower, watched)
