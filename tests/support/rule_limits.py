"""For each row of a vendor's rules a body just inside and one just outside, made of a real one."""

from __future__ import annotations

from copy import deepcopy
from functools import singledispatch
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from streams.model.demand_sizes import Bytes, Length, Without
from streams.model.demands import (
    Happened,
    Holds,
    Identified,
    Impersonal,
    OneOf,
    Plain,
    Present,
    Texts,
)
from streams.model.rules import Demand, values_at

if TYPE_CHECKING:
    from collections.abc import Callable


class Case(NamedTuple):
    """A body, when its event happened beside now (ms), and whether the row lets it pass."""

    body: Any
    passes: bool
    age: int = 0


@singledispatch
def cases(demand: Demand, body: Any) -> list[Case]:
    """Bodies at the limit, and one beyond it; none where the body has nothing at its path."""
    raise NotImplementedError(type(demand))


@cases.register
def _(demand: Length, body: Any) -> list[Case]:
    def change(parent: Any, name: Any, size: int) -> None:
        if demand.of == "names":
            parent[name]["n" * size] = "x"
        elif demand.of == "texts":
            parent[name]["text"] = "n" * size
        else:
            parent[name] = "n" * size

    sizes = [(demand.most, True), (demand.most + 1, False)]
    if demand.least:
        sizes += [(demand.least, True), (demand.least - 1, False)]
    return [Case(_changed(body, demand.path, change, size), ok) for size, ok in sizes]


@cases.register
def _(demand: Without, body: Any) -> list[Case]:
    def change(parent: Any, name: Any, character: str) -> None:
        if demand.of == "names":
            parent[name][f"a{character}b"] = 1
        else:
            parent[name] = f"a{character}b"

    return [
        Case(_changed(body, demand.path, change, each), ok)
        for each, ok in [*((c, False) for c in demand.characters), ("-", True), (".", True)]
    ]


@cases.register
def _(demand: Bytes, body: Any) -> list[Case]:
    def change(parent: Any, name: Any, size: int) -> None:
        inside = parent[name]
        rest = 0 if demand.of == "texts" else len(msgspec.json.encode(inside | {"filling": ""}))
        inside["filling"] = "n" * (size - rest)

    made = []
    for size, passes in ((demand.most, True), (demand.most + 1, False)):
        if demand.path:
            changed = _changed(body, demand.path, change, size)
        else:
            changed = {"whole": deepcopy(body)}
            change(changed, "whole", size)
            changed = changed["whole"]
        made.append(Case(changed, passes))
    return made


@cases.register
def _(demand: Present, body: Any) -> list[Case]:
    def without(parent: Any, name: Any, field: str, value: Any) -> None:
        inside = parent if name is None else parent[name]
        if value is None:
            inside.pop(field, None)
        else:
            inside[field] = value

    return [Case(body, passes=True)] + [
        Case(_changed(body, demand.path, without, field, value), False)
        for field in demand.names
        for value in (None, "")
    ]


@cases.register
def _(demand: Identified, body: Any) -> list[Case]:
    none = deepcopy(body)
    for path in demand.any_of:
        none = _changed(none, path, _take)
    alone = [
        Case(_only(body, none, path), passes=True) for path in demand.any_of if _has(body, path)
    ]
    return [Case(none, passes=False), *alone]


@cases.register
def _(demand: Holds, body: Any) -> list[Case]:
    def rename(parent: Any, name: Any) -> None:
        if parent[name] in demand.any_of:
            parent[name] = "other"

    return [Case(body, passes=True), Case(_changed(body, demand.path, rename), passes=False)]


@cases.register
def _(demand: Happened, body: Any) -> list[Case]:
    return [
        Case(body, passes=True),
        Case(body, True, age=-demand.ahead),
        Case(body, False, age=-demand.ahead - 1),
    ]


@cases.register
def _(demand: OneOf, body: Any) -> list[Case]:
    values = [(each, True) for each in demand.values] + [("OTHER", False), ("", False)]
    return [Case(_changed(body, demand.path, _put, value), ok) for value, ok in values]


@cases.register
def _(demand: Plain, body: Any) -> list[Case]:
    return _values(body, demand.path, good=["x", 0, False], bad=[None, "", [1], {"a": 1}])


@cases.register
def _(demand: Texts, body: Any) -> list[Case]:
    return _values(body, demand.path, good=["x"], bad=[1, None, ["x"], {"a": "x"}])


@cases.register
def _(demand: Impersonal, body: Any) -> list[Case]:
    values = [("C-4410", True), ("noor@shop-demo.io", False), ("+13125550148", False)]
    return [Case(_changed(body, demand.path, _put, value), ok) for value, ok in values]


def _values(body: Any, path: str, good: list[Any], bad: list[Any]) -> list[Case]:
    return [
        Case(_changed(body, path, _put_inside, value), value in good) for value in [*good, *bad]
    ]


def _put(parent: Any, name: Any, value: Any) -> None:
    parent[name] = value


def _put_inside(parent: Any, name: Any, value: Any) -> None:
    parent[name]["one"] = value


def _take(parent: Any, name: Any) -> None:
    del parent[name]


def _changed(body: Any, path: str, change: Callable[..., None], *values: Any) -> Any:
    """A copy in which a change was made at each place of a path: (what holds it, its name, …)."""
    made = {"": deepcopy(body)}
    if not path:
        change(made, "", *values)
        return made[""]
    head, _, last = path.rpartition(".")
    for _, parent in values_at(made[""], head):
        if isinstance(parent, dict) and last in parent:
            change(parent, last, *values)
        elif isinstance(parent, list) and last == "*":
            for place in range(len(parent)):
                change(parent, place, *values)
    return made[""]


def _has(body: Any, path: str) -> bool:
    return any(True for _ in values_at(body, path))


def _only(body: Any, none: Any, path: str) -> Any:
    """The body with none of the identifiers but this one."""
    [(_, value)] = values_at(body, path)
    made = deepcopy(none)
    head, _, last = path.rpartition(".")
    [(_, parent)] = values_at(made, head)
    parent[last] = value
    return made
