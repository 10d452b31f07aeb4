"""Keyed hashes of a request's body: say later what changed between two, without keeping either.

The key makes guessing useless: without it nobody can try e-mail addresses against a hash.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD_BYTES = 8
_BODY_BYTES = 16
_LONGEST_KEY = 64

_json = msgspec.json.Encoder(order="deterministic").encode


class Fingerprints:
    """Hashes under one key."""

    def __init__(self, key: bytes) -> None:
        """Take the key; of any length, but an empty one hides little."""
        if len(key) > _LONGEST_KEY:
            key = blake2b(key, digest_size=_LONGEST_KEY).digest()
        self._body = blake2b(key=key, digest_size=_BODY_BYTES)
        self._field = blake2b(key=key, digest_size=_FIELD_BYTES)

    def digest(self, body: bytes) -> str:
        """The hash of a whole body, in hexadecimal."""
        keyed = self._body.copy()
        keyed.update(body)
        return keyed.hexdigest()

    def fields(self, body: Mapping[str, Any]) -> dict[str, bytes]:
        """The hash of each field, by its path, `data.attributes.time`.

        A list is one field: its members have no names, and there may be hundreds of them.
        """
        hashes: dict[str, bytes] = {}
        self._walk("", body, hashes)
        return hashes

    def _walk(self, prefix: str, body: Mapping[str, Any], hashes: dict[str, bytes]) -> None:
        for name, value in body.items():
            path = prefix + name
            if isinstance(value, dict) and value:
                self._walk(path + ".", value, hashes)
                continue
            keyed = self._field.copy()
            # The path is hashed too, else equal values would show as equal across fields.
            keyed.update(b"%b\0%b" % (path.encode(), _json(value)))
            hashes[path] = keyed.digest()
