"""What Kafka tells of customers whose profile differs at a vendor: read once, for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from streams.control.standing import beyond
from streams.delivery.known import KnownChangelog
from streams.delivery.outcomes import CONNECTION_HEADER
from streams.engine.admin import partition_count
from streams.engine.stretch import Stretch, look_through, whole
from streams.engine.watermarks import Watermarks
from streams.reconcile.reasons import LastOutcome, Signs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.delivery.gate import Gate
    from streams.delivery.known import Known
    from streams.engine.kafka import KafkaSettings
    from streams.names import Names


class Line(NamedTuple):
    """A topic that a group reads: what is beyond its offsets waits there."""

    group: str
    topic: str


class Standing(NamedTuple):
    """How the connection stands: who may go, and whether it rests."""

    gate: Gate
    paused: bool


class Evidence:
    """Of one connection; methods raise `KafkaException` and `ConfigurationError`."""

    def __init__(
        self,
        kafka: KafkaSettings,
        names: Names,
        connection: str,
        source: Collection[Line],
        decode: Callable[[bytes], Mapping[str, Any]],
    ) -> None:
        """Take what it reads by.

        Args:
            kafka: the connection to Kafka.
            names: of topics.
            connection: whose.
            source: where an event may wait before it is in the row.
            decode: a record of `outcome.avsc`.
        """
        self._kafka = kafka
        self._names = names
        self._connection = connection
        self._source = source
        self._decode = decode

    def signs(
        self, keys: AbstractSet[bytes], standing: Standing, parts: AbstractSet[str]
    ) -> dict[bytes, Signs]:
        """What is told of these customers, each of them.

        Args:
            keys: theirs.
            standing: of the connection.
            parts: of a delivery, that bring the profile.
        """
        known = self.known()
        waits = self._waiting(keys, known)
        parked = {each.key for one in known.values() for each in one.parked.values()}
        applied = {k: v for one in known.values() for k, v in one.versions.items() if k in keys}
        last = self._outcomes(keys, parts)
        lagging = waiting_in(self._kafka, self._source, keys)
        return {
            key: Signs(
                kept=standing.gate.keeps(key.decode(errors="replace")),
                parked=key in parked,
                waits=waits.get(key, ""),
                paused=standing.paused,
                lags=key in lagging,
                applied=applied.get(key),
                last=last.get(key),
            )
            for key in keys
        }

    def known(self) -> Mapping[int, Known]:
        """What the connection's workers know, by partition."""
        topic = self._names.profiles_changelog(self._connection)
        partitions = frozenset(range(partition_count(self._kafka, topic)))
        return KnownChangelog(self._kafka, topic)(partitions, lambda: partitions)

    def _waiting(self, keys: AbstractSet[bytes], known: Mapping[int, Known]) -> dict[bytes, str]:
        names, connection = self._names, self._connection
        low = names.low(connection)
        ends = Watermarks(self._kafka, low).stable(known)
        starts = {partition: one.low[0] for partition, one in known.items()}
        found = dict.fromkeys(self._keys_in(Stretch(low, starts, ends), keys), "low lane")
        later = {key for one in known.values() for key in one.waiting if key in keys}
        found |= dict.fromkeys(later, "next sync")
        line = Line(names.deliver_group(connection), names.deliveries(connection))
        return found | dict.fromkeys(waiting_in(self._kafka, [line], keys), "live")

    def _keys_in(self, stretch: Stretch, keys: AbstractSet[bytes]) -> set[bytes]:
        first = Watermarks(self._kafka, stretch.topic).first(stretch.starts)
        starts = {p: max(at, first[p]) for p, at in stretch.starts.items()}
        return _keys_in(self._kafka, Stretch(stretch.topic, starts, stretch.ends), keys)

    def _outcomes(
        self, keys: AbstractSet[bytes], parts: AbstractSet[str]
    ) -> dict[bytes, LastOutcome]:
        found: dict[bytes, LastOutcome] = {}
        ours = self._connection.encode()

        def note(message: Message) -> None:
            key, value = message.key() or b"", message.value()
            if key not in keys or value is None:
                return
            if dict(message.headers() or ()).get(CONNECTION_HEADER) != ours:
                return
            told = self._decode(value)
            if told["final"] and told["part"] in parts:
                found[key] = LastOutcome(told["outcome"], told["reason"], told["field"])

        look_through(self._kafka, whole(self._kafka, self._names.outcomes), note)
        return found


def waiting_in(
    kafka: KafkaSettings, lines: Collection[Line], keys: AbstractSet[bytes]
) -> set[bytes]:
    """The customers of whom a record waits somewhere; where nobody ever began, nothing waits."""
    found: set[bytes] = set()
    for line in lines:
        stretch = beyond(kafka, line.group, line.topic)
        if stretch is not None:
            found |= _keys_in(kafka, stretch, keys)
    return found


def _keys_in(kafka: KafkaSettings, stretch: Stretch, keys: AbstractSet[bytes]) -> set[bytes]:
    found: set[bytes] = set()

    def note(message: Message) -> None:
        key = message.key() or b""
        if key in keys:
            found.add(key)

    look_through(kafka, stretch, note)
    return found
