"""Whose record is it? The little that keys and partitions rest on, read without the rest.

`record` asks the same of a whole event; the role `rekey` and derive's look at a topic's keys ask
nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.avro_structs import struct_reader
from streams.errors import BadRecord
from streams.model.ids import customer_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.avro import Codec


class _Owner(msgspec.Struct, frozen=True, gc=False):
    merchant: str
    customer_id: str


def check_owner(merchant: str, customer_id: str) -> None:
    """Raise `BadRecord` if these name no customer of a merchant."""
    if not merchant:
        raise BadRecord("missing_field", "merchant", "a record needs it")
    if ":" in merchant:  # keys are merchant:customer
        raise BadRecord("wrong_type", "merchant", "a merchant's id has no colon")
    if not customer_id:
        raise BadRecord("no_customer", "customer_id", "the record names no customer")


def owner_reader(codec: Codec) -> Callable[[bytes | None], bytes]:
    """A function from a record's bytes to its customer's key, which raises `BadRecord`."""
    read = struct_reader(codec, {"OrdergrooveRecord": _Owner})

    def owner(value: bytes | None) -> bytes:
        found: _Owner = read(value)
        check_owner(found.merchant, found.customer_id)
        return customer_key(found.merchant, found.customer_id)

    return owner
