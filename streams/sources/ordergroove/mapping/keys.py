"""The record's key, as a mapping says that it is made.

One customer's records must lie in one partition. So the key is made of merchant and customer id and
of nothing else, every record's key is held against its events', and a topic with other keys has
`rekey` in front of it.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import NamedTuple

from streams.errors import BadRecord

from .terms import wrong

PARTS = frozenset({"merchant", "customer_id"})


class Key(NamedTuple):
    """How keys are made, and taken apart."""

    text: str
    pattern: re.Pattern[str]
    parts: frozenset[str]

    def made(self, merchant: str, customer_id: str) -> bytes:
        """The key of a customer's records."""
        return self.text.format(merchant=merchant, customer_id=customer_id).encode()

    def taken_apart(self, key: bytes | None) -> dict[str, str]:
        """The parts of a record's key; raises `BadRecord` where it is made otherwise."""
        try:
            found = None if key is None else self.pattern.fullmatch(key.decode())
        except UnicodeDecodeError:
            found = None
        if found is None:
            raise BadRecord("wrong_key", "key", f"the record's key is not {self.text}")
        return found.groupdict()


def key_of(text: str) -> Key:
    """How keys are made; raises `ConfigurationError`."""
    try:
        pieces = [(before, name) for before, name, *_ in Formatter().parse(text)]
    except ValueError:
        pieces = []
    parts = [name for _, name in pieces if name is not None]
    if not parts or not PARTS.issuperset(parts) or len(parts) != len(set(parts)):
        raise wrong(
            "key",
            "a key is made of {merchant} and {customer_id}, and of nothing that may change",
            "Write it like {customer_id}; a topic with other keys needs `rekey.topic`",
        )
    pattern = "".join(
        re.escape(before) + (f"(?P<{name}>.+?)" if name is not None else "")
        for before, name in pieces
    )
    return Key(text, re.compile(pattern, re.DOTALL), frozenset(parts))
