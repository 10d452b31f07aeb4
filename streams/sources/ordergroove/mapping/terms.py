"""What a mapping says: entries for our fields, in the tables of our schema."""

from __future__ import annotations

from typing import Literal

import msgspec

from streams.errors import ConfigurationError

SETTING = "ordergroove.mapping"

Constant = str | bool | int | float
Unit = Literal["s", "ms", "us", "iso", "days"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field comes from: exactly one of `path`, `const`, `key` (a part of the record's key).

    `values`: the record's value → ours. `ignore`: values of `type` that are no event. `scale`:
    decimals of money that is a whole number. `optional`: a writer's schema may lack the path.
    """

    path: str | None = None
    const: Constant | None = None
    key: str | None = None
    unit: Unit | None = None
    zone: str | None = None
    values: dict[str, Constant] = {}
    ignore: frozenset[str] = frozenset()
    scale: int | None = None
    optional: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one entity by the names of our fields; `inner`: tables below it by their names.

    `each`: the path of an array, of whose every element there is one entity.
    """

    fields: dict[str, Entry]
    inner: dict[str, Table] = {}
    each: str | None = None


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping whole.

    Attributes:
        key: what the record's key is made of, such as `{merchant}:{customer_id}`.
        envelope: entries of the envelope.
        objects: tables of the event's own object, by its kind in lower case.
        snapshot: tables of the entities beside it.
        each: the path of an array, of whose every element there is one event, in order.
    """

    key: str
    envelope: dict[str, Entry]
    objects: dict[str, Table] = {}
    snapshot: dict[str, Table] = {}
    each: str | None = None


def wrong(where: str, problem: str, fix: str) -> ConfigurationError:
    """The error of an entry, by its place in the mapping."""
    return ConfigurationError(f"{SETTING}.{where}" if where else SETTING, problem, fix)
