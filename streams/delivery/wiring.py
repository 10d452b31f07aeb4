"""What a connection is given to work with, and how its parts are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.breaker import DEFAULT_RULE
from streams.delivery.attempts import Attempts
from streams.delivery.batching import Batching
from streams.delivery.books import Books
from streams.delivery.clock import Clock
from streams.delivery.fingerprints import Fingerprints
from streams.delivery.guard import Guard
from streams.delivery.http import Http, Timeouts
from streams.delivery.late_errors import LOOK_SECONDS, LateErrors
from streams.delivery.limits import Limiter
from streams.delivery.outcomes import Desk, Outcomes
from streams.delivery.pace import Pace
from streams.delivery.profile_sync import ProfileSync
from streams.delivery.profile_sync import Schedule as ProfileSchedule
from streams.delivery.profiles import Profiles
from streams.delivery.publisher import Publisher
from streams.delivery.rendering import Renderer
from streams.delivery.retry import Schedule
from streams.delivery.sender import Sender
from streams.delivery.things import SentThings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet

    from streams.breaker import Rule
    from streams.delivery.connection import Connection
    from streams.delivery.known import Known
    from streams.delivery.ledger import Memory
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
        outcomes: shared by all connections, with as many partitions as `deliveries`.
        dead_letters: the connection's own.
        profiles: the connection's own, with as many partitions as `deliveries`.
    """

    deliveries: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a connection is given to work with.

    Attributes:
        topics: where records come from and go to.
        codecs: of those records.
        producer: idempotent, `acks=all`; connections of a process may share one.
        recall: `Recall`, or what stands for it in tests; called in the engine's loading thread.
        restore: `KnownChangelog`, likewise.
        digest_key: of the hashes in outcomes; the same for all processes, secret.
        rule: when the connection stops because too many fail alike.
        preparation: awaited before the records of a batch are queued.
        clock: time and chance.
        schedule: of retries.
        timeouts: of requests.
        late_errors_seconds: between two looks at what the vendor refused after its answers.
    """

    topics: Topics
    codecs: Codecs
    producer: Producer
    recall: Callable[[Mapping[int, Position], Callable[[], AbstractSet[int]]], Mapping[int, Memory]]
    restore: Callable[[Collection[int], Callable[[], AbstractSet[int]]], Mapping[int, Known]]
    digest_key: bytes = field(repr=False)
    rule: Rule = DEFAULT_RULE
    preparation: Preparation | None = None
    clock: Clock = field(default_factory=Clock)
    schedule: Schedule = field(default_factory=Schedule)
    timeouts: Timeouts = field(default_factory=Timeouts)
    late_errors_seconds: float = LOOK_SECONDS


class Parts(NamedTuple):
    """A connection's parts, as its handler uses them."""

    sender: Sender
    books: Books
    http: Http
    late_errors: LateErrors


def assemble(
    connection: Connection,
    destination: Destination,
    tools: Tools,
    owner: Owner,
    statistics: Statistics,
) -> Parts:
    """Put the connection's parts together.

    Raises:
        ConfigurationError: credentials that no header can carry.
    """
    codecs, topics, clock, schedule = tools.codecs, tools.topics, tools.clock, tools.schedule
    http = Http(
        connection.url or destination.url,
        destination.authorize(connection.credentials),
        concurrency=connection.concurrency,
        timeouts=tools.timeouts,
    )
    publisher = Publisher(tools.producer, schedule, refused=owner.refused, failed=owner.failed)
    desk = Desk(
        outcomes_topic=topics.outcomes,
        dead_letters_topic=topics.dead_letters,
        encode_outcome=codecs.encode_outcome,
        encode_dead_letter=codecs.encode_dead_letter,
        publisher=publisher,
        fingerprints=Fingerprints(tools.digest_key),
        clock=clock,
    )
    limiter = Limiter(
        destination.rules.limits,
        factor=connection.limits,
        safety=connection.safety,
        clock=clock.monotonic,
    )
    outcomes = Outcomes(connection, desk, statistics, owner.progressed)
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
        guard=Guard(tools.rule, clock, owner),
    )
    pace = Pace(
        concurrency=connection.concurrency,
        batching=Batching(
            destination.rules.batches, clock.monotonic, pace=connection.limits or 1.0
        ),
        limiter=limiter,
        schedule=schedule,
        clock=clock,
        request_seconds=tools.timeouts.total,
    )
    renderer = Renderer(connection, destination, codecs.decode_event, books, clock)
    attempts = Attempts(destination, http, statistics, clock)
    sender = Sender(owner, attempts.make, pace, renderer, books, statistics)
    late = LateErrors(destination, http, outcomes.note_late_error, every=tools.late_errors_seconds)
    return Parts(sender, books, http, late)
