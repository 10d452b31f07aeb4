"""Whose dead letters are: by their keys, and by what they hold where the key is another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from streams.avro import codec
from streams.cli.dead_letters.boxes import readers_of
from streams.model.ids import customer_key
from streams.replay.erasing import letters_of, owned
from streams.replay.letters import Letter, Place
from streams.replay.reading import Box, LetterTopic
from streams.settings import load_settings
from streams.sources.ordergroove import record_of
from tests.support.kafka_record import Record
from tests.support.webhooks import CUSTOMER, MERCHANT, START, person, webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

EMAIL = "noor@shop-demo.io"
NEEDLES = {EMAIL.encode()}
KEY, OTHER = customer_key(MERCHANT, CUSTOMER), customer_key(MERCHANT, "0099442")
EVENTS, OLD = "og.ordergroove.events", "shop.subscriptions"
BOX = Box("ordergroove", "og.dead-letters.ordergroove", is_delivery=False)
READERS = readers_of(load_settings())
ENCODE, LETTER = codec("sources/ordergroove").encode, codec("dead_letter").encode
HERS = ENCODE(record_of(webhook("subscriber.create", person(email=EMAIL), START)))
NOBODYS = b"no record of " + EMAIL.upper().encode()


class Topic:
    """One letter on a dead-letter topic, as if it had been read."""

    box = BOX

    def __init__(
        self,
        key: bytes | None,
        value: bytes,
        reason: str = "malformed",
        origin: str | None = EVENTS,
    ) -> None:
        told: dict[str, Any] = {
            "id": "5d1b", "reason": reason, "field": None, "detail": "", "topic": origin,
            "partition": 0, "offset": 1, "timestamp": 1, "key": key, "value": value, "headers": {},
            "connection": None, "delivery_id": None, "part": None, "event_type": None,
            "status": None, "attempts": 0, "written_at": 1,
        }  # fmt: skip
        self._record = Record(b"5d1b", LETTER(told), 1)
        self._letter = Letter(
            id="5d1b", of=BOX.of, is_delivery=False, reason=reason, field=None, type="-", key=key,
            place=Place(self._record.partition(), self._record.offset()), origin=origin,
            order=Place(0, 1), part=None, status=None, attempts=0, size=9, written_at=1,
        )  # fmt: skip

    def standing(self, _: object) -> tuple[list[Letter], int]:
        """The letter."""
        return [self._letter], 0

    def records(self, places: set[Place], take: Callable[[Message], None]) -> None:
        """Its record, if it is asked for."""
        if self._letter.place in places:
            take(cast("Message", self._record))


def found(topic: Topic) -> bool:
    """Whether the letter is found as hers."""
    return bool(letters_of(cast("LetterTopic", topic), READERS, {KEY}, NEEDLES, OLD))


def owners(topic: Topic) -> set[bytes]:
    """Who it may be of, as a certificate counts it."""
    [(_, told)] = owned(cast("LetterTopic", topic), READERS, OLD)
    return told


@pytest.mark.parametrize(
    ("topic", "hers"),
    [
        pytest.param(Topic(KEY, b"anything"), True, id="her key"),
        pytest.param(Topic(None, NOBODYS), True, id="no key"),
        pytest.param(Topic(None, b"anything"), False, id="no key, not hers"),
        pytest.param(Topic(b"sub-8812", HERS, "wrong_key"), True, id="another key"),
        pytest.param(Topic(OTHER, HERS, "wrong_key"), True, id="the key of somebody else"),
        pytest.param(Topic(b"sub-8812", NOBODYS), True, id="another key, not to be read"),
        pytest.param(Topic(b'{"id":"8812"}', NOBODYS), True, id="an object in JSON as key"),
        pytest.param(Topic(EMAIL.encode(), b"anything"), True, id="her address as key"),
        pytest.param(Topic(OTHER, NOBODYS, origin=OLD), True, id="rekey's topic"),
        pytest.param(Topic(OTHER, NOBODYS), False, id="names her, and is somebody else's"),
        pytest.param(
            Topic(b"sub-8812", ENCODE(record_of(webhook("subscriber.create", person(
                email=EMAIL, merchant_user_id="0099442", customer="0099442"), START))),
                "wrong_key"),
            False,
            id="a namesake's",
        ),
    ],
)  # fmt: skip
def test_letters_are_found_whatever_their_key(topic: Topic, hers: bool) -> None:
    """And nobody else's are."""
    assert hers == found(topic)


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        pytest.param(Topic(KEY, b"anything"), {KEY}, id="by its key"),
        pytest.param(Topic(None, NOBODYS), set(), id="nobody can tell"),
        pytest.param(Topic(b"sub-8812", HERS, "wrong_key"), {b"sub-8812", KEY}, id="both"),
        pytest.param(Topic(None, HERS, "failed"), {KEY}, id="by its record"),
        pytest.param(Topic(None, HERS, origin=None), set(), id="a body is no record"),
    ],
)
def test_a_certificate_counts_those_of_other_keys_too(topic: Topic, told: set[bytes]) -> None:
    """As far as their records can be read: it knows nobody's address."""
    assert told == owners(topic)
