"""What a connection is given to work with, and how its parts are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.breaker import DEFAULT_RULE
from streams.delivery.attempts import Attempts
from streams.delivery.books import Books
from streams.delivery.clock import Clock
from streams.delivery.fingerprints import Fingerprints
from streams.delivery.guard import Guard
from streams.delivery.http import Http, Timeouts
from streams.delivery.limits import Limiter
from streams.delivery.outcomes import Desk, Outcomes
from streams.delivery.profiles import Profiles
from streams.delivery.publisher import Publisher
from streams.delivery.rendering import Renderer
from streams.delivery.retry import Schedule
from streams.delivery.sender import Pace, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet

    from streams.breaker import Rule
    from streams.delivery.connection import Connection
    from streams.delivery.ledger import Memory
    from streams.delivery.owner import Owner
    from streams.delivery.profiles import Versions
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
        restore: `ProfilesChangelog`, likewise.
        digest_key: of the hashes in outcomes; the same for all processes, secret.
        rule: when the connection stops because too many fail alike.
        preparation: awaited before the records of a batch are queued.
        clock: time and chance.
        schedule: of retries.
        timeouts: of requests.
    """

    topics: Topics
    codecs: Codecs
    producer: Producer
    recall: Callable[[Mapping[int, Position], Callable[[], AbstractSet[int]]], Mapping[int, Memory]]
    restore: Callable[[Collection[int], Callable[[], AbstractSet[int]]], Mapping[int, Versions]]
    digest_key: bytes = field(repr=False)
    rule: Rule = DEFAULT_RULE
    preparation: Preparation | None = None
    clock: Clock = field(default_factory=Clock)
    schedule: Schedule = field(default_factory=Schedule)
    timeouts: Timeouts = field(default_factory=Timeouts)


class Parts(NamedTuple):
    """A connection's parts, as its handler uses them."""

    sender: Sender
    books: Books
    http: Http


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
        destination.limits,
        factor=connection.limits,
        safety=connection.safety,
        clock=clock.monotonic,
    )
    books = Books(
        outcomes=Outcomes(connection, desk, statistics, owner.progressed),
        profiles=Profiles(topics.profiles, publisher, owner.progressed),
        guard=Guard(tools.rule, clock, owner),
    )
    pace = Pace(
        concurrency=connection.concurrency,
        limiter=limiter,
        schedule=schedule,
        clock=clock,
        request_seconds=tools.timeouts.total,
    )
    renderer = Renderer(connection, destination, codecs.decode_event, books, clock)
    attempts = Attempts(destination, http, statistics, clock)
    return Parts(Sender(owner, attempts.make, pace, renderer, books, statistics), books, http)
