"""Ids as functions of the fact: disorder, replay and rebuild give the same id for the same fact.

Every id is a UUID of version 5 in one namespace, over the parts joined by an unlikely separator.
"""

from __future__ import annotations

from hashlib import blake2b, sha1
from uuid import UUID

NAMESPACE = UUID("6f1d2a52-6d1f-5d0e-9a55-0d5f0c1f7b3e")
"""Never to change: ids that vendors already know were made in it."""

_LONGEST_KEY = 64


def fact_id(*parts: str | int) -> str:
    """The id of a fact, `fact_id("subscriber.create", merchant, customer)`."""
    name = "\x1f".join(map(str, parts)).encode()
    hashed = bytearray(sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest())
    hashed[6] = hashed[6] & 0x0F | 0x50  # version 5: uuid5, which takes four times as long
    hashed[8] = hashed[8] & 0x3F | 0x80
    text = hashed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def delivery_id(event_id: str, event_type: str, connection: str) -> str:
    """The id of one enriched event for one connection: the idempotency key everywhere."""
    return fact_id("delivery", event_id, event_type, connection)


def profile_change_id(merchant: str, customer_id: str, version: int) -> str:
    """The id of the `profile.changed` that a row's version makes, whoever tells it."""
    return fact_id("profile.changed", merchant, customer_id, 0, version)


def dead_letter_id(topic: str, partition: int, offset: int) -> str:
    """The id of a source record given up on."""
    return fact_id("dead-letter", topic, partition, offset)


def customer_key(merchant: str, customer_id: str) -> bytes:
    """The Kafka key of everything about one customer of one merchant."""
    return f"{merchant}:{customer_id}".encode()


_SYNCED = b"\0synced:"
"""No customer's key begins with a zero byte, so no row of a customer is ever under it."""


def sync_mark(merchant: str, tried: int) -> bytes:
    """A key of the records that end a merchant's first sync, one in each partition.

    The default partitioner chooses by the key, so whoever writes tries numbers until one is where
    it should be; what is read of the key is the merchant.
    """
    return b"%b%b:%d" % (_SYNCED, merchant.encode(), tried)


def synced_by(key: bytes) -> bytes | None:
    """The row under which a mark is kept, of the mark's own key; None for any other key."""
    return key.rpartition(b":")[0] if key.startswith(_SYNCED) else None


def synced_row(key: bytes) -> bytes:
    """The row that says when the merchant of a customer's key was synced, if it was."""
    return _SYNCED + key.partition(b":")[0]


def is_nobody(key: bytes) -> bool:
    """Whether a record or a row under this key is no customer's."""
    return key.startswith(b"\0")


def customer_hash(key: bytes, customer: bytes) -> str:
    """What stands for a customer (`customer_key`) where nobody is to read who it is.

    A keyed hash, 16 bytes in hexadecimal: without the key (setting `hash_key`) nobody can try
    customers against it.
    """
    if len(key) > _LONGEST_KEY:
        key = blake2b(key, digest_size=_LONGEST_KEY).digest()
    return blake2b(customer, key=key, digest_size=16, person=b"customer").hexdigest()


def digest(*parts: str | int | bytes) -> bytes:
    """6 bytes that stand for the parts where remembering them whole would cost too much room."""
    joined = b"\x1f".join(
        [
            p.encode() if isinstance(p, str) else p if isinstance(p, bytes) else b"%d" % p
            for p in parts
        ]
    )
    return blake2b(joined, digest_size=6).digest()
