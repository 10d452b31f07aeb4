"""A table of a mapping, compiled: what is stepped from → one of our entities, or a list of them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from streams.errors import BadRecord, ConfigurationError
from streams.sources.ordergroove import quirks as q

from .paths import element_of, getter, path_of, place_of
from .terms import wrong
from .values import check_symbols, reader_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.sources.ordergroove.entities import Reader

    from .paths import Place
    from .tables import Shape
    from .terms import Entry, Table

    Value = Callable[["Scope"], Any]
    """What is stepped from → a value of ours; raises `BadRecord` naming the entry."""


class Scope(NamedTuple):
    """What a record's entries are read from.

    Attributes:
        places: the record, the element of `each`, the inner one's, …
        key: the parts of the record's key.
        reading: the zone and region of values, and the event's own time.
    """

    places: tuple[Any, ...]
    key: Mapping[str, str]
    reading: q.Reading


class Around(NamedTuple):
    """What is around an entry: the schemas that are stepped from, the names of the key's parts.

    `strict`: values that the writer's enum has not are wrong.
    """

    places: tuple[Place, ...]
    parts: frozenset[str]
    strict: bool = False

    def inside(self, element: Place) -> Around:
        """What is around an entry of an array's element."""
        return self._replace(places=(*self.places, element))


def value_of(entry: Entry, read: Reader, around: Around, where: str) -> Value:
    """The function of one entry; raises `ConfigurationError`."""
    if entry.path is not None:
        return _by_path(entry, read, around, where)
    if entry.key is not None:
        part = entry.key
        if part not in around.parts:
            known = ", ".join(sorted(around.parts)) or "none"
            raise wrong(where, f"the key has no part {part}", f"Parts of `key`: {known}")
        return _read(lambda scope: scope.key.get(part), reader_of(entry, read, None, where), where)
    return _constant(entry, read, where)


def _constant(entry: Entry, read: Reader, where: str) -> Value:
    convert = reader_of(entry, read, None, where)
    try:
        made = convert(entry.const, q.Reading(ZoneInfo("UTC"), "US", 0))
    except (ValueError, OverflowError, TypeError, BadRecord):
        made = None
    if made is None:
        raise wrong(where, "the constant does not fit the field", "Give it another")
    return lambda scope: convert(entry.const, scope.reading)


def _by_path(entry: Entry, read: Reader, around: Around, where: str) -> Value:
    path = path_of(entry.path or "", where, len(around.places) - 1)
    try:
        place = place_of(path, around.places, where)
    except ConfigurationError:
        if not entry.optional:
            raise
        return lambda _: None
    if around.strict:
        check_symbols(entry, place, where)
    get = getter(path)
    convert = reader_of(entry, read, place, where)
    return _read(lambda scope: get(scope.places), convert, f"{where} ({path.text})")


def _read(get: Value, convert: Reader, where: str) -> Value:
    field = where.partition(" ")[0]

    def value(scope: Scope) -> Any:
        try:
            return convert(get(scope), scope.reading)
        except (ValueError, OverflowError, TypeError):
            detail = f"the value at {where} cannot be read"
            raise BadRecord("wrong_type", field, detail) from None

    return value


def entity_of(table: Table, shape: Shape, around: Around, where: str) -> Value:
    """The function of one table: an entity, or where the shape is `many` a list of them.

    One entity of which nothing that it cannot do without is told is none; an element of an array
    must tell it.

    Raises:
        ConfigurationError: the table does not fit the fields, or the writer's schema.
    """
    if table.each is None:
        one = _fields(table, shape, around, where)
        return _listed(one, shape, where) if shape.many else one
    if not shape.many:
        raise wrong(where, "it is one entity, not a list", "Drop `each`")
    path = path_of(table.each, f"{where}.each", len(around.places) - 1)
    element = element_of(path, around.places, f"{where}.each")
    inner = around.inside(element)
    one, get = _fields(table, shape, inner, where), getter(path)

    def many(scope: Scope) -> list[dict[str, Any]]:
        told = get(scope.places) or ()
        if not isinstance(told, list | tuple):
            raise BadRecord("wrong_type", f"{where}.each", "not an array")
        found = [one(scope._replace(places=(*scope.places, each))) for each in told]
        for each in found:
            check_required(each, shape, where)
        return found

    return many


def _listed(one: Value, shape: Shape, where: str) -> Value:
    def listed(scope: Scope) -> list[dict[str, Any]]:
        found = one(scope)
        if all(found[name] is None for name in shape.required):
            return []
        check_required(found, shape, where)
        return [found]

    return listed


def check_required(entity: Mapping[str, Any], shape: Shape, where: str) -> None:
    """Raise `BadRecord` where an entity lacks what it cannot do without."""
    for name in shape.required:
        if entity[name] is None:
            raise BadRecord("missing_field", f"{where}.{name}", "a record needs it")


def _fields(table: Table, shape: Shape, around: Around, where: str) -> Value:
    """The entity of a table's fields: those that have no entry are not told."""
    known = {*shape.fields, *shape.inner}
    check_names({*table.fields, *table.inner}, known, where)
    for name in sorted(shape.required - table.fields.keys()):
        raise wrong(f"{where}.{name}", "there is no entry, and a record needs it", "Add one")
    values = [
        (name, value_of(entry, shape.fields[name], around, f"{where}.{name}"))
        for name, entry in table.fields.items()
    ]
    values += [
        (name, entity_of(inner, shape.inner[name], around, f"{where}.{name}"))
        for name, inner in table.inner.items()
    ]
    blank = dict.fromkeys(shape.fields) | {
        name: [] if inner.many else None for name, inner in shape.inner.items()
    }

    def fields(scope: Scope) -> dict[str, Any]:
        out: dict[str, Any] = dict(blank)
        for name, value in values:
            out[name] = value(scope)
        return out

    return fields


def check_names(told: set[str], known: set[str], where: str) -> None:
    """Raise `ConfigurationError` for a name that is none of ours."""
    for name in sorted(told - known):
        raise wrong(
            f"{where}.{name}" if where else name, "no such name of ours", _near(name, known)
        )


def _near(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(sorted(known))}"
