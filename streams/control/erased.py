"""Who was erased, and when: what was created before that is dropped, by whoever meets it.

A compacted topic: under the keyed hash of `merchant:customer`, the time of the erase. So it says
nothing to somebody without the key, and answers for a customer whose id is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from streams.engine.stretch import newest
from streams.errors import ConfigurationError
from streams.model.ids import customer_hash, customer_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.kafka import KafkaSettings

EVERYBODY: Final = ""
"""What the keys of the topic's records begin with, for a `Follower`: it follows all of them."""


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the topic, as JSON.

    Attributes:
        erased_at: epoch milliseconds.
        run: id of the action on the audit topic.
    """

    erased_at: int
    run: str = ""


encode_erased = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Erased).decode


def decode_erased(value: bytes) -> Erased:
    """The record of some bytes; raises `ConfigurationError` for what is none."""
    try:
        return _decode(value)
    except msgspec.DecodeError:
        raise ConfigurationError(
            "topic of the erased",
            "a record is not one of this version's",
            "Use the version that wrote it",
        ) from None


class ErasedList:
    """Answers who was erased. As it was when it was read, or as its follower knows it now."""

    def __init__(self, hash_key: bytes, read: Callable[[str], bytes | None]) -> None:
        """Take what it asks.

        Args:
            hash_key: the one that the topic was written with (setting `hash_key`).
            read: the newest value of a key: `Follower.read` of a follower of `EVERYBODY`.
        """
        self._hash_key = hash_key
        self._read = read

    @classmethod
    def of_topic(cls, kafka: KafkaSettings, topic: str, hash_key: bytes) -> ErasedList:
        """The list as the topic has it now, for a command that then ends.

        Raises:
            ConfigurationError: the topic does not exist.
            KafkaException: the broker does not answer.
        """
        known = newest(kafka, topic)
        return cls(hash_key, lambda key: known.get(key.encode()))

    def at(self, merchant: str, customer_id: str) -> int | None:
        """When a customer was erased last, epoch milliseconds; None: never."""
        value = self._read(customer_hash(self._hash_key, customer_key(merchant, customer_id)))
        return None if value is None else decode_erased(value).erased_at

    def hides(self, merchant: str, customer_id: str, created: int) -> bool:
        """Whether something of a customer is to be dropped: it was created before the erase.

        `created` is epoch milliseconds.
        """
        erased_at = self.at(merchant, customer_id)
        return erased_at is not None and created < erased_at
