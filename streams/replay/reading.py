"""The letters that stand on a dead-letter topic: of each id the newest, unless it is settled.

Two readings: first what stands, without bytes; then the records that were chosen, once more, by
their place. So no more than one fetch is in memory, however large letters are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.engine.stretch import look_through, whole
from streams.errors import BadRecord
from streams.replay.letters import UNKNOWN, Letter, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

REDRIVEN_AT: Final = "redriven_at"
"""Header of a dead letter that was appended again: when, epoch milliseconds as digits."""

_TYPE: Final = re.compile(r"[A-Za-z][\w.-]{0,80}", re.ASCII)
"""What an event type looks like: in a body that nobody could read it may be anything."""


class Box(NamedTuple):
    """One dead-letter topic.

    Attributes:
        of: the source or connection whose it is.
        topic: its name.
        is_delivery: whether it is a connection's.
    """

    of: str
    topic: str
    is_delivery: bool


class Readers(NamedTuple):
    """How bytes are read; both raise `BadRecord` for what they cannot read.

    Attributes:
        letter: a dead letter of a record's value.
        event: what a letter's own bytes are, of a box: the record of the delivery or source topic,
            or of a body that never was one.
    """

    letter: Callable[[bytes], dict[str, Any]]
    event: Callable[[Box, Mapping[str, Any]], dict[str, Any]]


class LetterTopic:
    """A dead-letter topic from its beginning to where it ended when this was made.

    Raises:
        ConfigurationError: it does not exist.
        KafkaException: the broker does not answer; so do the methods.
    """

    def __init__(self, kafka: KafkaSettings, box: Box) -> None:
        self.box = box
        self._kafka = kafka
        self._all = whole(kafka, box.topic)

    def standing(self, readers: Readers) -> tuple[list[Letter], int]:
        """The letters that are not settled, the oldest first; and how many records are none."""
        found: dict[bytes | None, Letter] = {}
        unreadable: set[bytes | None] = set()

        def take(message: Message) -> None:
            key, value = message.key(), message.value()
            found.pop(key, None)
            unreadable.discard(key)
            if value is None:
                return
            try:
                letter = _letter(self.box, message, readers.letter(value), readers)
            except BadRecord:
                unreadable.add(key)
                return
            if key == letter.id.encode():
                found[key] = letter
            else:  # no tombstone would find it
                unreadable.add(key)

        look_through(self._kafka, self._all, take)
        return sorted(found.values(), key=lambda each: (each.written_at, each.id)), len(unreadable)

    def records(self, places: set[Place], take: Callable[[Message], None]) -> None:
        """Hand over the records at these places, those of one partition in order."""
        first = dict(self._all.ends)
        for partition, offset in places:
            first[partition] = min(first[partition], offset)

        def choose(message: Message) -> None:
            if Place(message.partition() or 0, message.offset() or 0) in places:
                take(message)

        look_through(self._kafka, self._all._replace(starts=first), choose)


def _letter(box: Box, message: Message, record: Mapping[str, Any], readers: Readers) -> Letter:
    key, value, headers = record["key"], record["value"], record["headers"]
    beside = sum(len(name) + len(each) for name, each in headers.items())
    return Letter(
        id=record["id"],
        of=box.of,
        is_delivery=box.is_delivery,
        place=Place(message.partition() or 0, message.offset() or 0),
        reason=record["reason"],
        field=record["field"],
        type=record["event_type"] or _type(box, record, readers),
        key=key,
        origin=record["topic"],
        order=Place(record["partition"] or 0, record["offset"] or 0),
        part=record["part"],
        status=record["status"],
        attempts=record["attempts"],
        size=len(key or b"") + len(value) + beside,
        written_at=record["written_at"],
        redriven_at=_redriven_at(message),
    )


def _type(box: Box, record: Mapping[str, Any], readers: Readers) -> str:
    try:
        told = readers.event(box, record).get("type")
    except BadRecord:
        return UNKNOWN
    return told if isinstance(told, str) and _TYPE.fullmatch(told) else UNKNOWN


def _redriven_at(message: Message) -> int | None:
    told = dict(message.headers() or ()).get(REDRIVEN_AT)
    return int(told) if isinstance(told, bytes) and told.isdigit() else None
