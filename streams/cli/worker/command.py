"""`streams worker`: the long-running roles. Everything is checked before anything starts."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from streams.cli.codecs import schemas_of
from streams.cli.completers import connection_names
from streams.cli.composition import (
    breaker_rule_of,
    connection_of,
    hydrate_store_of,
    intake_of,
    kafka_of,
    loyalty_options_of,
    names_of,
    routes_of,
    sources_of,
    stall_timeout_of,
    state_store_of,
)
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.logs import configure_logs
from streams.cli.worker.deriving import Deriving, prepared_lane
from streams.cli.worker.foreign import checked_mapping
from streams.cli.worker.hydrate import Hydrating, apis_of, checked_topic, prepared_hydrate
from streams.cli.worker.rehearsal import rehearsal
from streams.cli.worker.rekey import foreign_topic, prepared_rekey
from streams.cli.worker.steering import control_of, follower_of
from streams.delivery.account import Accounts
from streams.delivery.clock import Clock
from streams.delivery.gauges import delivery_metrics
from streams.delivery.heartbeats import Heartbeats
from streams.engine.admin import check_same_partitions, partition_count
from streams.engine.away import await_broker
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.following import Follower
from streams.engine.growth import watch_partitions
from streams.engine.producer import RecordProducer
from streams.engine.retention import watch_retention
from streams.engine.shell import EngineApp, build_app
from streams.engine.worker import run_worker
from streams.errors import ConfigurationError
from streams.health import serve_health, starting_pages
from streams.hydrate.counts import HydrateCounts, hydrate_metrics
from streams.metrics import (
    Readers,
    RekeyCounts,
    derive_metrics,
    engine_metrics,
    registry_of,
    rekey_metrics,
    schema_metrics,
)
from streams.replay.depth import Depths
from streams.replay.gauges import dead_letter_metrics
from streams.topology import (
    SOURCE,
    Shared,
    deliver_lane,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager

    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane
    from streams.registry import Schemas
    from streams.settings import Settings

port_option = click.option("--port", type=click.IntRange(0, 65535), help="HTTP port of health.")


@examples(
    "# The two that are always needed",
    "streams worker derive",
    "streams worker deliver --all",
)
@click.group()
@pass_context
def worker(context: Context) -> None:
    """Run a role; any number of processes of each."""
    configure_logs(context.settings.logs)


@examples(
    "# Any number of processes, up to one a partition",
    "streams worker derive",
    "# A second one on this machine",
    "streams worker derive --port 6076",
)
@worker.command()
@port_option
@pass_context
def derive(context: Context, port: int | None) -> None:
    """Source topics → customers' state, derived events, delivery topics: exactly once."""
    settings = context.settings
    names, kafka, at = names_of(settings), kafka_of(settings, "streams-derive"), rehearsal()
    sources = sources_of(settings)
    routes_of(settings)
    loyalty_options_of(settings)  # what is wrong is said before the first start is recorded
    stores = {source: state_store_of(settings, source) for source in sources}
    written = [*map(names.deliveries, settings.connections), *map(names.dead_letters, sources)]
    with _starting(settings, port):
        schemas = schemas_of(settings, written, wait=True)
        checked_mapping(settings)
        await_broker(kafka)
    shared = Deriving(kafka, settings, schemas, at)
    pairs = [prepared_lane(shared, source, store) for source, store in stores.items()]
    app = _app(settings, names.derive_group, kafka, [lane for lane, _ in pairs], port)
    letters = [*map(names.dead_letters, sources)]
    _run(app, partial(derive_metrics, *(counts for _, counts in pairs)), schemas, letters)


@examples(
    "# In front of a topic that is keyed otherwise: rekey.topic",
    "streams worker rekey",
)
@worker.command()
@port_option
@pass_context
def rekey(context: Context, port: int | None) -> None:
    """A topic keyed otherwise → source topic, keyed by customer: exactly once."""
    settings = context.settings
    foreign_topic(settings)  # what is wrong there is said without Kafka or a registry
    names, kafka = names_of(settings), kafka_of(settings, "streams-rekey")
    source, counts, at = intake_of(settings), RekeyCounts(), rehearsal()
    with _starting(settings, port):
        schemas = schemas_of(settings, [names.dead_letters(SOURCE)], wait=True)
        await_broker(kafka)
    lane = prepared_rekey(kafka, settings, schemas, counts, at)
    app = _app(settings, lane.group, kafka, [lane], port)
    watch_partitions(app, {source: partition_count(kafka, source)})
    _run(app, partial(rekey_metrics, counts), schemas)


@examples(
    "# In front of derive, where webhooks come without snapshots: hydrate.topic",
    "streams worker hydrate",
)
@worker.command()
@port_option
@pass_context
def hydrate(context: Context, port: int | None) -> None:
    """A topic of Ordergroove's records → source topic, with what they lacked: exactly once."""
    settings = context.settings
    checked_topic(settings)
    store, apis = hydrate_store_of(settings), apis_of(settings)
    names, kafka = names_of(settings), kafka_of(settings, "streams-hydrate")
    target, counts, at = names.events(SOURCE), HydrateCounts(), rehearsal()
    with _starting(settings, port):
        schemas = schemas_of(settings, [target, names.dead_letters(SOURCE)], wait=True)
        await_broker(kafka)
    shared = Hydrating(kafka, settings, schemas, counts, at)
    lane = prepared_hydrate(shared, apis, store)
    app = _app(settings, lane.group, kafka, [lane], port)
    watch_partitions(app, {target: partition_count(kafka, target)})
    _run(app, partial(hydrate_metrics, counts), schemas)


@examples(
    "# Every connection that is not off",
    "streams worker deliver --all",
    "# Some, in a process of their own",
    "streams worker deliver klaviyo attentive --port 6076",
)
@worker.command()
@click.argument("names", nargs=-1, shell_complete=connection_names)
@click.option("--all", "everything", is_flag=True, help="Every connection that is not off.")
@port_option
@pass_context
def deliver(
    context: Context, names: tuple[str, ...], port: int | None, *, everything: bool
) -> None:
    """Delivery topics → vendors: at least once, each customer in order. NAMES are connections."""
    settings = context.settings
    chosen = _chosen(settings, names, everything=everything)
    topics, kafka = names_of(settings), kafka_of(settings, "streams-deliver")
    connections = [connection_of(name, settings.connections[name]) for name in chosen]
    written = [topics.outcomes, *map(topics.dead_letters, chosen)]
    with _starting(settings, port):
        schemas = schemas_of(settings, written, wait=True)
        await_broker(kafka)
        follower = follower_of(settings, kafka)
    key, rule = settings.hash_key.get_secret_value().encode(), breaker_rule_of(settings)
    accounts, producer = Accounts(key), RecordProducer(kafka)
    shared = Shared(kafka, topics, schemas, producer, key, rule, accounts)
    pairs = [deliver_lane(each, shared) for each in connections]
    for connection, (lane, handler) in zip(connections, pairs, strict=True):
        handler.steer(control_of(settings, connection, handler, follower))
        _check_topics(kafka, settings, connection.name, lane)
    lanes: Sequence[Lane] = [lane for lane, _ in pairs]
    statistics = {handler.connection.name: handler.statistics for _, handler in pairs}
    app_id = lanes[0].group if len(lanes) == 1 else f"{settings.prefix}-deliver"
    app = _app(settings, app_id, kafka, lanes, port)
    heartbeats = Heartbeats(accounts, topics.control, producer, Clock())

    async def share() -> None:
        """Share the accounts' rates with other processes."""
        await heartbeats.serve(partial(Follower, kafka, topics.control))

    app.task(share)
    letters = [*map(topics.dead_letters, chosen)]
    _run(app, partial(delivery_metrics, statistics, accounts), schemas, letters)


def _check_topics(kafka: KafkaSettings, settings: Settings, name: str, lane: Lane) -> None:
    """Raise `ConfigurationError` unless a connection's topics agree; record its first start."""
    topics = names_of(settings)
    for twin in (topics.outcomes, topics.low(name), topics.profiles_changelog(name)):
        check_same_partitions(kafka, lane.topic, twin)
    start = settings.connections[name].start
    ensure_first_offsets(kafka, lane.group, lane.topic, start=start, control=topics.control)


def _chosen(settings: Settings, names: tuple[str, ...], *, everything: bool) -> list[str]:
    known: Mapping[str, object] = settings.connections
    if not known:
        raise ConfigurationError(
            "connections", "there is none", "Add a table such as [connections.klaviyo]"
        )
    if everything == bool(names):
        raise ConfigurationError("worker deliver", "not clear what to deliver", "NAME… or --all")
    for name in names:
        if name not in known:
            raise ConfigurationError(
                "worker deliver", f"no connection {name}", f"Known: {', '.join(known)}"
            )
        if settings.connections[name].mode == "off":
            raise ConfigurationError(
                f"connections.{name}.mode", "the connection is off", "Set shadow or live"
            )
    found = [
        name
        for name, each in settings.connections.items()
        if (everything and each.mode != "off") or name in names
    ]
    if not found:
        raise ConfigurationError("connections", "all are off", "Set a mode of shadow or live")
    return found


def _starting(settings: Settings, port: int | None) -> AbstractContextManager[None]:
    """Have the health pages answer while the process waits for the registry and the broker."""
    return starting_pages(settings.web.host, settings.web.port if port is None else port)


def _app(
    settings: Settings, app_id: str, kafka: KafkaSettings, lanes: Sequence[Lane], port: int | None
) -> EngineApp:
    web_port = settings.web.port if port is None else port
    return build_app(
        app_id,
        kafka,
        lanes,
        web_port=web_port,
        web_host=settings.web.host,
        stall_timeout=stall_timeout_of(settings),
    )


def _run(
    app: EngineApp,
    metrics: Callable[[], Readers],
    schemas: Schemas,
    letters: Collection[str] = (),
) -> None:
    """Run until the end; `letters`: dead-letter topics, of which the metrics say what stands."""
    depths = Depths(app.kafka, letters)
    readers: list[Callable[[], Readers]] = [
        metrics,
        partial(engine_metrics, lambda: app.pollers, watch_retention(app)),
        lambda: dead_letter_metrics(depths()),
    ]
    if schemas.waiting is not None:
        readers.append(partial(schema_metrics, schemas.waiting.lanes))
    registry = registry_of(*readers)
    serve_health(app, app.pollers, registry)
    topics = [poller.lane.topic for poller in app.pollers.values()]
    watch_partitions(app, {topic: partition_count(app.kafka, topic) for topic in topics})
    depths.start()
    sys.exit(run_worker(app))
