"""What a connection knows of its customers at the vendor, as its changelog restores it.

A compacted topic of the connection's own, with the delivery topic's partitions, holds by customer:
the profile version that the vendor has (under the customer's key), what was last sent of each thing
that must not be sent twice, and the profile that waits for the next sync (both under a key that
begins with a zero byte, which no customer's does).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from streams.delivery.reader import PartitionReader

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from collections.abc import Set as AbstractSet

    from streams.engine.kafka import KafkaSettings

_THINGS: Final = b"\0things\0"
_WAITING: Final = b"\0waiting\0"
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


@dataclass(slots=True)
class Known:
    """One partition's customers, each by key."""

    versions: Versions = field(default_factory=dict)
    things: dict[bytes, Things] = field(default_factory=dict)
    waiting: dict[bytes, Waiting] = field(default_factory=dict)

    def note(self, key: bytes, value: bytes | None) -> None:
        """Take a record of the changelog, in order.

        Of a customer's versions, and of their things, the greatest counts: one that the broker
        refused at first, and that was produced again, may stand behind a newer one.
        """
        if key.startswith(_THINGS):
            self._note_things(key.removeprefix(_THINGS), value)
        elif key.startswith(_WAITING):
            customer = key.removeprefix(_WAITING)
            if value is None:
                self.waiting.pop(customer, None)
            else:
                self.waiting[customer] = _decode_waiting(value)
        elif value is None:
            self.versions.pop(key, None)
        else:
            self.versions[key] = max(self.versions.get(key, 0), decode(value))

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
"""The bytes of `Things` and `Waiting`."""
_decode_things = msgspec.msgpack.Decoder(Things).decode
_decode_waiting = msgspec.msgpack.Decoder(Waiting).decode


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
