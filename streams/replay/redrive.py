"""A letter's own bytes go back to where they came from; what is purged is settled.

That a letter was redriven is marked on the letter itself: the same record once more, with a header
that says when. It stays until the letter is settled, by a tombstone, or given up on again, which
writes it anew without the mark. So whoever runs the command again leaves out what is under way,
and needs to read nothing but the dead letters; the delivery topic may be very much longer.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from streams.model.dead_letter import REDRIVE_OF
from streams.replay.letters import Place
from streams.replay.reading import REDRIVEN_AT
from streams.replay.transaction import Appended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from confluent_kafka import Message

    from streams.replay.letters import Letter
    from streams.replay.reading import LetterTopic
    from streams.replay.transaction import Transactions

_AT_ONCE: Final = 500
"""Letters of a transaction, at most."""

_HELD_BYTES: Final = 32 << 20
"""Bytes of letters in memory, about: of those that one reading looks for."""

Each = TypeVar("Each")

Chosen = tuple["Letter", str]
"""A letter, and the topic that it goes to."""


def redrive(
    topic: LetterTopic,
    chosen: Iterable[Chosen],
    decode: Callable[[bytes], Mapping[str, Any]],
    transactions: Transactions,
    now: int,
) -> Iterator[int]:
    """Append letters again, in the order that they had; yields how many are done, each time.

    Args:
        topic: where they stand.
        chosen: which.
        decode: a dead letter of a record's value.
        transactions: each holds some letters and their marks.
        now: epoch milliseconds.

    Raises:
        TakenOver: another command has begun.
        KafkaException: the broker does not answer, or refuses.
    """
    ordered = sorted(chosen, key=lambda each: (each[1], each[0].origin or "", each[0].order))
    for some in _lots(ordered):
        messages: dict[Place, Message] = {}

        def keep(message: Message, found: dict[Place, Message] = messages) -> None:
            found[Place(message.partition() or 0, message.offset() or 0)] = message

        topic.records({each.place for each, _ in some}, keep)
        for few in _few(some):
            transactions.append(
                record
                for each, target in few
                for record in _again(messages[each.place], decode, topic.box.topic, target, now)
            )
            yield len(few)


def purge(topic: str, letters: Iterable[Letter], transactions: Transactions) -> Iterator[int]:
    """Settle letters and do nothing about them; yields how many are done, each time.

    Raises:
        TakenOver: another command has begun.
        KafkaException: the broker does not answer, or refuses.
    """
    for few in _few(letters):
        transactions.append(
            Appended(topic, each.id.encode(), None, [], each.place.partition) for each in few
        )
        yield len(few)


def _few(letters: Iterable[Each]) -> Iterator[list[Each]]:
    """So many at a time as go into a transaction."""
    waiting = iter(letters)
    while few := list(islice(waiting, _AT_ONCE)):
        yield few


def _lots(ordered: Iterable[Chosen]) -> Iterator[Sequence[Chosen]]:
    """So many at a time as fit in memory: each lot is a reading of the topic."""
    lot: list[Chosen] = []
    held = 0
    for each in ordered:
        if lot and held + each[0].size > _HELD_BYTES:
            yield lot
            lot, held = [], 0
        lot.append(each)
        held += each[0].size
    if lot:
        yield lot


def _again(
    message: Message,
    decode: Callable[[bytes], Mapping[str, Any]],
    letters: str,
    target: str,
    now: int,
) -> Iterator[Appended]:
    """The record that a letter was, and the letter with its mark."""
    value = message.value() or b""
    letter = decode(value)
    headers = {name: each for name, each in letter["headers"].items() if name != REDRIVE_OF}
    yield Appended(
        target,
        letter["key"],
        letter["value"],
        [*headers.items(), (REDRIVE_OF, letter["id"].encode())],
    )
    yield Appended(
        letters,
        message.key(),
        value,
        [(REDRIVEN_AT, b"%d" % now)],
        message.partition() or 0,
        max(0, message.timestamp()[1]),  # it is no younger for it
    )
