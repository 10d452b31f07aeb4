"""The role hydrate from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.avro_structs import struct_reader
from streams.cli.composition import (
    breaker_rule_of,
    hydrated_topic,
    instance_of,
    names_of,
    webhook_options_of,
)
from streams.cli.ordergroove_access import api_of
from streams.cli.worker.rekey import check_keyed
from streams.delivery.clock import Clock
from streams.engine.admin import check_same_partitions, partition_count
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.publishing import publication_of
from streams.errors import BadRecord, ConfigurationError
from streams.hydrate.answers import Answers
from streams.hydrate.asking import Asking
from streams.hydrate.entities import STRUCTS
from streams.hydrate.job import Form, HydrateJob, Way
from streams.hydrate.preparation import Hydration
from streams.source_letters import SourceLetters
from streams.topology import SOURCE, hydrate_lane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.avro import Codec
    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane
    from streams.engine.state.store import StateStore
    from streams.hydrate.counts import HydrateCounts
    from streams.hydrate.entities import Record
    from streams.ingest.ordergroove_api import OrdergrooveApi
    from streams.registry import Schemas
    from streams.settings import Settings


class Hydrating(NamedTuple):
    """What the role stands on; `at` is called at each step of a publication."""

    kafka: KafkaSettings
    settings: Settings
    schemas: Schemas
    counts: HydrateCounts
    at: Callable[[str], None]


def checked_topic(settings: Settings) -> str:
    """The topic that hydrate reads; raises `ConfigurationError` without asking Kafka."""
    topic = hydrated_topic(settings)
    if topic is None:
        raise ConfigurationError(
            "hydrate.topic",
            "there is none",
            "Name the topic that ingest, sync and bridges are to write, such as"
            f" {settings.prefix}.ordergroove.intake",
        )
    if settings.ordergroove.mapping is not None:
        raise ConfigurationError(
            "hydrate.topic",
            "a merchant's own records (ordergroove.mapping) have no place for what they lack",
            "Leave hydrate out, or have the bridge write our schema",
        )
    return topic


def apis_of(settings: Settings) -> dict[str, OrdergrooveApi]:
    """Merchant → its API; none where nothing may be asked. Raises `ConfigurationError`."""
    if not settings.hydrate.patience:
        return {}
    return {merchant: api_of(settings, merchant) for merchant in settings.ordergroove.api}


def prepared_hydrate(
    shared: Hydrating, apis: Mapping[str, OrdergrooveApi], store: StateStore
) -> Lane:
    """The lane of the role, everything checked and its first start recorded.

    Raises:
        ConfigurationError: a topic is missing, has other partitions, or is keyed otherwise.
        KafkaException: the broker does not answer.
    """
    kafka, settings, schemas, counts, at = shared
    topic, names = checked_topic(settings), names_of(settings)
    target, group = names.events(SOURCE), names.hydrate_group
    check_same_partitions(kafka, topic, target)
    check_same_partitions(kafka, topic, names.entities_changelog)
    partition_count(kafka, names.dead_letters(SOURCE))
    check_keyed(
        kafka,
        schemas,
        topic,
        f'Set another `hydrate.topic`, and `rekey.topic = "{topic}"`; then run `streams topics'
        " create`, and `streams worker rekey` beside hydrate",
    )
    began_at = ensure_first_offsets(kafka, group, topic, start="beginning", control=names.control)
    told, clock = settings.hydrate, Clock()
    codec = schemas.codec(f"sources/{SOURCE}")
    read = record_reader(codec)
    answers = Answers(clock.monotonic, told.product_age.total_seconds())
    hydration = Hydration(
        read,
        Asking(apis, answers, webhook_options_of(settings), counts, clock),
        counts,
        clock,
        patience=told.patience.total_seconds(),
        before=schemas.waiting,
    )
    job = HydrateJob(
        Form(read, lambda value: codec.decode(value, branches=True), codec.encode),
        hydration,
        Way(topic, target),
        SourceLetters(names, schemas).give_up,
        counts,
        began_at=began_at,
    )
    exactly_once = told.guarantee == "exactly_once"
    transactional_id = f"{group}-{instance_of(settings)}" if exactly_once else None
    publication = publication_of(kafka, transactional_id, at, ends=told.state_store == "rocksdb")
    return hydrate_lane(kafka, names, job, publication, breaker_rule_of(settings), store)


def record_reader(codec: Codec) -> Callable[[bytes | None], Record | None]:
    """A function from a record's bytes to what hydrate looks at; None: it cannot be read."""
    straight = struct_reader(codec, STRUCTS)

    def read(value: bytes | None) -> Record | None:
        try:
            record: Record = straight(value)
        except BadRecord:
            return None
        return record

    return read
