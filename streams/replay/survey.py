"""What a plan is made of, read from Kafka: deliveries, their outcomes, what the vendor has.

Partition by partition, so that one partition's outcomes are in memory at a time and never the
deliveries: a customer's are in one partition of each of these topics.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.delivery.known import KnownChangelog
from streams.delivery.outcomes import CONNECTION_HEADER
from streams.delivery.reader import PartitionReader
from streams.engine.admin import partition_count
from streams.engine.stretch import Stretch, look_through
from streams.engine.watermarks import Watermarks
from streams.errors import BadRecord
from streams.model.delivery import Outcome
from streams.model.fact import CUSTOMER_ERASED
from streams.model.ids import customer_key
from streams.replay.plan import id_bytes
from streams.replay.prospects import ACCEPTED, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.model.enriched import EnrichedEvent
    from streams.replay.differences import Paths
    from streams.replay.plan import Planner
    from streams.replay.selection import Selection

MARGIN_MS: Final = 600_000
"""How much earlier than the delivery record its outcome may seem to have been written."""

_SENT: Final = frozenset({Outcome.DELIVERED.value, Outcome.DELIVERED_NO_TRIGGER.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The topics of a replay.

    Attributes:
        source: the delivery topic that is read.
        live: the delivery topic of the connection that is sent to …
        low: … and its low topic …
        profiles: … and what it knows of its customers at the vendor.
        outcomes: of all connections.
        control: where runs are kept.
    """

    source: str
    live: str
    low: str
    profiles: str
    outcomes: str
    control: str


class Picked(NamedTuple):
    """A delivery that is meant: its record and its event."""

    message: Message
    event: EnrichedEvent


class Picker:
    """Reads deliveries and picks those that are meant, each once.

    A letter that was redriven lies on the delivery topic a second time, under the same delivery id:
    of a partition's copies the first is meant. Whoever reads a partition from its beginning picks
    the same again.

    Attributes:
        erased: left out since their customers were erased after they happened.
        unreadable: left out since nobody can say whose they are.
        copies: left out since the same delivery was picked before.
    """

    def __init__(
        self,
        decode: Callable[[bytes], EnrichedEvent],
        selection: Selection,
        hash_of: Callable[[EnrichedEvent], str],
        hides: Callable[[str, str, int], bool],
    ) -> None:
        """Take what it works with.

        Args:
            decode: an enriched event; may raise `BadRecord`.
            selection: what is meant.
            hash_of: the keyed hash of an event's customer.
            hides: whether what a customer of a merchant did then was erased.
        """
        self._decode = decode
        self._selection = selection
        self._hash_of = hash_of
        self._hides = hides
        self._picked: set[bytes] = set()
        self.erased = 0
        self.unreadable = 0
        self.copies = 0

    def begin(self) -> None:
        """Go on with another partition: a customer's deliveries are in one."""
        self._picked = set()

    def pick(self, message: Message) -> EnrichedEvent | None:
        """The event of a delivery that is meant."""
        try:
            event = self._decode(message.value() or b"")
        except BadRecord:
            self.unreadable += 1
            return None
        if event.type == CUSTOMER_ERASED or not self._selection.takes(event, self._hash_of):
            return None  # that a customer was erased is no event to be told again
        if self._hides(event.merchant, event.customer_id, event.occurred_at):
            self.erased += 1
            return None
        same = _digest(event)
        if same in self._picked:
            self.copies += 1
            return None
        self._picked.add(same)
        return event


def _digest(event: EnrichedEvent) -> bytes:
    """What tells a customer's delivery from others, in few bytes."""
    told = customer_key(event.merchant, event.customer_id), event.event_id, event.type
    return blake2b(repr(told).encode(), digest_size=16).digest()


def stretch_of(kafka: KafkaSettings, topic: str, selection: Selection) -> Stretch:
    """What is read of a delivery topic; raises `ConfigurationError` where there is none."""
    partitions = range(partition_count(kafka, topic))
    marks = Watermarks(kafka, topic)
    starts, ends = marks.first(partitions), marks.stable(partitions)
    if selection.since is not None:
        since = marks.since(partitions, selection.since)
        starts = {p: max(at, since[p]) for p, at in starts.items()}
    if selection.until is not None:
        until = marks.since(partitions, selection.until)
        ends = {p: min(at, until[p]) for p, at in ends.items()}
    bounds = {p: selection.bounded(p, starts[p], ends[p]) for p in partitions}
    held = {p: bound for p, bound in bounds.items() if bound[0] < bound[1]}
    return Stretch(topic, {p: b[0] for p, b in held.items()}, {p: b[1] for p, b in held.items()})


def part_of(stretch: Stretch, partition: int) -> Stretch:
    """One partition of a stretch."""
    start, end = stretch.starts[partition], stretch.ends[partition]
    return Stretch(stretch.topic, {partition: start}, {partition: end})


def still_held(kafka: KafkaSettings, stretch: Stretch) -> Stretch:
    """What retention has left of a stretch: it goes on while other partitions are read."""
    firsts = Watermarks(kafka, stretch.topic).first(stretch.starts)
    starts = {p: min(max(at, firsts[p]), stretch.ends[p]) for p, at in stretch.starts.items()}
    return stretch._replace(starts=starts)


class Survey:
    """Feeds a planner."""

    def __init__(
        self,
        kafka: KafkaSettings,
        places: Places,
        connection: str,
        decode_outcome: Callable[[bytes], Mapping[str, Any]],
        paths: Paths,
    ) -> None:
        """Take what it reads with; `connection` is the one that is sent to."""
        self._kafka = kafka
        self._places = places
        self._connection = connection.encode()
        self._decode = decode_outcome
        self._paths = paths

    def make(
        self, planner: Planner, stretch: Stretch, picker: Picker, progress: Callable[[int], None]
    ) -> None:
        """Look through a stretch of the delivery topic; `progress` is told offsets that are done.

        Raises:
            KafkaException: the broker does not answer.
        """
        for partition in sorted(stretch.starts):
            part = still_held(self._kafka, part_of(stretch, partition))
            if not part.offsets:
                continue
            picker.begin()
            planner.begin(self._versions(partition), self._told(part, partition))
            done = part.starts[partition]

            def take(message: Message) -> None:
                nonlocal done
                event = picker.pick(message)
                if event is not None:
                    planner.take(event)
                following = (message.offset() or 0) + 1
                progress(following - done)
                done = following

            look_through(self._kafka, part, take)
            progress(part.ends[partition] - done)
        planner.end()
        plan = planner.plan
        plan.erased, plan.unreadable, plan.copies = picker.erased, picker.unreadable, picker.copies

    def _versions(self, partition: int) -> Mapping[bytes, int]:
        alive = {partition}
        known = KnownChangelog(self._kafka, self._places.profiles)([partition], lambda: alive)
        return known[partition].versions

    def _told(self, part: Stretch, partition: int) -> Mapping[bytes, Told]:
        """What the outcomes of a partition's deliveries say, by delivery id."""
        topic, marks = self._places.outcomes, Watermarks(self._kafka, self._places.outcomes)
        with PartitionReader(self._kafka) as reader:
            began = reader.times(part.topic, part.starts).get(partition, 0)
        found: dict[bytes, Told] = {}

        def note(message: Message) -> None:
            value = message.value()
            headers = dict(message.headers() or ())
            if value is not None and headers.get(CONNECTION_HEADER) == self._connection:
                self._note(found, self._decode(value))

        starts = marks.since([partition], max(0, began - MARGIN_MS))
        look_through(self._kafka, Stretch(topic, starts, marks.stable([partition])), note)
        return found

    def _note(self, found: dict[bytes, Told], outcome: Mapping[str, Any]) -> None:
        if not outcome["final"] or not outcome["delivery_id"]:
            return
        told = found.setdefault(id_bytes(outcome["delivery_id"]), Told())
        part, what = outcome["part"], outcome["outcome"]
        if part == "profile":
            told.profile = what
        else:
            told.event = what
            late = outcome["corrects"] is not None  # what was taken at first was not, in the end
            told.accepted = what in ACCEPTED or (told.accepted and not late)
        if what in _SENT and outcome["topic"] == self._places.live and outcome["field_hashes"]:
            if told.sent is None:
                told.sent = {}
            told.sent[part] = self._paths.packed(outcome["field_hashes"])
