"""`streams doctor`: what would keep this set-up from working, and what to do about it."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click
import msgspec

from streams.cli.codecs import Unavailable, schemas_by_topic, schemas_of
from streams.cli.composition import (
    awaits_sync,
    intake_of,
    kafka_of,
    names_of,
    sources_of,
)
from streams.cli.connections.deciding import control_of
from streams.cli.connections.settings import credentials_of, gate_settings
from streams.cli.context import Context, pass_context
from streams.cli.doctor.credentials import judge_connections, judge_sources
from streams.cli.doctor.twins import twins
from streams.cli.examples import examples
from streams.cli.topics.command import specs_of
from streams.cli.worker.rekey import check_customers_keys
from streams.control.connections import gate_of
from streams.control.records import ConnectionState
from streams.control.tables import table_of
from streams.doctor.cluster import (
    judge_clock,
    judge_cluster,
    judge_permissions,
    judge_protocol,
    judge_transactions,
)
from streams.doctor.findings import Finding, bad, is_well, ok, warn
from streams.doctor.machine import free_memory, judge_disk, judge_memory
from streams.doctor.topics import judge_topics, judge_twins
from streams.engine.admin import describe_topics
from streams.engine.cluster import (
    NOT_ANSWERED,
    clock_ahead,
    describe_cluster,
    opened_transaction,
    permitted,
)
from streams.engine.first_offsets import first_start
from streams.engine.group_offsets import committed_positions
from streams.engine.stretch import whole
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.engine.admin import TopicDescription
    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings

    Topics = dict[str, TopicDescription | None]

NOT_WELL: Final = 1

_SIGN: Final = {"ok": "ok  ", "warn": "warn", "bad": "BAD "}
_COLOUR: Final = {"ok": "green", "warn": "yellow", "bad": "red"}


@examples(
    "# Everything that was looked at",
    "streams doctor",
    "# Only what somebody has to do something about",
    "streams doctor --quiet",
    "# Before a start, in a script",
    "streams doctor --quiet && streams worker derive",
)
@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
@click.option("--quiet", is_flag=True, help="Only what somebody has to do something about.")
@pass_context
def doctor(context: Context, *, as_json: bool, quiet: bool) -> None:
    """Look at brokers, topics, keys, permissions, registry, credentials, clock, disk and memory.

    Changes nothing, but for a topic of one record that is made and deleted to compare clocks. Exit
    1 if anything is bad. Vendors are not asked: `streams connections test NAME` does that.
    """
    findings = []
    for each in _findings(context.settings):
        findings.append(each)
        if quiet and each.level == "ok":
            continue
        if as_json:
            click.echo(msgspec.json.encode(each._asdict()))
            continue
        sign = click.style(_SIGN[each.level], fg=_COLOUR[each.level])
        click.echo(f"{sign}  {each.about:<12}  {each.says}")
        if each.fix is not None:
            click.echo(f"      {'':<12}  → {each.fix}")
    sys.exit(0 if is_well(findings) else NOT_WELL)


def _findings(settings: Settings) -> Iterator[Finding]:
    """Everything, the brokers first: without them little else can be known."""
    yield from judge_connections(settings)
    yield from judge_sources(settings)
    kafka = kafka_of(settings, "streams-doctor")
    try:
        cluster = describe_cluster(kafka)
    except NOT_ANSWERED as error:
        yield bad(
            "kafka",
            f"{settings.kafka.bootstrap} does not answer: {error.args[0].name()}",
            "Is kafka.bootstrap right, are the brokers up, and do kafka.properties let us in?",
        )
        return
    yield from judge_cluster(cluster, settings.topics.replication)
    yield from judge_protocol(cluster, settings.kafka.protocol)
    specs = specs_of(settings)
    found = describe_topics(kafka, [each.name for each in specs])
    yield from judge_topics(specs, found)
    yield from judge_permissions(permitted(kafka, [n for n, each in found.items() if each]))
    if settings.derive.guarantee == "exactly_once":
        refused = opened_transaction(kafka, f"{settings.prefix}-doctor")
        yield judge_transactions(refused, settings.prefix)
    for look in (_topics, _decided, _clock, _keys, _registry, _groups, _history, _machine):
        yield from _guarded(look, settings, kafka, found)


def _topics(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    """Topics that are read and written together."""
    yield from judge_twins(twins(settings, kafka), found)


def _guarded(
    look: Callable[[Settings, KafkaSettings, Topics], Iterator[Finding]],
    settings: Settings,
    kafka: KafkaSettings,
    found: Topics,
) -> Iterator[Finding]:
    """What a look finds; where it cannot look, that."""
    about = look.__name__.removeprefix("_")
    try:
        yield from look(settings, kafka, found)
    except ConfigurationError as error:
        yield bad(about, f"{error.setting}: {error.problem}", error.fix)
    except NOT_ANSWERED as error:
        says = f"could not be looked at: {error.args[0].name()}"
        yield warn(about, says, "Look at the permissions, and try again")


def _decided(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    """Connections that run in another mode than the settings say."""
    del kafka
    if found.get(names_of(settings).control) is None:
        return
    states = control_of(settings).states()
    for name, configured in settings.connections.items():
        own = gate_settings(configured)
        gate = gate_of(own, states.get(name, ConnectionState()))
        if gate.mode == own.mode:
            continue
        says = f"{name}: {gate.mode} by decision (settings: {own.mode})"
        try:
            credentials_of(name, configured, needed=gate.mode in {"live", "allowlist"})
        except ConfigurationError as error:
            yield bad("connections", f"{says}; {error.setting}: {error.problem}", error.fix)
        else:
            yield ok("connections", says)


def _clock(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    del found
    yield judge_clock(clock_ahead(kafka, f"{settings.prefix}.doctor"))


def _keys(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    source = names_of(settings).events(sources_of(settings)[0])
    if found.get(source) is None:
        return
    if not whole(kafka, source).offsets:
        yield ok("keys", f"{source} is empty")
        return
    check_customers_keys(kafka, settings, schemas_of(settings, [], wait=False))
    yield ok(
        "keys", f"a sample of {source} is keyed by merchant:customer, and lies where it should"
    )


def _registry(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    del kafka, found
    if settings.registry.url is None:
        yield ok("registry", "none is configured: schemas are those of our own files")
        return
    written = [each for each in schemas_by_topic(settings) if each != intake_of(settings)]
    try:
        schemas_of(settings, written, wait=False)
    except Unavailable as away:
        yield bad("registry", away.message, "Is registry.url right? Workers wait until it is back")
    else:
        yield ok("registry", f"it answers, and has our schemas of {len(written)} topics")


def _groups(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    """Groups that began once must have an offset in every partition."""
    names = names_of(settings)
    derived = [names.derived(source) for source in sources_of(settings)]
    groups = [(each.group, each.topic) for each in derived]
    groups += [(names.deliver_group(n), names.deliveries(n)) for n in settings.connections]
    if found.get(names.control) is None:
        return
    began = 0
    for group, topic in groups:
        there = found.get(topic)
        if there is None or first_start(kafka, group, topic, control=names.control) is None:
            continue
        began += 1
        positions = committed_positions(kafka, group, topic, range(there.partitions))
        lost = [partition for partition, each in positions.items() if each is None]
        if lost:
            yield bad(
                "groups",
                f"{group} began with {topic} and has no offset in {lost}",
                "Where to go on cannot be guessed: set its offsets with"
                " `kafka-consumer-groups --reset-offsets` while no worker runs",
            )
    yield ok("groups", f"{began} of {len(groups)} have begun")


def _history(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    del kafka, found
    history = settings.derive.history
    if history == "live":
        yield warn(
            "history",
            "derive.history is live: who subscribed before it began is not known, so that their"
            " first and last events are withheld",
            "Run `streams sync ordergroove` and set derive.history = synced, or complete where the"
            " topic holds everything",
        )
    elif awaits_sync(settings):
        yield ok("history", "synced: from the end of each merchant's first `streams sync` on")
    else:
        yield ok("history", history)


def _machine(settings: Settings, kafka: KafkaSettings, found: Topics) -> Iterator[Finding]:
    derive, names = settings.derive, names_of(settings)
    rows = 0
    for source in sources_of(settings):
        changelog = table_of(kafka, names, source).changelog
        if found.get(changelog) is not None:
            rows += whole(kafka, changelog).offsets
    yield judge_memory(rows, free_memory(), derive.state_store)
    place = derive.state_directory.absolute()
    while not place.exists():
        place = place.parent
    with suppress(OSError):
        free = shutil.disk_usage(place).free
        yield from judge_disk(free, str(derive.state_directory), derive.state_store)
