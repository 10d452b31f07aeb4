"""What a record changed in a customer's row, field by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.model.masking import masked
from streams.model.row_text import row_as_dict
from streams.model.wording import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.timeline.story import Row

_MARKS: Final = frozenset({"seen", "guards", "stamped", "stamps", "key"})
"""Fields that only say which events were seen, and in which order: at any depth."""
_INSTANTS: Final = 1_000_000_000_000
"""Numbers from here on are times, epoch milliseconds."""


class Change(NamedTuple):
    """A field that is another one now; texts, empty where there was nothing."""

    path: str
    before: str
    after: str


def changes(before: Row | None, after: Row | None, *, unmasked: bool) -> list[Change]:
    """What differs, in the row's own order; what both have alike is left out."""
    old, new = (dict(_leaves("", shown_row(row, unmasked=unmasked))) for row in (before, after))
    plain = [dict(_leaves("", shown_row(row, unmasked=True))) for row in (before, after)]
    paths = list(dict.fromkeys([*plain[0], *plain[1]]))
    return [
        Change(path, old.get(path, ""), new.get(path, ""))
        for path in paths
        if plain[0].get(path, "") != plain[1].get(path, "")
    ]


def shown_row(row: Row | None, *, unmasked: bool) -> dict[str, Any]:
    """A row as text, whole; nothing of one that there is not."""
    if row is None:
        return {}
    told = row_as_dict(row)
    return told if unmasked else dict(masked(told))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name not in _MARKS:
                yield from _leaves(f"{path}.{name}" if path else str(name), each)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _leaves(f"{path}[{number}]", each)
    elif value not in (None, ""):
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return moment(value) if isinstance(value, int) and value >= _INSTANTS else str(value)
