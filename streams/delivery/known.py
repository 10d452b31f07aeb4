"""What a connection knows of its customers at the vendor, as its changelog restores it.

A compacted topic of the connection's own, with the delivery topic's partitions, holds by customer:
the profile version that the vendor has (under the customer's key), what was last sent of each thing
that must not be sent twice, the profile that waits for the next sync, and the deliveries that are
parked (all under keys that begin with a zero byte, which no customer's does); how far its low lane
is; and, under keyed hashes of them, who was erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from streams.delivery.reader import PartitionReader

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from collections.abc import Set as AbstractSet

    from streams.engine.kafka import KafkaSettings

_THINGS: Final = b"\0things\0"
_WAITING: Final = b"\0waiting\0"
_PARKED: Final = b"\0parked\0"
_LOW: Final = b"\0low\0"
_ERASED: Final = b"\0erased\0"
_GENERATION_BITS: Final = 40
"""One small number for both: counts stay far below 2**40."""

Versions = dict[bytes, int]
"""Customer's key → the version that the vendor has, packed."""


class Things(msgspec.Struct, array_like=True, gc=False):
    """What was last sent of a customer's things: each with a digest, the oldest first.

    `offset` is of the delivery that changed it last: of a customer's records the greatest counts.
    """

    offset: int
    digests: dict[str, bytes] = {}


class Waiting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A profile that waits for the next sync: the delivery that brought it.

    `due` and `timestamp` are epoch milliseconds, `version` is packed, `value` the delivery's bytes.
    """

    due: int
    version: int
    offset: int
    timestamp: int
    value: bytes


class Parked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A delivery that goes on from here, since the offset has passed it.

    `low`: it is of the low lane, whose offsets count on their own. `timestamp` is epoch
    milliseconds, `value` and `headers` are the record's. `id` is the delivery's, and `concluded`
    the final outcomes of its parts, by name; empty, while it was not rendered. `failures` and
    `under_attempt` (seconds) are those of its next part, so that a restart does not begin its
    budget anew.
    """

    low: bool
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: dict[str, bytes] = {}
    id: str = ""
    concluded: dict[str, str] = {}
    failures: int = 0
    under_attempt: float = 0.0

    @property
    def place(self) -> Place:
        """Where the record is."""
        return self.low, self.offset


class Erasure(NamedTuple):
    """A customer was erased: the offset of the delivery that said so, and when, epoch ms."""

    offset: int
    at: int


Place = tuple[bool, int]
"""Whether a record is of the low lane, and its offset there."""


@dataclass(slots=True)
class Known:
    """One partition's customers, each by key; what is parked, by its place.

    `low` is how far its twin in the low lane is: the next offset, and where its outcomes begin.
    `erased` is by keyed hash.
    """

    versions: Versions = field(default_factory=dict)
    things: dict[bytes, Things] = field(default_factory=dict)
    waiting: dict[bytes, Waiting] = field(default_factory=dict)
    parked: dict[Place, Parked] = field(default_factory=dict)
    low: tuple[int, str] = (0, "")
    erased: dict[str, Erasure] = field(default_factory=dict)

    def note(self, key: bytes, value: bytes | None) -> None:
        """Take a record of the changelog, in order.

        Of a customer's versions, and of their things, the greatest counts: one that the broker
        refused at first, and that was produced again, may stand behind a newer one.
        """
        if key.startswith(_THINGS):
            self._note_things(key.removeprefix(_THINGS), value)
        elif key.startswith(_WAITING):
            self._note_waiting(key.removeprefix(_WAITING), value)
        elif key.startswith(_PARKED):
            self._note_parked(key.removeprefix(_PARKED), value)
        elif key == _LOW:
            self.low = _decode_low(value)
        elif key.startswith(_ERASED):
            self._note_erasure(key.removeprefix(_ERASED).decode(), value)
        elif value is None:
            self.versions.pop(key, None)
        else:
            self.versions[key] = max(self.versions.get(key, 0), decode(value))

    def _note_waiting(self, customer: bytes, value: bytes | None) -> None:
        if value is None:
            self.waiting.pop(customer, None)
        else:
            self.waiting[customer] = _decode_waiting(value)

    def _note_parked(self, place: bytes, value: bytes | None) -> None:
        lane, _, offset = place.partition(b":")
        if value is None:
            self.parked.pop((lane == b"low", int(offset)), None)
        else:
            self.parked[lane == b"low", int(offset)] = _decode_parked(value)

    def _note_erasure(self, name: str, value: bytes | None) -> None:
        told, known = decode_erasure(value or b""), self.erased.get(name)
        if known is None or told.at > known.at:
            self.erased[name] = told

    def _note_things(self, customer: bytes, value: bytes | None) -> None:
        if value is None:
            self.things.pop(customer, None)
            return
        told, known = _decode_things(value), self.things.get(customer)
        if known is None or told.offset >= known.offset:
            self.things[customer] = told


def things_key(customer: bytes) -> bytes:
    """The key of a customer's things."""
    return _THINGS + customer


def waiting_key(customer: bytes) -> bytes:
    """The key of a customer's profile that waits."""
    return _WAITING + customer


def parked_key(place: Place) -> bytes:
    """The key of a delivery that is parked: one partition's records are numbered by lane."""
    low, offset = place
    return _PARKED + (b"low:%d" if low else b"live:%d") % offset


def low_key() -> bytes:
    """The key of the low lane's position."""
    return _LOW


def erased_key(name: str) -> bytes:
    """The key of an erase, by the customer's keyed hash."""
    return _ERASED + name.encode()


def encode_erasure(erasure: Erasure) -> bytes:
    """The record of an erase."""
    return b"%d %d" % erasure


def decode_erasure(value: bytes) -> Erasure:
    """An erase of its record; ValueError for what is none."""
    offset, _, at = value.partition(b" ")
    return Erasure(int(offset), int(at))


def encode_low(offset: int, metadata: str) -> bytes:
    """The record of the low lane's position."""
    return b"%d %s" % (offset, metadata.encode())


def _decode_low(value: bytes | None) -> tuple[int, str]:
    offset, _, metadata = (value or b"0 ").partition(b" ")
    return int(offset), metadata.decode()


def packed(generation: int, count: int) -> int:
    """A version as a number: greater is newer."""
    return generation << _GENERATION_BITS | count


def encode(version: int) -> bytes:
    """A version's record, `GENERATION:COUNT` in decimal."""
    generation = version >> _GENERATION_BITS
    return b"%d:%d" % (generation, version - (generation << _GENERATION_BITS))


def decode(value: bytes) -> int:
    """The version in a record's value; ValueError for what is none."""
    generation, _, count = value.partition(b":")
    return packed(int(generation), int(count))


encode_kept = msgspec.msgpack.Encoder().encode
"""The bytes of `Things`, `Waiting` and `Parked`."""
_decode_things = msgspec.msgpack.Decoder(Things).decode
_decode_waiting = msgspec.msgpack.Decoder(Waiting).decode
_decode_parked = msgspec.msgpack.Decoder(Parked).decode


class KnownChangelog:
    """Restores partitions from a connection's topic; called in the engine's loading thread."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    def __call__(
        self, partitions: Collection[int], alive: Callable[[], AbstractSet[int]]
    ) -> dict[int, Known]:
        """What is known of these partitions; unfinished for those that are no longer alive.

        Raises:
            KafkaException: it cannot be read now.
        """
        found = {partition: Known() for partition in partitions}
        with PartitionReader(self._kafka) as reader:
            stretches = {p: reader.held(self._topic, p) for p in partitions}
            for message in reader.read(self._topic, stretches, alive):
                found[message.partition() or 0].note(message.key() or b"", message.value())
        return found
