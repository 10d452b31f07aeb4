"""THE MAP: which process reads what, does what, writes where. In flow order; no rules of business.

    <source>.events ─ derive ─┬─ deliveries.<connection> ─ deliver ─ HTTP
                              ├─ subscribers.changelog        ├─ outcomes
                              └─ dead-letters.<source>        └─ dead-letters.<connection>

The derive role is a job on the engine: its outputs, its table and its offsets are one transaction.
The deliver role is a lane for each connection: offsets follow outcomes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from streams.delivery.handler import DeliveryHandler
from streams.delivery.profiles import ProfilesChangelog
from streams.delivery.recall import Recall
from streams.delivery.wiring import Codecs, Tools, Topics
from streams.destinations import DESTINATIONS
from streams.engine.at_least_once import AtLeastOnce
from streams.engine.job_handler import JobHandler
from streams.engine.lane import Lane
from streams.engine.transactional import Transactional
from streams.errors import BadRecord
from streams.model.dead_letter import Origin, header_bytes, record_dead_letter
from streams.model.subscriber import decode_row, row_due
from streams.pipeline import enriched_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from streams.breaker import Rule
    from streams.delivery.connection import Connection
    from streams.engine.job import Outputs
    from streams.engine.kafka import KafkaSettings
    from streams.engine.producer import RecordProducer
    from streams.engine.rows import Rows
    from streams.metrics import DeriveCounts
    from streams.names import Names
    from streams.pipeline import Pipeline, Processed
    from streams.registry import Schemas

SOURCE = "ordergroove"


def derive_lane(
    kafka: KafkaSettings,
    names: Names,
    job: DeriveJob,
    transactional_id: str | None,
    at: Callable[[str], None],
    rule: Rule,
) -> Lane:
    """Source topic → table, delivery topics, dead letters.

    Without a `transactional_id` the guarantee is at-least-once; `at` is called at each step of a
    publication, for those who test what happens when one is cut short.
    """
    publication = (
        AtLeastOnce(kafka, at=at)
        if transactional_id is None
        else Transactional(kafka, transactional_id, at=at)
    )
    return Lane(
        name="derive",
        topic=names.events(SOURCE),
        group=names.derive_group,
        handler=JobHandler(
            kafka,
            job,
            names.subscribers_changelog,
            publication,
            rule=rule,
            preparation=job.preparation,
        ),
    )


class Shared(NamedTuple):
    """What the connections of one process share; `digest_key` is of the hashes in outcomes."""

    kafka: KafkaSettings
    names: Names
    schemas: Schemas
    producer: RecordProducer
    digest_key: bytes
    rule: Rule


def deliver_lane(connection: Connection, shared: Shared) -> tuple[Lane, DeliveryHandler]:
    """Delivery topic → HTTP, outcomes, dead letters: one connection, by its own consumer."""
    kafka, names, codec = shared.kafka, shared.names, shared.schemas.codec
    topics = Topics(
        deliveries=names.deliveries(connection.name),
        outcomes=names.outcomes,
        dead_letters=names.dead_letters(connection.name),
        profiles=names.profiles_changelog(connection.name),
    )
    recall = Recall(
        kafka,
        connection=connection.name,
        deliveries=topics.deliveries,
        outcomes=topics.outcomes,
        decode=shared.schemas.decode_in_thread("outcome"),
    )
    codecs = Codecs(
        decode_event=partial(enriched_of, codec("events/enriched")),
        encode_outcome=codec("outcome").encode,
        encode_dead_letter=codec("dead_letter").encode,
    )
    handler = DeliveryHandler(
        connection,
        DESTINATIONS[connection.destination],
        Tools(
            topics=topics,
            codecs=codecs,
            producer=shared.producer,
            recall=recall,
            restore=ProfilesChangelog(kafka, topics.profiles),
            digest_key=shared.digest_key,
            rule=shared.rule,
            preparation=shared.schemas.waiting,
        ),
    )
    lane = Lane(
        name=connection.name,
        topic=topics.deliveries,
        group=names.deliver_group(connection.name),
        handler=handler,
    )
    return lane, handler


class DeriveJob:
    """One record: the pipeline's result into the row, the delivery topics, or the dead letters.

    Attributes:
        preparation: what is awaited before records come.
    """

    def __init__(
        self, pipeline: Pipeline, names: Names, schemas: Schemas, counts: DeriveCounts
    ) -> None:
        self.preparation = schemas.waiting
        self._pipeline = pipeline
        self._deliveries = names.deliveries
        self._dead_letters = names.dead_letters(SOURCE)
        self._dead_letter = schemas.codec("dead_letter").encode
        self._counts = counts

    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Handle one record; a bad one goes to the dead letters in the same transaction."""
        recorded_at = message.timestamp()[1]
        try:
            processed = self._pipeline.process(
                message.value(), rows.get, rows.now, message.key() or b"", recorded_at
            )
        except BadRecord as bad:
            self._give_up(message, rows, outputs, bad)
        else:
            self._write(processed, rows, outputs)

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """Handle a row's timer, and whatever else of the row is due."""
        del due
        value = rows.get(key)
        if value is not None:
            self._write(self._pipeline.fire(key, value, now), rows, outputs)

    def due(self, row: bytes) -> int:
        """The next timer of a row."""
        return row_due(decode_row(row))

    def _write(self, processed: Processed, rows: Rows, outputs: Outputs) -> None:
        key = processed.key
        if not processed.duplicate:
            rows.put(key, processed.value, processed.due)
        for told in processed.told:
            for connection in told.connections:
                outputs.append((self._deliveries(connection), key, told.value, None))
        self._counts.processed(processed)

    def _give_up(self, message: Message, rows: Rows, outputs: Outputs, bad: BadRecord) -> None:
        origin = Origin(
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
        )
        headers = header_bytes(message.headers())
        letter = record_dead_letter(bad, origin, message.key(), message.value(), headers, rows.now)
        outputs.append((self._dead_letters, letter["id"].encode(), self._dead_letter(letter), None))
        rows.gave_up(bad.reason, bad.field)
        self._counts.dead_letter(bad.reason)
