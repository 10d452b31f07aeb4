"""What is held of somebody beside the tables, and the records that begin to take it away.

Dead letters are found by their key; bodies that never became records by what they hold. What
connections hold is only counted: each takes its own away when it meets the fact that derive tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from streams.control.erased import Erased, encode_erased
from streams.delivery.known import Parked, things_key, waiting_key
from streams.engine.stretch import look_through, whole
from streams.model.ids import customer_hash
from streams.replay.erase_records import erase_record
from streams.replay.letters import Place
from streams.replay.transaction import Appended

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.replay.letters import Letter
    from streams.replay.people import Person
    from streams.replay.reading import LetterTopic, Readers

_PARKED: Final = b"\0parked\0"
_parked = msgspec.msgpack.Decoder(Parked).decode


class Held(NamedTuple):
    """What a connection holds of these people: how many deliveries and profiles wait there."""

    parked: int
    waiting: int


class Writes(NamedTuple):
    """Where an erase is written.

    Attributes:
        erased: the topic of the erased.
        hash_key: of the hashes there.
        intakes: source → topic of its new records.
        encode: source → a record into bytes.
    """

    erased: str
    hash_key: bytes
    intakes: Mapping[str, str]
    encode: Mapping[str, Callable[[Mapping[str, Any]], bytes]]


def begin_records(
    people: Sequence[Person], writes: Writes, at: int, run: str
) -> Iterator[Appended]:
    """The records of an erase, to be appended together: who was erased, and who is to be forgotten.

    Args:
        people: who.
        writes: where.
        at: the time of the erase, epoch milliseconds.
        run: id of the action on the audit topic.
    """
    for each in people:
        name = customer_hash(writes.hash_key, each.key).encode()
        yield Appended(writes.erased, name, encode_erased(Erased(erased_at=at, run=run)), [])
        merchant, _, customer = each.key.decode().partition(":")
        record = writes.encode[each.source](erase_record(each.source, merchant, customer, at))
        yield Appended(writes.intakes[each.source], each.key, record, [])


def held_of(kafka: KafkaSettings, changelog: str, keys: Collection[bytes]) -> Held:
    """What a connection holds of these customers, by its changelog.

    Raises:
        ConfigurationError: there is no such topic.
        KafkaException: the broker does not answer.
    """
    own = {make(key) for key in keys for make in (waiting_key, things_key)}
    held: dict[bytes, bytes] = {}

    def note(message: Message) -> None:
        key, value = message.key() or b"", message.value()
        held.pop(key, None)
        if value is None:
            return
        if key in own or (key.startswith(_PARKED) and _parked(value).key in keys):
            held[key] = value

    look_through(kafka, whole(kafka, changelog), note)
    parked = sum(key.startswith(_PARKED) for key in held)
    waiting = sum(key in {waiting_key(each) for each in keys} for key in held)
    return Held(parked, waiting)


def letters_of(
    topic: LetterTopic, readers: Readers, keys: Collection[bytes], needles: Collection[bytes]
) -> list[Letter]:
    """The letters of a topic that are these customers'.

    Raises:
        KafkaException: the broker does not answer.
    """
    standing, _ = topic.standing(readers)
    found = [each for each in standing if each.key in keys]
    nameless = {each.place: each for each in standing if each.key is None}

    def look(message: Message) -> None:
        value = readers.letter(message.value() or b"")["value"].lower()
        if any(each in value for each in needles):
            found.append(nameless[Place(message.partition() or 0, message.offset() or 0)])

    if nameless and needles:
        topic.records(set(nameless), look)
    return found
