"""Paths into a merchant's records: read once, held against the writer's schema, run as closures.

    header.shop            a field of a field, from the record
    lines[0].sku           an element by its place
    address[kind=HOME].zip the first element whose field has this value
    @.sku                  from the element of the innermost `each`; @@ from the one around it

A record in a union is stepped into whatever its branch; where the value is null, or of a branch
that has no such field, nothing is told.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from .terms import wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Get = Callable[[tuple[Any, ...]], Any]
    """The values that are stepped from (record, element, inner element, …) → the value."""

SYNTAX = re.compile(
    r"(?:(?:^|\.)(?P<name>[^.\[\]=@]+))|\[(?P<at>\d+)\]|\[(?P<by>\w+)=(?P<of>[^\]]+)\]"
)
NEAR = 3
"""Names that are told of those that are closest."""


class Chosen(NamedTuple):
    """The first element of an array whose field has a value, as text."""

    field: str
    value: str


Step = str | int | Chosen


class Path(NamedTuple):
    """A path: `out` None begins at the record, 0 at the innermost element, 1 at that around it."""

    text: str
    out: int | None
    steps: tuple[Step, ...]


class Place(NamedTuple):
    """What a schema has at a path: its possible types; None: no schema is known."""

    types: tuple[Any, ...] | None
    named: Mapping[str, Any]


def path_of(text: str, where: str, depth: int) -> Path:
    """The path of a text; raises `ConfigurationError`.

    Args:
        text: as in the settings file.
        where: the entry, for the error.
        depth: how many arrays are around it.
    """
    rest = text.lstrip("@")
    ups = len(text) - len(rest)
    if ups > depth:
        raise wrong(where, f"{text} begins at an element, and no `each` is around it", "Drop the @")
    steps: list[Step] = []
    rest, at = rest.removeprefix(".") if ups else rest, 0
    while at < len(rest):
        found = SYNTAX.match(rest, at)
        if found is None:
            break
        steps.append(_step(found))
        at = found.end()
    if at < len(rest) or not (steps or ups):
        raise wrong(where, f"{text!r} is no path", "Write it like a.b, a[0].b, a[kind=HOME].b, @.b")
    return Path(text, ups - 1 if ups else None, tuple(steps))


def _step(found: re.Match[str]) -> Step:
    if found["at"] is not None:
        return int(found["at"])
    return found["name"] if found["by"] is None else Chosen(found["by"], found["of"])


def getter(path: Path) -> Get:
    """The function that follows a path."""
    start = 0 if path.out is None else -1 - path.out
    steps = path.steps
    if all(isinstance(step, str) for step in steps):

        def by_names(scope: tuple[Any, ...]) -> Any:
            value = scope[start]
            for name in steps:
                if type(value) is not dict:
                    return None
                value = value.get(name)
            return value

        return by_names

    def by_steps(scope: tuple[Any, ...]) -> Any:
        value = scope[start]
        for step in steps:
            value = _stepped(value, step)
        return value

    return by_steps


def _stepped(value: Any, step: Step) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return None
    if isinstance(step, int):
        return value[step] if step < len(value) else None
    told = (each for each in value if isinstance(each, dict))
    return next((each for each in told if str(each.get(step.field)) == step.value), None)


def place_of(path: Path, places: Sequence[Place], where: str) -> Place:
    """What the schema has at a path; raises `ConfigurationError` with the closest names.

    `places` are those that are stepped from, as for `getter`.
    """
    start = places[0 if path.out is None else -1 - path.out]
    if start.types is None:
        return start
    types = start.types
    for step in path.steps:
        types = _below(types, step, start.named, path, where)
    return Place(types, start.named)


def element_of(path: Path, places: Sequence[Place], where: str) -> Place:
    """What the elements of the array at a path are; raises `ConfigurationError`."""
    place = place_of(path, places, where)
    if place.types is None:
        return place
    arrays = [each for each in place.types if _kind(each) == "array"]
    if not arrays:
        raise wrong(where, f"{path.text} is no array in the writer's schema", "Name an array")
    return Place(tuple(t for a in arrays for t in branches(a["items"], place.named)), place.named)


def branches(schema: Any, named: Mapping[str, Any]) -> tuple[Any, ...]:
    """The types that a schema allows beside null, unions and names followed."""
    if isinstance(schema, list):
        return tuple(found for each in schema for found in branches(each, named))
    if isinstance(schema, str):
        return () if schema == "null" else (named.get(schema, schema),)
    if isinstance(schema, dict) and isinstance(schema["type"], list | dict):
        return branches(schema["type"], named)
    return (schema,)


def _kind(schema: Any) -> Any:
    return schema if isinstance(schema, str) else schema["type"]


def _below(
    types: tuple[Any, ...], step: Step, named: Mapping[str, Any], path: Path, where: str
) -> tuple[Any, ...]:
    """The types below some types."""
    found: list[Any] = []
    known: set[str] = set()
    matched = False
    for each in types:
        inner = _inner(each, step, known, named)
        if inner is not None:
            matched = True
            found += branches(inner, named)
    if matched:
        return tuple(found)
    name = step.field if isinstance(step, Chosen) else str(step)
    near = difflib.get_close_matches(name, sorted(known), NEAR, 0.4) or sorted(known)[:NEAR]
    problem = f"unmapped path {path.text}: the writer's schema has no {name} there"
    hint = f"Closest: {', '.join(near)}" if near else "Look the path up in the writer's schema"
    raise wrong(where, problem, hint)


def _inner(schema: Any, step: Step, known: set[str], named: Mapping[str, Any]) -> Any:
    """What one type has at a step; None: nothing. Names that it has are added to `known`."""
    kind = _kind(schema)
    if isinstance(step, str):
        if kind == "map":
            return schema["values"]
        fields = {f["name"]: f["type"] for f in schema["fields"]} if kind == "record" else {}
        known.update(fields)
        return fields.get(step)
    if kind != "array":
        return None
    if isinstance(step, Chosen) and not _has(schema["items"], step.field, known, named):
        return None
    return schema["items"]


def _has(items: Any, field: str, known: set[str], named: Mapping[str, Any]) -> bool:
    return any(_inner(t, field, known, named) is not None for t in branches(items, named))
