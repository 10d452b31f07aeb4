"""Settings → what is needed to read our rows and to ask a vendor what it has of them."""

from __future__ import annotations

import random
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from streams.cli.composition import (
    connection_of,
    destination_of,
    intake_of,
    kafka_of,
    names_of,
)
from streams.cli.connections.deciding import check_name, control_of
from streams.cli.connections.settings import credentials_of, gate_settings
from streams.cli.table.command import TABLES
from streams.control.connections import gate_of
from streams.control.erased import ErasedList
from streams.control.records import ConnectionState
from streams.control.tables import table_of
from streams.delivery.http import Http
from streams.delivery.limits import Limiter
from streams.delivery.retry import Policies
from streams.errors import ConfigurationError
from streams.families import of_generation
from streams.names import ORDERGROOVE
from streams.reconcile.asking import Asker, Manners
from streams.reconcile.attentive import ATTENTIVE
from streams.reconcile.evidence import Line, Standing
from streams.reconcile.klaviyo import KLAVIYO
from streams.reconcile.rows import TableRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.delivery.connection import Connection
    from streams.engine.kafka import KafkaSettings
    from streams.families import Family
    from streams.model.delivery import Destination
    from streams.reconcile.comparing import ReadBack
    from streams.settings import Settings

READ_BACKS: Mapping[str, ReadBack] = {"klaviyo": KLAVIYO, "attentive": ATTENTIVE}
"""Destination → how it is asked."""


class Read(NamedTuple):
    """A table as it is read: its rows, and what they mean."""

    rows: TableRows
    family: Family[Any, Any, Any]


class Vendor(NamedTuple):
    """A connection that is asked."""

    connection: Connection
    destination: Destination
    readback: ReadBack


def table_read(settings: Settings, kafka: KafkaSettings, table: str) -> Read:
    """The live generation of a table.

    Raises:
        ConfigurationError: it does not exist.
        KafkaException: the broker does not answer.
    """
    family = TABLES[table]
    live = table_of(kafka, names_of(settings), family.source)
    return Read(TableRows(kafka, live.changelog), of_generation(family, live.generation))


def erased_of(settings: Settings, kafka: KafkaSettings) -> ErasedList:
    """Who was erased; raises as `ErasedList.of_topic`."""
    key = settings.hash_key.get_secret_value().encode()
    return ErasedList.of_topic(kafka, names_of(settings).erased, key)


def vendor_of(settings: Settings, name: str) -> Vendor:
    """The connection that is asked; raises `ConfigurationError`, also where it cannot be."""
    check_name(settings, name)
    configured = settings.connections[name]
    destination = destination_of(name, configured)
    readback = READ_BACKS.get(destination.name)
    if readback is None:
        raise ConfigurationError(
            "--against",
            f"{destination.name} offers nothing that profiles could be read back by",
            f"These can be: {', '.join(READ_BACKS)}",
        )
    credentials = credentials_of(name, configured, needed=True)
    connection = replace(connection_of(name, configured), credentials=credentials)
    return Vendor(connection, destination, readback)


def asker_of(vendor: Vendor) -> Asker:
    """Who asks, at the low lane's share of the limits. For one event loop."""
    connection, destination, readback = vendor
    url = connection.url or destination.url
    authorization = dict(destination.authorize(connection.credentials))
    factor = None if connection.limits is None else connection.limits * connection.low_share
    limiter = Limiter(readback.limits, factor=factor, safety=connection.safety, clock=monotonic)
    manners = Manners(limiter, Policies(destination.rules.retries), random.random)
    http = Http(url, authorization, concurrency=connection.concurrency)
    return Asker(connection.name, destination, readback, http, manners)


def standing_of(settings: Settings, name: str) -> Standing:
    """How a connection stands now."""
    state = control_of(settings).states().get(name, ConnectionState())
    gate = gate_of(gate_settings(settings.connections[name]), state)
    return Standing(gate, state.pause is not None)


def lines_of(settings: Settings, source: str) -> list[Line]:
    """Where an event may wait before it is in a row of the source's table."""
    names = names_of(settings)
    derived = names.derived(source)
    lines = [Line(derived.group, derived.topic)]
    intake = intake_of(settings, source)
    if source == ORDERGROOVE and intake != derived.topic:
        lines.append(Line(names.hydrate_group, intake))
    return lines


def kafka_for(settings: Settings) -> KafkaSettings:
    """The connection to Kafka of these commands."""
    return kafka_of(settings, "streams-reconcile")
