"""The lanes of the role derive from its settings: one for each source, with a table of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.cli.composition import (
    breaker_rule_of,
    goes_by_marks,
    instance_of,
    names_of,
    routes_of,
)
from streams.cli.source_desks import DESKS
from streams.cli.worker.rekey import check_customers_keys
from streams.control.kept_store import KeptStore
from streams.control.tables import check_kept, whole_table_of
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.partitioning import check_keys
from streams.engine.publishing import publication_of
from streams.errors import BadRecord
from streams.families import FAMILIES, of_generation
from streams.metrics import DeriveCounts
from streams.model.ids import customer_key
from streams.names import ORDERGROOVE
from streams.pipeline import Pipeline
from streams.synced import History
from streams.topology import DeriveJob, derive_lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane
    from streams.engine.state.store import StateStore
    from streams.names import Derived
    from streams.rebuild.reading import Events
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
    table = whole_table_of(kafka, names, source)
    if source == ORDERGROOVE:
        check_customers_keys(kafka, settings, schemas)
    else:
        _check_keys(kafka, derived, schemas)
    started_at = ensure_first_offsets(
        kafka, derived.group, derived.topic, start="beginning", control=names.control
    )
    counts = DeriveCounts()
    pipeline = pipeline_of(source, settings, schemas, started_at, generation=table.generation)
    job = job_of(settings, pipeline, schemas, counts)
    job.derived = derived._replace(changelog=table.changelog)
    exactly_once = settings.derive.guarantee == "exactly_once"
    transactional_id = f"{derived.group}-{instance_of(settings)}" if exactly_once else None
    on_disk = settings.derive.state_store == "rocksdb"
    publication = publication_of(kafka, transactional_id, at, ends=on_disk)
    kept = KeptStore(store, partial(check_kept, kafka, names, source, table))
    return derive_lane(kafka, job, publication, breaker_rule_of(settings), kept), counts


def job_of(
    settings: Settings, pipeline: Pipeline[Any], schemas: Schemas, counts: DeriveCounts
) -> DeriveJob:
    """What derive does with the records of a source."""
    from_start = settings.derive.flows_from == "start"
    history = None
    if pipeline.source == ORDERGROOVE:
        history = History(pipeline, awaited=goes_by_marks(settings))
    names = names_of(settings)
    return DeriveJob(pipeline, names, schemas, counts, from_start=from_start, history=history)


def pipeline_of(
    source: str,
    settings: Settings,
    schemas: Schemas,
    started_at: int,
    *,
    generation: int = 0,
    events: Events | None = None,
) -> Pipeline[Any]:
    """A source's pipeline, by the settings.

    Args:
        source: whose.
        settings: all of them.
        schemas: of the process.
        started_at: when derive began with the source, epoch milliseconds.
        generation: of the table that it keeps.
        events: how records are read; None: as ever. Then nothing is told to anybody.
    """
    codec, enriched = schemas.codec(f"sources/{source}"), schemas.codec("events/enriched")
    routes = routes_of(settings) if events is None else []
    desk, family = DESKS[source], of_generation(FAMILIES[source], generation)
    read = desk.events_of(settings, codec) if events is None else events
    return Pipeline(codec, enriched, routes, desk.options_of(settings, started_at), family, read)


def _check_keys(kafka: KafkaSettings, derived: Derived, schemas: Schemas) -> None:
    """Raise `ConfigurationError` if a source's topic is not keyed by customer.

    A record that cannot be read is not judged: it will be a dead letter.
    """
    decode = schemas.decode_in_thread(f"sources/{derived.source}")

    def owner_of(value: bytes | None) -> bytes | None:
        try:
            record = decode(value or b"")
        except BadRecord:
            return None
        merchant, customer = record["merchant"], record["customer_id"]
        named = merchant and ":" not in merchant and customer
        return customer_key(merchant, customer) if named else None

    check_keys(kafka, derived.topic, owner_of, "Have its bridge key records by MERCHANT:CUSTOMER")
