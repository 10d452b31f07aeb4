"""What the control topic remembers of a merchant's syncs: one record, the newest counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from streams.engine.stretch import newest
from streams.errors import ConfigurationError
from streams.sync.lists import LISTS
from streams.sync.window import Window

if TYPE_CHECKING:
    from streams.engine.kafka import KafkaSettings

__all__ = [
    "Reach",
    "Run",
    "Standing",
    "decode_standing",
    "encode_standing",
    "key_of",
    "standing_of",
]

_KEYS: Final = "sync:ordergroove:"

_NEWEST: Final = 1
"""Version of the record's shape."""


class Reach(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the reading of one list has come.

    Attributes:
        cursor: where it goes on; None: at its beginning.
        done: nothing is left.
        read: entities that came.
        written: of them, as records.
    """

    cursor: str | None = None
    done: bool = False
    read: int = 0
    written: int = 0


class Run(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A run that has begun and not ended.

    Attributes:
        id: of its entries on the audit topic.
        started: epoch milliseconds.
        since, until: the window, epoch milliseconds.
        ends_marked: it ends with marks.
        topic: where it writes.
        begins: where that topic ended when the run began, by partition.
        reached: list → how far.
    """

    id: str
    started: int
    since: int | None = None
    until: int | None = None
    ends_marked: bool = False
    topic: str
    begins: dict[int, int] = {}
    reached: dict[str, Reach] = {}

    def reach(self, entity: str) -> Reach:
        """How far the reading of a list has come."""
        return self.reached.get(entity) or Reach()

    @property
    def window(self) -> Window:
        """The changes that it reads."""
        return Window(self.since, self.until)

    @property
    def done(self) -> bool:
        """Whether all lists are read."""
        return all(self.reach(each.entity).done for each in LISTS)


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of a merchant's syncs.

    Attributes:
        watermark: what changed before it was read, epoch milliseconds; None: nothing was.
        marked: start of the newest run that ended with marks.
        whole: list → how many entities it had in the last run that read all.
        run: the one that is under way, or was cut short.
        v: version of this shape.
    """

    watermark: int | None = None
    marked: int | None = None
    whole: dict[str, int] = {}
    run: Run | None = None
    v: int = _NEWEST


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Standing).decode


def key_of(merchant: str) -> bytes:
    """The key of a merchant's record."""
    return f"{_KEYS}{merchant}".encode()


def encode_standing(standing: Standing) -> bytes:
    """The record of a standing."""
    return _encode(standing)


def decode_standing(merchant: str, value: bytes | None) -> Standing:
    """The standing of a record; without one, nothing was read yet.

    Raises:
        ConfigurationError: it is none that this version reads.
    """
    if value is None:
        return Standing()
    try:
        return _decode(value)
    except msgspec.DecodeError:
        raise ConfigurationError(
            f"control record {_KEYS}{merchant}",
            "it is not one of this version's",
            "Use the version that wrote it",
        ) from None


def standing_of(kafka: KafkaSettings, control: str, merchant: str) -> Standing:
    """What the control topic says of a merchant now.

    Raises:
        ConfigurationError: the topic is missing, or holds what cannot be read.
        KafkaException: the broker does not answer.
    """
    return decode_standing(merchant, newest(kafka, control).get(key_of(merchant)))
