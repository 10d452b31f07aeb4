"""Settings → what a rebuild works with: the table that is kept, the one beside it, the records."""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

import streams
from streams.cli.codecs import schemas_of
from streams.cli.composition import (
    kafka_of,
    loyalty_webhook_options_of,
    names_of,
    sources_of,
    webhook_options_of,
)
from streams.cli.source_desks import DESKS
from streams.cli.worker.deriving import job_of, pipeline_of
from streams.cli.worker.rehearsal import rehearsal
from streams.control.erased import ErasedList
from streams.control.tables import Generations, Rebuilt
from streams.engine.admin import TopicSpec, create_topics, partition_count
from streams.engine.first_offsets import first_start
from streams.engine.offline import OfflineRun, Ways
from streams.engine.table_moment import TableMoments
from streams.errors import BadRecord, ConfigurationError
from streams.families import FAMILIES
from streams.metrics import DeriveCounts
from streams.names import ORDERGROOVE
from streams.rebuild.reading import FromRaw, one_event, without_erased

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message

    from streams.names import Names
    from streams.rebuild.reading import Events
    from streams.rebuild.snapshot import Snapshot
    from streams.registry import Schemas
    from streams.settings import Settings

CLIENT: Final = "streams-rebuild"
"""What Kafka's logs call these commands."""
_DECIDING: Final = (
    "model", "sources", "derive", "rebuild", "families.py", "pipeline.py", "rekey.py", "synced.py",
    "topology.py", "avro.py", "avro_decoder.py", "avro_structs.py",
)  # fmt: skip
"""What of the program decides what rows hold."""


class Table:
    """A source's table in Kafka, as these commands see it.

    Attributes:
        source: the source.
        settings: all of them.
        kafka: the connection.
        names: of topics and groups.
        derived: what derive reads and keeps of the source, when it began with it.
        family: its kind of rows.
        generations: of the table.
        partitions: of its source.
    """

    def __init__(self, settings: Settings, source: str) -> None:
        """Look; raises `ConfigurationError` for a source that is not set up."""
        known = sources_of(settings)
        if source not in known:
            raise ConfigurationError("--source", f"{source} is not set up", f"Add [{source}]")
        self.source = source
        self.settings = settings
        self.kafka = kafka_of(settings, CLIENT)
        self.names: Names = names_of(settings)
        self.derived = self.names.derived(source)
        self.family = FAMILIES[source]
        self.generations = Generations(self.kafka, self.names, source)
        self.partitions = partition_count(self.kafka, self.derived.topic)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of a row's fields, in the order in which they are kept."""
        return tuple(self.family.row.__struct_fields__)

    def erased(self) -> ErasedList:
        """Who was erased."""
        key = self.settings.hash_key.get_secret_value().encode()
        return ErasedList.of_topic(self.kafka, self.names.erased, key)

    def moments(self) -> TableMoments:
        """What finds moments of the table that derive keeps."""
        derived, kept = self.derived, self.generations.live().changelog
        return TableMoments(self.kafka, derived.group, derived.topic, kept)

    def create(self, changelog: str) -> bool:
        """Make a changelog like the first one, if it is not there; whether it was made."""
        topics = self.names.topics((), (self.source,))
        config = next(each.config for each in topics if each.name == self.derived.changelog)
        replication = self.settings.topics.replication
        enough = {"min.insync.replicas": str(min(2, replication))}
        spec = TopicSpec(
            name=changelog,
            partitions=self.partitions,
            replication=replication,
            config=config | enough,
        )
        return bool(create_topics(self.kafka, [spec]))


class Candidate(NamedTuple):
    """The generation that is computed: its number, what is recorded of it, whether it is new."""

    generation: int
    rebuilt: Rebuilt
    is_new: bool


class Derivation:
    """How rows are concluded this time.

    Attributes:
        counts: what came of the records.
        raw: what reads original bodies; None: typed fields are used.
        fingerprint: of all that rows follow from beside the records.
    """

    def __init__(self, table: Table, snapshot: Snapshot | None, *, from_raw: bool) -> None:
        """Prepare; raises `ConfigurationError`."""
        settings, names, source = table.settings, table.names, table.source
        started_at = first_start(
            table.kafka, table.derived.group, table.derived.topic, control=names.control
        )
        if started_at is None:
            raise ConfigurationError(
                f"group {table.derived.group}",
                "it has never begun, so there is no table to be computed anew",
                "Let `streams worker derive` begin first",
            )
        written = [*map(names.deliveries, settings.connections), names.dead_letters(source)]
        written += [table.derived.topic] if from_raw else []
        schemas = schemas_of(settings, written, wait=False)
        self.counts = DeriveCounts()
        self.raw = _from_raw(settings, source, schemas) if from_raw else None
        self.hides = table.erased().hides
        events = without_erased(self._events(table, schemas), self.hides)
        pipeline = pipeline_of(source, settings, schemas, started_at, events=events)
        self.job = job_of(settings, pipeline, schemas, self.counts)
        self.fingerprint = _fingerprint(table, started_at, snapshot, from_raw=from_raw)
        self._learn = schemas.decode_in_thread(f"sources/{source}")
        self._met: set[bytes] = set()

    def run(self, table: Table, candidate: Candidate) -> OfflineRun:
        """What runs it; takes over from an earlier command."""
        ways = Ways(
            topic=table.derived.topic,
            changelog=candidate.rebuilt.changelog,
            group=table.names.rebuild_group(table.source, candidate.generation),
            transactional_id=f"{table.settings.prefix}-rebuild-{table.source}",
        )
        return OfflineRun(table.kafka, self.job, ways, prepare=self._prepare, at=rehearsal())

    def _events(self, table: Table, schemas: Schemas) -> Events:
        codec, raw = schemas.codec(f"sources/{table.source}"), self.raw
        several = DESKS[table.source].events_of(table.settings, codec)
        events = several or one_event(table.family.event_reader(codec))
        return events if raw is None else lambda value, key: events(raw(value), key)

    def _prepare(self, messages: Sequence[Message]) -> None:
        """Have the registry asked for schemas that were not met before."""
        for message in messages:
            value = message.value() or b""
            if value[:5] not in self._met:
                with suppress(BadRecord):
                    self._learn(value)
                self._met.add(value[:5])


def candidate_of(table: Table, fingerprint: str, by: str, *, anew: bool) -> Candidate:
    """The generation to go on with, or a new one.

    One goes on that began with the same program, settings and options, unless `anew`.
    """
    live, rebuilt = table.generations.live().generation, table.generations.rebuilt()
    for number, each in sorted(rebuilt.items(), reverse=True):
        same = each.fingerprint == fingerprint and not each.discarded
        if number > live and same and not anew:
            return Candidate(number, each, is_new=False)
    number = max(live, *rebuilt, 0) + 1
    changelog = table.names.changelog(table.source, number)
    at = int(time.time() * 1_000)
    return Candidate(
        number, Rebuilt(changelog=changelog, by=by, at=at, fingerprint=fingerprint), is_new=True
    )


def _from_raw(settings: Settings, source: str, schemas: Schemas) -> FromRaw:
    if source == ORDERGROOVE and settings.ordergroove.mapping is not None:
        raise ConfigurationError(
            "--from-raw", "records that are mapped hold no original body", "Leave it out"
        )
    return FromRaw(schemas.codec(f"sources/{source}"), DESKS[source].parses_of(settings))


def _fingerprint(
    table: Table, started_at: int, snapshot: Snapshot | None, *, from_raw: bool
) -> str:
    settings = table.settings
    mapping = settings.ordergroove.mapping
    told = (
        DESKS[table.source].options_of(settings, started_at),
        webhook_options_of(settings),
        loyalty_webhook_options_of(settings),
        None if mapping is None else mapping.model_dump(mode="json"),
        settings.derive.flows_from == "start",
        from_raw,
        None if snapshot is None else snapshot.manifest.checksum,
    )
    found = blake2b(msgspec.json.encode(told, order="deterministic"), digest_size=16)
    root = Path(streams.__file__).parent
    for name in _DECIDING:
        place = root / name
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()
