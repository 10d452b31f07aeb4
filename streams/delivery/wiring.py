"""What a connection is given to work with, and how its parts are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from streams.delivery.attempts import Attempts
from streams.delivery.clock import Clock
from streams.delivery.fingerprints import Fingerprints
from streams.delivery.http import Http, Timeouts
from streams.delivery.limits import Limiter
from streams.delivery.outcomes import Desk, Outcomes
from streams.delivery.publisher import Publisher
from streams.delivery.rendering import Renderer
from streams.delivery.retry import Schedule
from streams.delivery.sender import Owner, Pace, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from streams.delivery.connection import Connection
    from streams.delivery.ledger import Memory
    from streams.delivery.publisher import Producer
    from streams.delivery.statistics import Statistics
    from streams.engine.batch import Position
    from streams.model.delivery import Destination
    from streams.model.enriched import EnrichedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """A connection's topics, with their prefix.

    Attributes:
        deliveries: consumed.
        outcomes: shared by all connections, with as many partitions as `deliveries`.
        dead_letters: the connection's own.
    """

    deliveries: str
    outcomes: str
    dead_letters: str


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
        digest_key: of the hashes in outcomes; the same for all processes, secret.
        clock: time and chance.
        schedule: of retries.
        timeouts: of requests.
    """

    topics: Topics
    codecs: Codecs
    producer: Producer
    recall: Callable[[Mapping[int, Position], Callable[[], AbstractSet[int]]], Mapping[int, Memory]]
    digest_key: bytes = field(repr=False)
    clock: Clock = field(default_factory=Clock)
    schedule: Schedule = field(default_factory=Schedule)
    timeouts: Timeouts = field(default_factory=Timeouts)


class Handling(Owner, Protocol):
    """Who owns the parts: told by the sender, and when the broker refuses records."""

    def refused(self, reason: str | None) -> None:
        """The broker refuses records, for this reason; None: it takes them again."""


def assemble(
    connection: Connection,
    destination: Destination,
    tools: Tools,
    owner: Handling,
    statistics: Statistics,
) -> tuple[Sender, Http]:
    """The connection's sender, and the HTTP connections that it uses.

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
    desk = Desk(
        outcomes_topic=topics.outcomes,
        dead_letters_topic=topics.dead_letters,
        encode_outcome=codecs.encode_outcome,
        encode_dead_letter=codecs.encode_dead_letter,
        publisher=Publisher(tools.producer, schedule, refused=owner.refused, failed=owner.failed),
        fingerprints=Fingerprints(tools.digest_key),
        clock=clock,
    )
    limiter = Limiter(
        destination.limits,
        factor=connection.limits,
        safety=connection.safety,
        clock=clock.monotonic,
    )
    pace = Pace(concurrency=connection.concurrency, limiter=limiter, schedule=schedule, clock=clock)
    outcomes = Outcomes(connection, desk, statistics, owner.progressed)
    renderer = Renderer(connection, destination, codecs.decode_event, outcomes, clock)
    attempts = Attempts(destination, http, statistics, clock)
    return Sender(owner, attempts.make, pace, renderer, outcomes, statistics), http
