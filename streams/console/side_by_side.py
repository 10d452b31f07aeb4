"""One event at all its destinations, field beside field: what do they not agree on? Pure.

Vendors call one thing by many names; fields are matched by the last part of their path, without
case and punctuation, so `product_name`, `Product Name` and `productName` stand in one row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SHARED: Final = frozenset({"id", "key", "name", "type", "value"})
"""What a field is called in things of all kinds."""
_WRAPPINGS: Final = frozenset({"attributes", "data", "properties"})
"""What a thing's fields may stand in, and says nothing of the thing."""
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


class Row(NamedTuple):
    """A field.

    Attributes:
        name: in words.
        values: connection → the texts of all fields so called, in order.
        differs: whether two connections say something else.
    """

    name: str
    values: Mapping[str, list[str]]
    differs: bool


def side_by_side(bodies: Mapping[str, list[Any]], plain: Mapping[str, list[Any]]) -> list[Row]:
    """The rows of several connections' requests, those that differ first.

    Args:
        bodies: connection → bodies of its requests as they are shown …
        plain: … and as they are: what is masked alike may differ.
    """
    shown: dict[str, dict[str, list[str]]] = {}
    meant: dict[str, dict[str, list[str]]] = {}
    for table, told in ((shown, bodies), (meant, plain)):
        for connection, each in told.items():
            for name, text in (leaf for body in each for leaf in _leaves("", body)):
                table.setdefault(name, {}).setdefault(connection, []).append(text)
    rows = [Row(name, values, _differ(meant[name])) for name, values in shown.items()]
    return sorted(rows, key=lambda row: (not row.differs, -len(row.values)))


def _differ(values: Mapping[str, list[str]]) -> bool:
    return len({frozenset(map(_meant, texts)) for texts in values.values()}) > 1


def _meant(text: str) -> str:
    """A value without what is only its dress: `12.50` is `12.5`, `+1 212` is `1212`."""
    if _NUMBER.fullmatch(text) and "." in text:
        return text.rstrip("0").rstrip(".")
    return text.casefold().strip().removeprefix("+")


def _leaves(name: str, value: Any, parent: str = "") -> Iterator[tuple[str, str]]:
    """(name in words, text) of each value; one that many things have is named with its thing's."""
    if isinstance(value, Mapping):
        if value.keys() == {"name", "value"}:  # a parameter: its name is the field's
            yield from _leaves(str(value["name"]), value["value"])
            return
        around = parent if name in _WRAPPINGS else name
        for key, each in value.items():
            yield from _leaves(str(key), each, around)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(name, each, parent)
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        full = f"{parent} {name}" if name in _SHARED else name
        yield " ".join(_WORDS.findall(full)).lower(), text
