"""Which of our fields a mapping tells, of the records of some writer's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from streams.errors import ConfigurationError

from .entities import Around, check_names, value_of
from .keys import key_of
from .paths import Place, branches, element_of, path_of, place_of
from .tables import ENVELOPE, OBJECTS, SNAPSHOT
from .values import symbols_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.sources.ordergroove.entities import Reader

    from .tables import Shape
    from .terms import Entry, Mapping, Table


class Judged(NamedTuple):
    """An entry by its place in the mapping, `subscription.price`; `why` it tells nothing, if so."""

    place: str
    why: str | None


def coverage(mapping: Mapping, schema: Any = None) -> list[Judged]:
    """Every entry of a mapping, and whether the writer's records can tell it.

    Args:
        mapping: as configured.
        schema: the writer's, compiled; None: it is not known, and every path is believed.

    Raises:
        ConfigurationError: an entry is for no field of ours.
    """
    around, lost = _around(mapping, schema), None
    if mapping.each is not None:
        around, lost = _inside(mapping.each, around, "each")
    check_names(set(mapping.envelope), set(ENVELOPE), "")
    found = [
        _judged(entry, ENVELOPE[name], around, name, lost)
        for name, entry in mapping.envelope.items()
    ]
    for tables, shapes, room in (
        (mapping.objects, OBJECTS, ""),
        (mapping.snapshot, SNAPSHOT, "snapshot."),
    ):
        check_names(set(tables), set(shapes), room.rstrip("."))
        for name, table in tables.items():
            found += _of_table(table, shapes[name], around, f"{room}{name}", lost)
    return found


def _inside(each: str, around: Around, where: str) -> tuple[Around, str | None]:
    """What is around the elements of an array, and why there are none, if so."""
    try:
        path = path_of(each, where, len(around.places) - 1)
        element, why = element_of(path, around.places, where), None
    except ConfigurationError as error:
        element, why = Place(None, {}), error.problem
    return around.inside(element), why


def _of_table(
    table: Table, shape: Shape, around: Around, where: str, lost: str | None
) -> Iterator[Judged]:
    check_names({*table.fields, *table.inner}, {*shape.fields, *shape.inner}, where)
    if table.each is not None:
        around, why = _inside(table.each, around, f"{where}.each")
        lost = lost or why
    for name, entry in table.fields.items():
        yield _judged(entry, shape.fields[name], around, f"{where}.{name}", lost)
    for name, inner in table.inner.items():
        yield from _of_table(inner, shape.inner[name], around, f"{where}.{name}", lost)


def _judged(entry: Entry, read: Reader, around: Around, where: str, lost: str | None) -> Judged:
    if lost is not None:
        return Judged(where, lost)
    try:
        value_of(entry, read, around, where)
        if entry.path is not None:  # an optional one may find nothing
            place_of(path_of(entry.path, where, len(around.places) - 1), around.places, where)
    except ConfigurationError as error:
        return Judged(where, error.problem)
    return Judged(where, None)


def types_of(mapping: Mapping, schema: Any = None) -> frozenset[str] | None:
    """The event types that a mapping may make of a writer's records; None: that cannot be said."""
    entry = mapping.envelope["type"]
    if entry.const is not None:
        return frozenset({str(entry.const)})
    if not entry.values:
        return None
    told = entry.values.items()
    symbols = None
    if schema is not None and entry.path is not None:
        symbols = symbols_of(_place(entry.path, mapping, schema))
    return frozenset(str(ours) for value, ours in told if symbols is None or value in symbols)


def _place(path: str, mapping: Mapping, schema: Any) -> Place | None:
    """What the schema has at a path of the envelope; None: nothing."""
    around = _around(mapping, schema)
    lost = None
    if mapping.each is not None:
        around, lost = _inside(mapping.each, around, "each")
    try:
        found = path_of(path, "type", len(around.places) - 1)
        return None if lost else place_of(found, around.places, "type")
    except ConfigurationError:
        return None


def _around(mapping: Mapping, schema: Any) -> Around:
    named = {} if schema is None else schema["__named_schemas"]
    root = Place(None if schema is None else branches(schema, named), named)
    return Around((root,), key_of(mapping.key).parts)
