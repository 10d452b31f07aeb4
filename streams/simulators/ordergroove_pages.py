"""Pages of a list: by cursor (`X-OG-API-VERSION: 2`), or by number, which is deprecated (§2).

What a cursor promises while entities change is not told by the contract and a switch here
(`Switches.order`, `Switches.cursor`). By default it holds the place of the last row that was shown,
(updated, id): an entity that changes meanwhile moves to a later place and is shown again or for the
first time; only what is deleted, or leaves the range that was asked for, is not.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import msgspec

from streams.simulators.ordergroove_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.simulators.ordergroove_filters import Filters
    from streams.simulators.ordergroove_shelves import Row, Shelf, Shelves
    from streams.simulators.ordergroove_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Found", "numbered_page", "page_after", "page_size"]

_DEFAULT, _MOST = 10, 100


class _Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A place: of a row (`moment`, `id`), or a number of rows (`moment`, no id)."""

    moment: int
    id: str
    back: bool = False
    epoch: int = 0


_decode = msgspec.json.Decoder(_Cursor).decode


class Found(NamedTuple):
    """The entities of a page, and the queries that lead on; None: there is nothing more."""

    entities: list[JSON]
    next: str | None
    previous: str | None


def page_size(query: Mapping[str, str]) -> int:
    """How many entities a page has: 10 unless told, never more than 100 (§2)."""
    text = query.get("page_size", "")
    return min(int(text), _MOST) if text.isdecimal() and int(text) > 0 else _DEFAULT


def page_after(
    shelves: Shelves, filters: Filters, query: Mapping[str, str], switches: Switches
) -> Found:
    """The page that a query's cursor leads to; raises Refused with 404 where it is none."""
    shelf, size = shelves[filters.kind.name], page_size(query)
    cursor, rows = _read(query.get("cursor"), switches), filters.candidates(shelves)
    place = 0 if cursor is None else _place(rows, shelf, cursor)
    if cursor is not None and cursor.back:
        shown = _first(shelves, filters, reversed(rows[:place]), size)[::-1]
    else:
        shown = _first(shelves, filters, (rows[at] for at in range(place, len(rows))), size + 1)
    more = len(shown) > size or (cursor is not None and cursor.back)
    shown = shown[:size]
    if not shown:
        return Found([], None, None)
    ends = [row for row, _ in (shown[0], shown[-1])]
    before, after = (_cursor_at(rows, shelf, row, switches) for row in ends)
    before.back = True
    if switches.cursor == "offset":
        after.moment += 1
    return Found(
        [entity for _, entity in shown],
        _query(query, after) if more else None,
        _query(query, before) if cursor is not None else None,
    )


def numbered_page(
    shelves: Shelves, filters: Filters, query: Mapping[str, str]
) -> tuple[Found, int]:
    """The page with a query's number, and how many entities there are in all (deprecated)."""
    text, size = query.get("page", "1"), page_size(query)
    rows = filters.candidates(shelves)
    every = _first(shelves, filters, rows, len(rows))
    number = int(text) if text.isdecimal() else 0
    shown = every[(number - 1) * size : number * size] if number else []
    if not shown and number != 1:
        raise Refused(404, "page", "Invalid page.")

    def of(page: int) -> str:
        return urlencode({**query, "page": str(page)})

    last = number * size >= len(every)
    found = Found(
        [entity for _, entity in shown],
        None if last else of(number + 1),
        None if number == 1 else of(number - 1),
    )
    return found, len(every)


def _first(
    shelves: Shelves, filters: Filters, rows: Iterable[Row], count: int
) -> list[tuple[Row, JSON]]:
    """So many of the rows that the filters let pass, with their entities."""
    shelf, found = shelves[filters.kind.name], []
    for row in rows:
        if not filters.pass_row(shelf, row):
            continue
        entity = shelves.entity(filters.kind.name, row)
        if filters.pass_entity(shelves, entity):
            found.append((row, entity))
            if len(found) == count:
                break
    return found


def _place(rows: list[Row], shelf: Shelf, cursor: _Cursor) -> int:
    """Where in the rows a cursor points: behind its row, or before it if it leads back."""
    if not cursor.id:
        return min(cursor.moment, len(rows))
    bisect = bisect_left if cursor.back else bisect_right
    return bisect(rows, (cursor.moment, cursor.id), key=shelf.key)


def _cursor_at(rows: list[Row], shelf: Shelf, row: Row, switches: Switches) -> _Cursor:
    key = shelf.key(row)
    if switches.cursor == "offset":
        key = bisect_left(rows, key, key=shelf.key), ""
    return _Cursor(*key, epoch=switches.cursor_epoch)


def _read(text: str | None, switches: Switches) -> _Cursor | None:
    if text is None:
        return None
    try:
        cursor = _decode(base64.urlsafe_b64decode(text))
        if cursor.epoch == switches.cursor_epoch:
            return cursor
    except (binascii.Error, ValueError):  # also msgspec's own errors
        pass
    raise Refused(404, "cursor", "Invalid cursor.")


def _query(query: Mapping[str, str], cursor: _Cursor) -> str:
    """The query of a `next`: filters and page size stay."""
    text = base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()
    return urlencode({"cursor": text, **{n: v for n, v in query.items() if n != "cursor"}})
