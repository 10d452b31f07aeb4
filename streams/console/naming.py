"""What stands for people in the index: keyed hashes, made of what is normalised first."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from streams.model.ids import customer_hash
from streams.sources.ordergroove.quirks import phone_number

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_KEY: Final = 64
_BYTES: Final = 12
OWN: Final = "own"
"""Source of the aliases that a customer's key itself has; others are a table's."""


class Naming:
    """Makes hashes by one key (setting `hash_key`)."""

    def __init__(self, hash_key: str, phone_region: str = "US") -> None:
        """Take the key, and the country of phone numbers that are written without."""
        told = hash_key.encode()
        self.hash_key = told
        self._phone_region = phone_region
        self._short = (
            told if len(told) <= _LONGEST_KEY else blake2b(told, digest_size=_LONGEST_KEY).digest()
        )

    def token(self, key: bytes) -> bytes:
        """What stands for a customer; in hexadecimal it is `customer_hash`."""
        return bytes.fromhex(customer_hash(self.hash_key, key))

    def customer(self, key: bytes) -> bytes:
        """The alias of a customer's id at any merchant."""
        return self._hash(b"customer", key.partition(b":")[2])

    def email(self, email: str) -> bytes:
        """The alias of an address; case does not matter."""
        return self._hash(b"email", email.casefold().encode())

    def phone(self, number: str) -> bytes:
        """The alias of a number, as rows have it (E.164)."""
        return self._hash(b"phone", number.encode())

    def asked(self, text: str) -> Iterator[bytes]:
        """The aliases that something somebody typed may be."""
        if "@" in text:
            yield self.email(text)
        number = phone_number(text, self._phone_region)
        if number is not None:
            yield self.phone(number)
        yield self._hash(b"customer", text.encode())

    def _hash(self, kind: bytes, what: bytes) -> bytes:
        return blake2b(what, key=self._short, digest_size=_BYTES, person=kind).digest()
