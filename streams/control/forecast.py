"""What the outcomes tell of connections: what live would have sent, when something last arrived.

Read from the outcomes topic outside any group; of each part the newest outcome counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.delivery.gate import REHEARSED
from streams.delivery.outcomes import CONNECTION_HEADER
from streams.engine.admin import partition_count
from streams.engine.stretch import Stretch, look_through
from streams.engine.watermarks import Watermarks
from streams.model.delivery import Outcome
from streams.model.ids import customer_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Message

    from streams.delivery.gate import Gate
    from streams.engine.kafka import KafkaSettings

    Decode = Callable[[bytes], Mapping[str, Any]]

DAY_MS: Final = 86_400_000
_DAYS: Final = 14
"""How far back a connection is followed that tells nothing: so long its deliveries wait."""
ARRIVED: Final = frozenset(
    {
        Outcome.DELIVERED.value,
        Outcome.DELIVERED_NO_TRIGGER.value,
        Outcome.DUPLICATE.value,
    }
)


class Row(NamedTuple):
    """Parts, and the customers whose they are."""

    parts: int
    customers: int


_NOTHING: Final = Row(0, 0)


@dataclass(slots=True)
class Forecast:
    """What a gate would have let through.

    Attributes:
        events: by event type.
        profiles: beside them; None: none.
        together: of both.
        kept: parts that this gate keeps, too, by reason.
        other: parts with another outcome, by its class, which no mode changes.
    """

    events: dict[str, Row] = field(default_factory=dict)
    profiles: Row | None = None
    together: Row = _NOTHING
    kept: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)

    @property
    def judged(self) -> int:
        """Parts that were looked at."""
        return self.together.parts + self.kept.total() + self.other.total()


@dataclass(slots=True)
class Contact:
    """When a connection last reached its vendor, epoch milliseconds; 0: not in the time looked at.

    Attributes:
        arrived: something was taken.
        refused: the credentials were not.
        told: an outcome of any kind was recorded.
    """

    arrived: int = 0
    refused: int = 0
    told: int = 0


def forecast(
    kafka: KafkaSettings, topic: str, since: int, connection: str, gate: Gate, decode: Decode
) -> Forecast:
    """What a connection would have sent with this gate, of what it only recorded.

    Args:
        kafka: the connection to Kafka.
        topic: of outcomes.
        since: epoch milliseconds; records written earlier are not looked at.
        connection: whose.
        gate: who would have gone.
        decode: a record of `outcome.avsc`.

    Raises:
        ConfigurationError: the topic is missing.
        KafkaException: the broker does not answer.
    """
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}

    def note(name: str, outcome: Mapping[str, Any]) -> None:
        if name == connection and outcome["delivery_id"]:
            newest[outcome["delivery_id"], outcome["part"]] = outcome

    _outcomes_of(kafka, topic, (since, None), frozenset({connection}), decode, note)
    return _summed(newest.values(), gate)


def contacts(
    kafka: KafkaSettings,
    topic: str,
    now: int,
    connections: frozenset[str],
    waiting: frozenset[str],
    decode: Decode,
) -> dict[str, Contact]:
    """When each connection last reached its vendor, of the last day, until `now`.

    Of those that have something `waiting` and told nothing in it, of the day in which they last
    did: a worker that was refused tells nothing more until it is resumed. Other arguments and
    errors as above.
    """
    found = _contacts(kafka, topic, (now - DAY_MS, None), connections, decode)
    for days in range(1, _DAYS):
        silent = frozenset(name for name in waiting if not found[name].told)
        if not silent:
            break
        day = now - (days + 1) * DAY_MS, now - days * DAY_MS
        found |= _contacts(kafka, topic, day, silent, decode)
    return found


def _contacts(
    kafka: KafkaSettings,
    topic: str,
    span: tuple[int, int | None],
    connections: frozenset[str],
    decode: Decode,
) -> dict[str, Contact]:
    found = {name: Contact() for name in connections}

    def note(name: str, outcome: Mapping[str, Any]) -> None:
        told, at = found[name], outcome["recorded_at"]
        told.told = max(told.told, at)
        if outcome["outcome"] in ARRIVED and outcome["attempts"]:
            told.arrived = max(told.arrived, at)
        elif outcome["outcome"] == Outcome.UNAUTHORIZED:
            told.refused = max(told.refused, at)

    _outcomes_of(kafka, topic, span, connections, decode, note)
    return found


def _summed(outcomes: Any, gate: Gate) -> Forecast:
    summed = Forecast()
    customers: defaultdict[str, set[bytes]] = defaultdict(set)
    parts: Counter[str] = Counter()
    for outcome in outcomes:
        customer = customer_key(outcome["merchant"], outcome["customer_id"])
        if outcome["outcome"] != Outcome.FILTERED or outcome["reason"] not in REHEARSED:
            summed.other[outcome["outcome"]] += 1
            continue
        kept = gate.keeps(customer.decode())
        if kept is not None:
            summed.kept[kept] += 1
            continue
        kind = outcome["type"] if outcome["part"] == "event" else ""
        parts[kind] += 1
        customers[kind].add(customer)
    rows = {kind: Row(parts[kind], len(customers[kind])) for kind in sorted(parts)}
    summed.profiles = rows.pop("", None)
    summed.events = rows
    everybody: set[bytes] = set().union(*customers.values())
    summed.together = Row(parts.total(), len(everybody))
    return summed


def _outcomes_of(
    kafka: KafkaSettings,
    topic: str,
    span: tuple[int, int | None],
    connections: frozenset[str],
    decode: Decode,
    note: Callable[[str, Mapping[str, Any]], None],
) -> None:
    """Hand over the outcomes of some connections that were written since, and before."""
    partitions = range(partition_count(kafka, topic))
    watermarks, (since, until) = Watermarks(kafka, topic), span
    ends = watermarks.stable(partitions)
    if until is not None:
        ends = {p: min(end, ends[p]) for p, end in watermarks.since(partitions, until).items()}
    stretch = Stretch(topic, watermarks.since(partitions, since), ends)
    names = {name.encode(): name for name in connections}

    def look(message: Message) -> None:
        name = names.get(dict(message.headers() or ()).get(CONNECTION_HEADER))  # type: ignore[arg-type]
        value = message.value()
        if name is not None and value is not None:
            note(name, decode(value))

    look_through(kafka, stretch, look)
