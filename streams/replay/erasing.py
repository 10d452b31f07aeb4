"""What is held of somebody beside the tables, and the records that begin to take it away.

Dead letters are found by their key; those that have another one, or none, by what they hold. What
connections hold is only counted: each takes its own away when it meets the fact that derive tells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from streams.control.erased import Erased, encode_erased
from streams.delivery.known import Parked, things_key, waiting_key
from streams.engine.stretch import look_through, whole
from streams.errors import BadRecord
from streams.model.ids import customer_hash, customer_key
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

_CUSTOMERS: Final = re.compile(rb"[\w.-]+:.", re.ASCII | re.DOTALL)
"""What `merchant:customer_id` begins like; keys that are objects in JSON, say, do not."""
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
    topic: LetterTopic,
    readers: Readers,
    keys: Collection[bytes],
    needles: Collection[bytes],
    rekeyed: str | None = None,
) -> list[Letter]:
    """The letters of a topic that are these customers'.

    Args:
        topic: where they stand.
        readers: of what is in them.
        keys: of the customers.
        needles: what letters whose key does not say whose they are are looked through for.
        rekeyed: the topic that rekey reads, whose records have other keys.

    Raises:
        KafkaException: the broker does not answer.
    """
    standing, _ = topic.standing(readers)
    found = [each for each in standing if each.key in keys]
    doubtful = {
        each.place: each
        for each in standing
        if each.key not in keys and not _says_whose(each, rekeyed)
    }

    def look(message: Message) -> None:
        letter = readers.letter(message.value() or b"")
        owner = _owner(topic, readers, letter)
        held = b"\0".join((letter["key"] or b"", letter["value"])).lower()
        if any(each in held for each in needles) if owner is None else owner in keys:
            found.append(doubtful[_place(message)])

    if doubtful:
        topic.records(set(doubtful), look)
    return found


def owned(
    topic: LetterTopic, readers: Readers, rekeyed: str | None = None
) -> list[tuple[Letter, set[bytes]]]:
    """The letters of a topic, each with the customers it may be of, as far as that can be told.

    Arguments and errors are those of `letters_of`.
    """
    standing, _ = topic.standing(readers)
    doubtful = {each.place for each in standing if not _says_whose(each, rekeyed)}
    told: dict[Place, bytes] = {}

    def look(message: Message) -> None:
        owner = _owner(topic, readers, readers.letter(message.value() or b""))
        if owner is not None:
            told[_place(message)] = owner

    if doubtful:
        topic.records(doubtful, look)
    return [
        (each, {key for key in (each.key, told.get(each.place)) if key is not None})
        for each in standing
    ]


def _says_whose(letter: Letter, rekeyed: str | None) -> bool:
    """Whether a letter's key is its customer's, as far as that was held against the record."""
    made = letter.key is not None and _CUSTOMERS.match(letter.key) is not None
    return made and letter.reason != "wrong_key" and letter.origin != rekeyed


def _owner(topic: LetterTopic, readers: Readers, letter: Mapping[str, Any]) -> bytes | None:
    """The key of the customer that a letter's record tells of; None: it cannot be read."""
    if letter["topic"] is None:  # a body: what it calls so need not be ours
        return None
    try:
        told = readers.event(topic.box, letter)
    except BadRecord:
        return None
    merchant, customer = told.get("merchant"), told.get("customer_id")
    if not isinstance(merchant, str) or not isinstance(customer, str):
        return None
    return customer_key(merchant, customer)


def _place(message: Message) -> Place:
    return Place(message.partition() or 0, message.offset() or 0)
