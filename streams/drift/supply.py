"""Which fields of the source records tell: those of a writer's schema, or by a mapping."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.avro import registry
from streams.registry.differences import gaps
from streams.sources.ordergroove import OBJECT_OF
from streams.sources.ordergroove.mapping import coverage, types_of

from .fields import OURS, SOURCE, fields, place_of_path

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict

    from streams.sources.ordergroove.mapping import Mapping

IDS = "subscriber.subscriptions"
"""A list of ids in our schema, and of entities with an id in a mapping."""


class Supply(NamedTuple):
    """What records tell.

    Attributes:
        told: places of fields that have none below them.
        why: places that are not told, and why, where there is more to say than that.
        types: event types that come.
        mapped: a mapping tells them.
    """

    told: frozenset[str]
    why: Dict[str, str]
    types: frozenset[str]
    mapped: bool


def whole() -> Supply:
    """All fields: our own records."""
    return Supply(_leaves(), {}, frozenset(OBJECT_OF), mapped=False)


def by_schema(writer: Any) -> Supply:
    """What records of a writer's schema (parsed JSON) tell by Avro's resolution against ours."""
    found = gaps(json.loads(registry().texts[SOURCE]), writer)
    why = {place_of_path(gap.path): gap.why for gap in found}
    told = {place for place in _leaves() if not any(_within(place, each) for each in why)}
    return Supply(frozenset(told), why, frozenset(OBJECT_OF), mapped=False)


def by_mapping(mapping: Mapping, schema: Any = None) -> Supply:
    """What a mapping tells of the records of a writer's schema (compiled; None: not known).

    Raises:
        ConfigurationError: an entry is for no field of ours.
    """
    told, why = set(OURS), {}
    for place, lost in coverage(mapping, schema):
        field = IDS if place.startswith(f"{IDS}.") else place
        if lost is None:
            told.add(field)
        else:
            why[field] = lost
    types = types_of(mapping, schema)
    return Supply(
        frozenset(told), why, frozenset(OBJECT_OF) if types is None else types, mapped=True
    )


def _leaves() -> frozenset[str]:
    return frozenset(place for place, field in fields().items() if field.leaf)


def _within(place: str, other: str) -> bool:
    return place == other or place.startswith(f"{other}.")
