"""The lanes of the role derive from its settings: one for each source, with a table of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from streams.cli.composition import (
    breaker_rule_of,
    derive_options_of,
    instance_of,
    loyalty_options_of,
    names_of,
    routes_of,
    webhook_options_of,
)
from streams.cli.mapping import mapping_of
from streams.cli.rekey import check_customers_keys
from streams.engine.admin import check_same_partitions
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.partitioning import check_keys
from streams.errors import BadRecord
from streams.families import MEMBERS
from streams.metrics import DeriveCounts
from streams.model.ids import customer_key
from streams.names import OKENDO
from streams.pipeline import Pipeline
from streams.sources.okendo import check_owner
from streams.sources.ordergroove.mapping import events_reader
from streams.topology import DeriveJob, derive_lane, publication_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane
    from streams.engine.state.store import StateStore
    from streams.registry import Schemas
    from streams.settings import Settings


class Deriving(NamedTuple):
    """What the lanes of one process share; `at` is called at each step of a publication."""

    kafka: KafkaSettings
    settings: Settings
    schemas: Schemas
    at: Callable[[str], None]


def prepared_lane(shared: Deriving, source: str, store: StateStore) -> tuple[Lane, DeriveCounts]:
    """The lane of a source, everything checked and its first start recorded; and its counts.

    Raises:
        ConfigurationError: a topic is missing, has other partitions, or is keyed otherwise.
        KafkaException: the broker does not answer.
    """
    kafka, settings, schemas, at = shared
    names = names_of(settings)
    derived = names.derived(source)
    check_same_partitions(kafka, derived.topic, derived.changelog)
    if source == OKENDO:
        _check_members_keys(kafka, derived.topic, schemas)
    else:
        check_customers_keys(kafka, settings, schemas)
    started_at = ensure_first_offsets(
        kafka, derived.group, derived.topic, start="beginning", control=names.control
    )
    counts = DeriveCounts()
    from_start = settings.derive.flows_from == "start"
    pipeline = _pipeline(source, settings, schemas, started_at)
    job = DeriveJob(pipeline, names, schemas, counts, from_start=from_start)
    exactly_once = settings.derive.guarantee == "exactly_once"
    transactional_id = f"{derived.group}-{instance_of(settings)}" if exactly_once else None
    on_disk = settings.derive.state_store == "rocksdb"
    publication = publication_of(kafka, transactional_id, at, ends=on_disk)
    return derive_lane(kafka, job, publication, breaker_rule_of(settings), store), counts


def _pipeline(source: str, settings: Settings, schemas: Schemas, started_at: int) -> Pipeline[Any]:
    codec, enriched = schemas.codec(f"sources/{source}"), schemas.codec("events/enriched")
    routes = routes_of(settings)
    if source == OKENDO:
        options = loyalty_options_of(settings, started_at)
        return Pipeline(codec, enriched, routes, options, MEMBERS)
    told = settings.ordergroove.mapping
    reading = webhook_options_of(settings)
    events = None if told is None else events_reader(codec, mapping_of(told), reading)
    concluding = derive_options_of(settings, started_at)
    return Pipeline(codec, enriched, routes, concluding, events=events)


def _check_members_keys(kafka: KafkaSettings, topic: str, schemas: Schemas) -> None:
    """Raise `ConfigurationError` if the topic is not keyed by member.

    A record that cannot be read is not judged: it will be a dead letter.
    """
    decode = schemas.decode_in_thread(f"sources/{OKENDO}")

    def owner_of(value: bytes | None) -> bytes | None:
        try:
            record = decode(value or b"")
            check_owner(record["merchant"], record["customer_id"])
        except BadRecord:
            return None
        return customer_key(record["merchant"], record["customer_id"])

    check_keys(kafka, topic, owner_of, "Have its bridge key records by STORE:LOYALTY_CUSTOMER_ID")
