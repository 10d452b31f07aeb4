"""What a connection is given to work with, and how its parts are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from streams.breaker import DEFAULT_RULE
from streams.delivery.account import Accounts
from streams.delivery.attempts import Attempts
from streams.delivery.batching import Batching
from streams.delivery.books import Books
from streams.delivery.clock import Clock
from streams.delivery.erasures import Erasures
from streams.delivery.fingerprints import Fingerprints
from streams.delivery.guard import Guard
from streams.delivery.http import Http, Timeouts
from streams.delivery.known import encode_low, low_key
from streams.delivery.late_errors import LOOK_SECONDS, LateErrors
from streams.delivery.low_pace import LowPace
from streams.delivery.outcomes import Desk, Outcomes
from streams.delivery.pace import Pace
from streams.delivery.parking import Parking
from streams.delivery.profile_sync import ProfileSync
from streams.delivery.profile_sync import Schedule as ProfileSchedule
from streams.delivery.profiles import Profiles
from streams.delivery.publisher import Outgoing, Publisher
from streams.delivery.rendering import Renderer
from streams.delivery.retry import Policies, Schedule
from streams.delivery.sender import Sender
from streams.delivery.things import SentThings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet

    from streams.breaker import Rule
    from streams.delivery.connection import Connection
    from streams.delivery.known import Known
    from streams.delivery.ledger import Memory
    from streams.delivery.low_lane import LowSource
    from streams.delivery.owner import Owner
    from streams.delivery.publisher import Producer
    from streams.delivery.statistics import Statistics
    from streams.engine.batch import Position
    from streams.engine.preparation import Preparation
    from streams.model.delivery import Destination
    from streams.model.enriched import EnrichedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """A connection's topics, with their prefix.

    Attributes:
        deliveries: consumed.
        low: consumed where `deliveries` leaves room; with as many partitions.
        outcomes: shared by all connections, with as many partitions as `deliveries`.
        dead_letters: the connection's own.
        profiles: the connection's own, with as many partitions as `deliveries`.
    """

    deliveries: str
    low: str
    outcomes: str
    dead_letters: str
    profiles: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Codecs:
    """Bytes to values and back.

    Attributes:
        decode_event: an enriched event from its bytes; `BadRecord` for what is none.
        encode_outcome: a record of `outcome.avsc`.
        encode_dead_letter: a record of `dead_letter.avsc`.
    """

    decode_event: Callable[[bytes], EnrichedEvent]
    encode_outcome: Callable[[Mapping[str, Any]], bytes]
    encode_dead_letter: Callable[[Mapping[str, Any]], bytes]


Recalling: TypeAlias = """Callable[
    [Mapping[int, Position], Callable[[], AbstractSet[int]], Mapping[int, AbstractSet[int]]],
    Mapping[int, Memory],
]"""
"""Positions, which of them are still alive, and offsets of what is parked before them, to what was
concluded beyond each (`recall.Recall`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a connection is given to work with.

    Attributes:
        topics: where records come from and go to.
        codecs: of those records.
        producer: idempotent, `acks=all`; connections of a process may share one.
        recall: `Recall`, or what stands for it in tests; called in the engine's loading thread.
        recall_low: the same of the low lane's topic.
        low: its records.
        position: makes one, of an offset and its metadata.
        restore: `KnownChangelog`, likewise.
        digest_key: of the hashes in outcomes; the same for all processes, secret.
        rule: when the connection stops because too many fail alike.
        preparation: awaited before the records of a batch are queued.
        accounts: of the process, whose connections share limits; None: one of its own.
        clock: time and chance.
        schedule: of all retries, whatever failed; None: each reason's own (`Rules.retries`).
        probes: of tries at a vendor that does not work.
        timeouts: of requests.
        late_errors_seconds: between two looks at what the vendor refused after its answers.
    """

    topics: Topics
    codecs: Codecs
    producer: Producer
    recall: Recalling
    recall_low: Recalling
    low: LowSource
    position: Callable[[int, str], Position]
    restore: Callable[[Collection[int], Callable[[], AbstractSet[int]]], Mapping[int, Known]]
    digest_key: bytes = field(repr=False)
    rule: Rule = DEFAULT_RULE
    preparation: Preparation | None = None
    accounts: Accounts | None = None
    clock: Clock = field(default_factory=Clock)
    schedule: Schedule | None = None
    probes: Schedule = field(default_factory=lambda: Schedule(base=1.0, cap=30.0))
    timeouts: Timeouts = field(default_factory=Timeouts)
    late_errors_seconds: float = LOOK_SECONDS


class Parts(NamedTuple):
    """A connection's parts, as its handler uses them."""

    sender: Sender
    books: Books
    http: Http
    late_errors: LateErrors
    keep_low: Callable[[int, Position], None]
    renderer: Renderer


def assemble(
    connection: Connection,
    destination: Destination,
    tools: Tools,
    owner: Owner,
    statistics: Statistics,
    backlog: Callable[[], int],
) -> Parts:
    """Put the connection's parts together.

    Raises:
        ConfigurationError: credentials that no header can carry.
    """
    codecs, topics, clock = tools.codecs, tools.topics, tools.clock
    http = Http(
        connection.url or destination.url,
        destination.authorize(connection.credentials),
        concurrency=connection.concurrency,
        timeouts=tools.timeouts,
    )
    again = tools.schedule or Schedule()
    publisher = Publisher(tools.producer, again, refused=owner.refused, failed=owner.failed)
    desk = Desk(
        outcomes_topic=topics.outcomes,
        dead_letters_topic=topics.dead_letters,
        encode_outcome=codecs.encode_outcome,
        encode_dead_letter=codecs.encode_dead_letter,
        publisher=publisher,
        fingerprints=Fingerprints(tools.digest_key),
        clock=clock,
    )
    accounts = tools.accounts or Accounts(tools.digest_key, clock.monotonic)
    limiter = accounts.limiter(connection, destination.rules.limits, backlog)
    listed = destination.late_errors
    outcomes = Outcomes(
        connection,
        desk,
        statistics,
        owner.progressed,
        record_of=listed.record if listed is not None else None,
    )
    schedule_of_profiles = ProfileSchedule(
        every=connection.sync_profiles_every,
        connection=connection.name,
        deliveries=topics.deliveries,
        changelog=topics.profiles,
        decode=codecs.decode_event,
    )
    books = Books(
        outcomes=outcomes,
        profiles=Profiles(topics.profiles, publisher, owner.progressed),
        things=SentThings(topics.profiles, publisher, owner.progressed),
        sync=ProfileSync(schedule_of_profiles, publisher, outcomes, clock),
        parking=Parking(
            topics.profiles,
            publisher,
            owner.progressed,
            room=connection.window_bytes,
            after=connection.park_after,
        ),
        guard=Guard(tools.rule, tools.probes, clock, owner),
        erasures=Erasures(topics.profiles, publisher, owner.progressed, outcomes, tools.digest_key),
    )
    pace = Pace(
        concurrency=connection.concurrency,
        batching=Batching(
            destination.rules.batches, clock.monotonic, pace=connection.limits or 1.0
        ),
        limiter=limiter,
        schedule=tools.schedule or Policies(destination.rules.retries),
        clock=clock,
        request_seconds=tools.timeouts.total,
        low=LowPace(
            destination.rules.limits,
            share=connection.low_share,
            factor=connection.limits,
            concurrency=connection.concurrency,
            clock=clock.monotonic,
        ),
    )
    renderer = Renderer(connection, destination, codecs.decode_event, books, clock)
    attempts = Attempts(destination, http, statistics, clock)
    sender = Sender(owner, attempts.make, pace, renderer, books, statistics)
    late = LateErrors(destination, http, outcomes.note_late_error, every=tools.late_errors_seconds)

    def keep_low(partition: int, position: Position) -> None:
        record = Outgoing(topics.profiles, low_key(), encode_low(*position), [], partition)
        publisher.publish(record, lambda _: None)  # older than it is: only read again

    return Parts(sender, books, http, late, keep_low, renderer)
