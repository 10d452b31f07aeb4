"""THE MAP: which process reads what, does what, writes where. In flow order; no rules of business.

    (a topic ─ rekey ─) (a topic ─ hydrate ─) <source>.events ─ derive ─┐
    ┌───────────────────────────────────────────────────────────────────┘
    ├─ deliveries.<connection> ─ deliver ─ HTTP
    ├─ <table>.changelog            ├─ outcomes
    └─ dead-letters.<source>        └─ dead-letters.…

The derive role is a job on the engine: its outputs, its table and its offsets are one transaction.
Each source has a job and a table of its own: subscribers of Ordergroove, members of Okendo Loyalty.
So is rekey, which stands in front of it where records are keyed otherwise; it has no table, and the
same dead letters. So is hydrate, which keeps the entities that a customer's records showed, and
asks Ordergroove's API for what they lack. The deliver role is a lane for each connection: offsets
follow outcomes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.delivery.handler import DeliveryHandler
from streams.delivery.known import KnownChangelog
from streams.delivery.low_reader import LowReader
from streams.delivery.recall import Recall
from streams.delivery.wiring import Codecs, Tools, Topics
from streams.destinations import DESTINATIONS
from streams.engine.batch import Position
from streams.engine.job_handler import JobHandler
from streams.engine.lane import Lane, PollOptions
from streams.errors import BadRecord
from streams.model.dead_letter import redriven_letter
from streams.model.ids import is_nobody
from streams.model.trace import TRACEPARENT
from streams.names import ORDERGROOVE
from streams.pipeline import enriched_of
from streams.rekey import past_of
from streams.source_letters import SourceLetters
from streams.synced import mark_synced

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.breaker import Rule
    from streams.delivery.account import Accounts
    from streams.delivery.connection import Connection
    from streams.engine.job import Headers, Outputs
    from streams.engine.kafka import KafkaSettings
    from streams.engine.producer import RecordProducer
    from streams.engine.publication import Publication
    from streams.engine.rows import Rows
    from streams.engine.state.store import StateStore
    from streams.hydrate.job import HydrateJob
    from streams.metrics import DeriveCounts
    from streams.names import Names
    from streams.pipeline import Pipeline, Processed
    from streams.registry import Schemas
    from streams.rekey import RekeyJob
    from streams.synced import History

SOURCE = ORDERGROOVE
JOB_BATCHES = PollOptions(one_by_one=True)
"""How batches are made for jobs: a publication is soon done."""
HYDRATE_BATCHES = PollOptions(one_by_one=True, max_batch=100)
"""So few that what all of them lack can be asked for while the first one waits."""


def derive_lane(
    kafka: KafkaSettings,
    job: DeriveJob,
    publication: Publication,
    rule: Rule,
    store: StateStore,
) -> Lane:
    """Source topic → table, delivery topics, dead letters."""
    derived = job.derived
    return Lane(
        name=derived.lane,
        topic=derived.topic,
        group=derived.group,
        handler=JobHandler(
            kafka,
            job,
            derived.changelog,
            publication,
            rule=rule,
            preparation=job.preparation,
            store=store,
        ),
        options=JOB_BATCHES,
    )


def rekey_lane(
    kafka: KafkaSettings,
    names: Names,
    topic: str,
    job: RekeyJob,
    publication: Publication,
    rule: Rule,
) -> Lane:
    """A topic that is keyed otherwise → source topic, dead letters."""
    handler = JobHandler(kafka, job, None, publication, rule=rule, preparation=job.preparation)
    return Lane(
        name="rekey",
        topic=topic,
        group=names.rekey_group,
        handler=handler,
        options=JOB_BATCHES,
    )


def hydrate_lane(
    kafka: KafkaSettings,
    names: Names,
    job: HydrateJob,
    publication: Publication,
    rule: Rule,
    store: StateStore,
) -> Lane:
    """A source's records as they came → source topic, with what they lacked; and its table."""
    handler = JobHandler(
        kafka,
        job,
        names.entities_changelog,
        publication,
        rule=rule,
        preparation=job.preparation,
        store=store,
    )
    job.preparation.attach(handler.table)
    return Lane(
        name="hydrate",
        topic=job.topic,
        group=names.hydrate_group,
        handler=handler,
        options=HYDRATE_BATCHES,
    )


class Shared(NamedTuple):
    """What the connections of one process share; `digest_key` is of the hashes in outcomes."""

    kafka: KafkaSettings
    names: Names
    schemas: Schemas
    producer: RecordProducer
    digest_key: bytes
    rule: Rule
    accounts: Accounts


def deliver_lane(connection: Connection, shared: Shared) -> tuple[Lane, DeliveryHandler]:
    """Delivery topic → HTTP, outcomes, dead letters: one connection, by its own consumer."""
    kafka, names, codec = shared.kafka, shared.names, shared.schemas.codec
    topics = Topics(
        deliveries=names.deliveries(connection.name),
        low=names.low(connection.name),
        outcomes=names.outcomes,
        dead_letters=names.dead_letters(connection.name),
        profiles=names.profiles_changelog(connection.name),
    )
    recall, recall_low = (
        Recall(
            kafka,
            connection=connection.name,
            deliveries=topic,
            outcomes=topics.outcomes,
            decode=shared.schemas.decode_in_thread("outcome"),
        )
        for topic in (topics.deliveries, topics.low)
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
            recall_low=recall_low,
            low=LowReader(kafka, topics.low),
            position=Position,
            restore=KnownChangelog(kafka, topics.profiles),
            digest_key=shared.digest_key,
            rule=shared.rule,
            accounts=shared.accounts,
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


def _trace(headers: Headers | dict[str, Any]) -> Headers | None:
    """What of a record's headers its deliveries carry on."""
    told = dict(headers).get(TRACEPARENT)
    return None if told is None else [(TRACEPARENT, told)]


class DeriveJob:
    """One record: the pipeline's result into the row, the delivery topics, or the dead letters.

    Attributes:
        derived: what it reads and keeps.
        preparation: what is awaited before records come.
    """

    def __init__(
        self,
        pipeline: Pipeline[Any],
        names: Names,
        schemas: Schemas,
        counts: DeriveCounts,
        *,
        from_start: bool = False,
        history: History | None = None,
    ) -> None:
        """Prepare.

        `from_start`: flows begin with the first start, of rekey too (`Past`). `history`: what knows
        where a merchant's first sync ended; None: nothing needs to.
        """
        self.derived = names.derived(pipeline.source)
        self.preparation = schemas.waiting
        self._pipeline = pipeline
        self._pipeline_of = (lambda *_: pipeline) if history is None else history.of
        self._deliveries = names.deliveries
        self._letters = SourceLetters(names, schemas, source=pipeline.source)
        self._counts = counts
        self._from_start = from_start

    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Handle one record; a bad one goes to the dead letters in the same transaction."""
        headers, key = message.headers(), message.key() or b""
        recorded_at, flows_from = past_of(headers, message.timestamp()[1])
        if is_nobody(key):
            if self.derived.source == SOURCE:
                mark_synced(key, recorded_at, rows)
            return
        if not self._from_start:
            flows_from = 0
        value = message.value()
        pipeline = self._pipeline_of(key, value, rows)
        try:
            found = pipeline.process_all(value, rows.get, rows.now, key, recorded_at, flows_from)
        except BadRecord as bad:
            self._letters.give_up(message, rows, outputs, bad)
            self._counts.dead_letter(bad.reason)
        else:
            trace = _trace(headers) if headers else None
            for processed in found:
                self._write(processed, rows, outputs, trace)
            letter = redriven_letter(headers)
            if letter is not None:
                self._letters.settle(letter, outputs)

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """Handle a row's timer, and whatever else of the row is due."""
        del due
        value = rows.get(key)
        if value is not None:
            self._write(self._pipeline.fire(key, value, now), rows, outputs)

    def due(self, row: bytes) -> int:
        """The next timer of a row."""
        return self._pipeline.due(row)

    def _write(
        self,
        processed: Processed[Any],
        rows: Rows,
        outputs: Outputs,
        trace: Headers | None = None,
    ) -> None:
        key = processed.key
        if not processed.duplicate:
            rows.put(key, processed.value, processed.due)
        for told in processed.told:
            for connection in told.connections:
                outputs.append((self._deliveries(connection), key, told.value, trace))
        self._counts.processed(processed)
