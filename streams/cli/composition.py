"""Settings → the values that the rooms below want. Nothing else knows both sides."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import quote

from streams.breaker import Rule
from streams.cli.connections.settings import (
    address_of,
    check_numbers,
    credentials_of,
    sync_every,
    wanted_events,
)
from streams.delivery.connection import Connection
from streams.derive import DeriveOptions, LoyaltyOptions
from streams.destinations import DESTINATIONS
from streams.engine.kafka import KafkaSettings
from streams.engine.state.memory import MemoryStore
from streams.engine.state.opening import open_local_state
from streams.engine.state.rocksdb import RocksStore
from streams.errors import ConfigurationError
from streams.model.delivery import Destination, Options
from streams.names import LARGEST_DEAD_LETTER, ORDERGROOVE, SOURCES, Names
from streams.route import Route
from streams.settings import Okendo
from streams.sources import okendo
from streams.sources.ordergroove import WebhookOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from streams.derive.terms import History
    from streams.engine.state.store import StateStore
    from streams.names import Topic
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


def intake_of(settings: Settings, source: str = ORDERGROOVE) -> str:
    """The topic that a source's new records are written to: hydrate's, where that is set up.

    Hydrate is for Ordergroove: Okendo's API is too slow to be asked of each event. Raises
    `ConfigurationError`.
    """
    hydrated = hydrated_topic(settings) if source == ORDERGROOVE else None
    return hydrated or names_of(settings).events(source)


def hydrated_topic(settings: Settings) -> str | None:
    """The topic that hydrate reads; None: no hydrate. Raises `ConfigurationError`."""
    topic = settings.hydrate.topic
    names = names_of(settings)
    ours = {each.name for each in names.topics(settings.connections, SOURCES)}
    if topic is not None and topic in ours | {names.entities_changelog}:
        raise ConfigurationError(
            "hydrate.topic",
            f"{topic} is a topic that others of this prefix write or read",
            "Name one that only ingest, sync and bridges write",
        )
    if topic is not None and topic == settings.rekey.topic:
        raise ConfigurationError(
            "hydrate.topic", "rekey reads this topic and would write into it", "Name another one"
        )
    return topic


def topics_of(settings: Settings) -> list[Topic]:
    """Every topic that Kafka must hold; raises `ConfigurationError`."""
    names, hydrated = names_of(settings), hydrated_topic(settings)
    return [*names.topics(settings.connections, sources_of(settings), hydrated)]


def sources_of(settings: Settings) -> tuple[str, ...]:
    """The sources that are configured, by a table of their name: Ordergroove always is."""
    return tuple(each for each in SOURCES if getattr(settings, each) is not None)


def instance_of(settings: Settings) -> str:
    """A name that no other live process has."""
    return settings.kafka.instance_id or f"{socket.gethostname()}-{os.getpid()}"


def webhook_options_of(settings: Settings) -> WebhookOptions:
    """How Ordergroove's values are read."""
    return WebhookOptions(settings.ordergroove.source_zone, settings.ordergroove.phone_region)


def loyalty_webhook_options_of(settings: Settings) -> okendo.WebhookOptions:
    """How Okendo's values are read."""
    told = settings.okendo or Okendo()
    return okendo.WebhookOptions(told.store, okendo.FieldPaths(**told.fields.model_dump()))


def loyalty_options_of(
    settings: Settings, started_at: int = 0, history: History | None = None
) -> LoyaltyOptions:
    """How loyalty events are derived: arguments and errors are those of `derive_options_of`."""
    told, shared = settings.okendo or Okendo(), derive_options_of(settings, started_at, history)
    unseeded = history is None and awaits_sync(settings)  # no sync brings members
    return LoyaltyOptions(
        history="live" if unseeded else shared.history,
        synced_at=shared.synced_at or 0,
        flows_from=shared.flows_from,
        announce=shared.announce,
        late_after=shared.late_after,
        tiers=tuple(told.tiers),
        enrolled_on_any_status=told.enrolled_on_any_status,
        zone=told.zone,
    )


def derive_options_of(
    settings: Settings, started_at: int = 0, history: History | None = None
) -> DeriveOptions:
    """How events are derived.

    `started_at`: derive's first start in epoch milliseconds, which `flows_from = "start"` means.
    `history` stands in for the setting.
    """
    told = settings.derive
    starts: Mapping[object, int] = {"start": started_at, "beginning": 0}
    unsaid = 0 if history == "synced" else None  # who asks what it makes means: after the sync
    return DeriveOptions(
        history=history or told.history,
        synced_at=unsaid if told.synced_at is None else _instant(told.synced_at),
        flows_from=starts[told.flows_from]
        if isinstance(told.flows_from, str)
        else _instant(told.flows_from),
        mode=told.mode,
        native_subscriptions_created=told.native_subscriptions_created,
        cancel_settle=_milliseconds(told.cancel_settle),
        checkout_settle=_milliseconds(told.checkout_settle),
        card_expiration_warnings=told.card_expiration_warnings,
        announce=frozenset(told.announce),
        late_after=_milliseconds(told.late_after),
    )


def awaits_sync(settings: Settings) -> bool:
    """Whether the source topic itself says when each merchant's first sync ended."""
    return settings.derive.history == "synced" and settings.derive.synced_at is None


def goes_by_marks(settings: Settings) -> bool:
    """Whether the source topic's marks say when each merchant's past was told."""
    return settings.derive.history != "complete" and settings.derive.synced_at is None


def _instant(when: datetime) -> int:
    return int(when.timestamp() * 1_000)


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1_000)


def breaker_rule_of(settings: Settings) -> Rule:
    """When derive and connections stop because too many fail alike."""
    told = settings.breaker
    return Rule(
        share=told.share,
        at_least=told.at_least,
        within=told.within.total_seconds(),
        retry=told.retry.total_seconds(),
    )


def state_store_of(settings: Settings, source: str = ORDERGROOVE) -> StateStore:
    """Where derive keeps a source's rows; raises `ConfigurationError` if that is not possible."""
    group = names_of(settings).derived(source).group
    return _store(settings, group, on_disk=settings.derive.state_store == "rocksdb")


def hydrate_store_of(settings: Settings) -> StateStore:
    """Where hydrate keeps its rows; raises `ConfigurationError` if that is not possible."""
    group = names_of(settings).hydrate_group
    return _store(settings, group, on_disk=settings.hydrate.state_store == "rocksdb")


def _store(settings: Settings, group: str, *, on_disk: bool) -> StateStore:
    if not on_disk:
        return MemoryStore()
    told = settings.derive
    # a restart must find it again: no process id
    name = quote(settings.kafka.instance_id or socket.gethostname(), safe="")
    return RocksStore(open_local_state(told.state_directory / f"{group}-{name}", told.state_cache))


def stall_timeout_of(settings: Settings) -> float:
    """Seconds without progress after which a worker ends; 0: never."""
    return settings.worker.stall_timeout.total_seconds()


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
    return Options(
        display_zone=configured.display_zone,
        event_names=configured.event_names,
        late_events=configured.late_events,
        client_user_id=configured.client_user_id,
        contact_fields=dict[str, str](configured.contact_fields.items()),
        collection=configured.collection,
        money_unit=configured.total_value_unit,
        order_statuses=dict(configured.order_statuses),
    )


def connection_of(name: str, configured: ConnectionSettings) -> Connection:
    """A connection for the deliver role; raises `ConfigurationError`."""
    destination = destination_of(name, configured)
    check_numbers(name, destination, configured)
    return Connection(
        name=name,
        destination=destination.name,
        mode=configured.mode,
        percentage=configured.percentage,
        allowlist=frozenset(configured.allowlist),
        events=wanted_events(name, destination, configured),
        credentials=credentials_of(name, configured),
        account=configured.account,
        url=address_of(name, configured),
        options=options_of(configured),
        sync_profiles_every=sync_every(destination, configured),
        max_age=dict(configured.max_age),
        park_after=configured.park_after.total_seconds(),
        concurrency=configured.concurrency,
        low_share=configured.low_share,
        limits=None if configured.limits == "off" else configured.limits,
    )
