"""How a connection stands, read from Kafka alone: what waits, and what was given up.

Records are counted, not offsets: delivery topics are written in transactions, whose markers take
offsets too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.delivery.known import Known, low_key
from streams.engine.admin import partition_count
from streams.engine.group_offsets import committed_positions
from streams.engine.patience import patiently
from streams.engine.stretch import Stretch, look_through, whole
from streams.engine.watermarks import Watermarks
from streams.errors import BadRecord
from streams.model.dead_letter import header_bytes
from streams.model.replayed import MODE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

COUNTED: Final = 20_000
"""A lag of more offsets is not read to be counted: it is large, whatever the markers."""
_PATIENCE_SECONDS = 10.0
_TRIGGER: Final = b"trigger"


class Lag(NamedTuple):
    """What a group has not finished of a topic.

    Attributes:
        records: how many; None: the group has never begun.
        exact: whether they were counted, or may be a little fewer.
    """

    records: int | None
    exact: bool = True


@dataclass(slots=True)
class Waits:
    """What waits in a delivery topic.

    Attributes:
        oldest: record time of the oldest, epoch milliseconds; None where nothing waits.
        by_type: records by event type; those that cannot be read under "unreadable".
    """

    oldest: int | None = None
    by_type: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Records."""
        return self.by_type.total()


class LowWaits(NamedTuple):
    """What a connection's low lane has not passed.

    Attributes:
        records: that wait there …
        starting: … of them those that may start flows …
        customers: … and whose those are, of the customers who were asked about.
    """

    records: int
    starting: int
    customers: int


def beyond(
    kafka: KafkaSettings, group: str, topic: str, *, before: int | None = None
) -> Stretch | None:
    """What a group has not committed of a topic; None: it has never begun.

    Args:
        kafka: the connection.
        group: the consumer group.
        topic: that it consumes.
        before: only records older than this, epoch milliseconds.

    Raises:
        ConfigurationError: the topic is missing.
        KafkaException: the broker does not answer.
    """
    partitions = range(partition_count(kafka, topic))
    positions = patiently(
        lambda: committed_positions(kafka, group, topic, partitions), _PATIENCE_SECONDS
    )
    starts = {p: position.offset for p, position in positions.items() if position is not None}
    if not starts:
        return None
    watermarks = Watermarks(kafka, topic)
    ends = watermarks.since(starts, before) if before is not None else watermarks.stable(starts)
    first = watermarks.first(starts)
    return Stretch(topic, {p: max(at, first[p]) for p, at in starts.items()}, ends)


def lag_of(kafka: KafkaSettings, stretch: Stretch | None) -> Lag:
    """How many records that is."""
    if stretch is None:
        return Lag(None)
    if stretch.offsets > COUNTED:
        return Lag(stretch.offsets, exact=False)
    counted: Counter[int | None] = Counter()
    look_through(kafka, stretch, lambda message: counted.update([message.partition()]))
    return Lag(counted.total())


def what_waits(
    kafka: KafkaSettings, stretch: Stretch | None, decode: Callable[[bytes], Mapping[str, Any]]
) -> Waits:
    """Look at all that waits; `decode` (of `enriched.avsc`) may raise `BadRecord`."""
    waits = Waits()

    def note(message: Message) -> None:
        at = message.timestamp()[1]
        waits.oldest = at if waits.oldest is None else min(waits.oldest, at)
        try:
            waits.by_type[decode(message.value() or b"")["type"]] += 1
        except BadRecord:
            waits.by_type["unreadable"] += 1

    if stretch is not None:
        look_through(kafka, stretch, note)
    return waits


def low_waits(
    kafka: KafkaSettings, low: str, changelog: str, asked: Callable[[str], bool]
) -> LowWaits:
    """Look at all that waits in a connection's low lane; what is parked is not among it.

    Args:
        kafka: the connection.
        low: its low topic.
        changelog: what it knows of its customers, with how far the lane is.
        asked: whether a customer (`merchant:customer`) is asked about.

    Raises:
        ConfigurationError: a topic is missing.
        KafkaException: the broker does not answer.
    """
    found, customers = Counter[str](), set[bytes]()

    def note(message: Message) -> None:
        found["records"] += 1
        key = message.key() or b""
        # a record that says nothing of a replay goes as if it came for the first time
        mode = header_bytes(message.headers()).get(MODE, _TRIGGER)
        if mode == _TRIGGER and asked(key.decode(errors="replace")):
            found["starting"] += 1
            customers.add(key)

    held = whole(kafka, low)
    held = held._replace(starts={p: at for p, at in held.starts.items() if at < held.ends[p]})
    if held.starts:
        passed = _passed(kafka, changelog, held.starts)
        starts = {p: min(max(at, passed[p]), held.ends[p]) for p, at in held.starts.items()}
        look_through(kafka, held._replace(starts=starts), note)
    return LowWaits(found["records"], found["starting"], len(customers))


def _passed(kafka: KafkaSettings, changelog: str, partitions: Collection[int]) -> dict[int, int]:
    """The next offset of a low lane, by partition: of all that is known there, only that."""
    known = {p: Known() for p in partitions}

    def note(message: Message) -> None:
        if message.key() == low_key():
            known[message.partition() or 0].note(low_key(), message.value())

    stretch = whole(kafka, changelog)
    starts = {p: stretch.starts[p] for p in partitions}
    look_through(kafka, stretch._replace(starts=starts), note)
    return {p: each.low[0] for p, each in known.items()}


def dead_letters_in(kafka: KafkaSettings, topic: str) -> int:
    """How many dead letters a topic holds that nobody has settled."""
    there: set[object] = set()

    def note(message: Message) -> None:
        (there.discard if message.value() is None else there.add)(message.key())

    look_through(kafka, whole(kafka, topic), note)
    return len(there)
