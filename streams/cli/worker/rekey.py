"""The role rekey from its settings, and what derive says of a topic that needs it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from streams.cli.composition import breaker_rule_of, instance_of, intake_of, names_of
from streams.cli.mapping import check_rekeyed, owner_of
from streams.control.tables import table_of
from streams.engine.admin import check_same_partitions, partition_count
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.partitioning import check_keys
from streams.engine.publishing import publication_of
from streams.errors import BadRecord, ConfigurationError
from streams.model.ids import customer_key
from streams.names import SOURCES
from streams.rekey import RekeyJob
from streams.source_letters import SourceLetters
from streams.sources.ordergroove import check_owner
from streams.topology import SOURCE, rekey_lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.first_offsets import Start
    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane
    from streams.metrics import RekeyCounts
    from streams.registry import Schemas
    from streams.settings import Settings


def check_customers_keys(kafka: KafkaSettings, settings: Settings, schemas: Schemas) -> None:
    """Raise `ConfigurationError` if the source topic is not keyed by customer (`check_keyed`)."""
    source = names_of(settings).events(SOURCE)
    remedy = (
        f'Set another `prefix`, and `rekey.topic = "{source}"`; then run `streams topics create`,'
        " and `streams worker rekey` beside derive"
    )
    check_keyed(kafka, schemas, source, remedy)


def check_keyed(kafka: KafkaSettings, schemas: Schemas, topic: str, remedy: str) -> None:
    """Raise `ConfigurationError` with the remedy if a topic of records is not keyed by customer.

    A record that cannot be read is not judged by its owner: it will be a dead letter. Nor is any
    while the registry is away, which derive waits for later, with its health to be seen.
    """
    decode = schemas.decode_in_thread(f"sources/{SOURCE}")

    def owner_of(value: bytes | None) -> bytes | None:
        try:
            record = decode(value or b"")
            check_owner(record["merchant"], record["customer_id"])
        except BadRecord:
            return None
        return customer_key(record["merchant"], record["customer_id"])

    check_keys(kafka, topic, owner_of, remedy)


def foreign_topic(settings: Settings) -> str:
    """The topic that rekey reads; raises `ConfigurationError` without asking Kafka."""
    topic = settings.rekey.topic
    if not topic:
        raise ConfigurationError(
            "rekey.topic", "there is none", "Name the topic whose records are keyed otherwise"
        )
    if settings.ordergroove.mapping is not None:
        check_rekeyed(settings.ordergroove.mapping)
    ours = {each.name for each in names_of(settings).topics(settings.connections, SOURCES)}
    if topic in ours:
        raise ConfigurationError(
            "rekey.topic",
            f"{topic} is a topic of this prefix, which rekey cannot read to write into it",
            "Name the topic whose records are keyed otherwise, or set another `prefix`",
        )
    return topic


def prepared_rekey(
    kafka: KafkaSettings,
    settings: Settings,
    schemas: Schemas,
    counts: RekeyCounts,
    at: Callable[[str], None],
) -> Lane:
    """The lane of the role, everything checked and its first start recorded.

    Raises:
        ConfigurationError: a topic is missing or has a number of partitions that it must not have.
        KafkaException: the broker does not answer.
    """
    topic, names = foreign_topic(settings), names_of(settings)
    target, group = intake_of(settings), names.rekey_group
    try:
        partition_count(kafka, topic)
    except ConfigurationError:
        problem = f"there is no topic {topic}"
        raise ConfigurationError("rekey.topic", problem, "Name one that there is") from None
    check_same_partitions(kafka, target, table_of(kafka, names, SOURCE).changelog)
    partition_count(kafka, names.dead_letters(SOURCE))
    began_at = ensure_first_offsets(
        kafka, group, topic, start=_start(settings), control=names.control, may_grow=True
    )
    job = RekeyJob(
        owner_of(settings, schemas.codec(f"sources/{SOURCE}")),
        target,
        SourceLetters(names, schemas, clock=lambda: time.time_ns() // 1_000_000).give_up,
        counts,
        began_at=began_at,
        preparation=schemas.waiting,
    )
    exactly_once = settings.rekey.guarantee == "exactly_once"
    transactional_id = f"{group}-{instance_of(settings)}" if exactly_once else None
    publication = publication_of(kafka, transactional_id, at)
    return rekey_lane(kafka, names, topic, job, publication, breaker_rule_of(settings))


def _start(settings: Settings) -> Start:
    start = settings.rekey.start
    return int(start.timestamp() * 1_000) if isinstance(start, datetime) else start
