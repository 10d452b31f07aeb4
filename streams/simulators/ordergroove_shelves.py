"""All entities of the simulated merchant, in the order of lists, found by id and by owner.

Of a generated one only its number, id and times are kept; what was put over `/_control` is kept
whole. Contract: contracts/ordergroove.md §2.2 (an order's `updated` moves when its items change),
§3 (what is deleted vanishes without a trace).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import islice
from typing import TYPE_CHECKING

from streams.simulators.ordergroove_kinds import KINDS
from streams.simulators.ordergroove_shop import Shop
from streams.simulators.ordergroove_times import moment_of, wall_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.simulators.ordergroove_kinds import Kind
    from streams.simulators.ordergroove_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Row", "Shelf", "Shelves"]

_AT_MOST = 8
"""Entities of one kind in a household, fewer than: a row's number has both."""


class Row:
    """One entity: `source` is itself, or where the shop makes it again."""

    __slots__ = ("created", "id", "owner", "source", "updated")

    def __init__(self, kind: Kind, entity: JSON, source: JSON | int) -> None:
        self.id = str(entity[kind.id])
        self.owner = str(entity.get(kind.owner))
        self.created = _moment(entity.get(kind.created))
        self.updated = _moment(entity.get(kind.updated))
        self.source = source


class Shelf:
    """The entities of one kind."""

    def __init__(self, kind: Kind, switches: Switches) -> None:
        self.kind = kind
        self._switches = switches
        self._rows: dict[str, Row] = {}
        self._owned: dict[str, list[Row]] = {}
        self._ordered: list[Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, row: Row) -> tuple[int, str]:
        """What rows are ordered by: a time, then the id."""
        switches = self._switches
        if switches.order == "newest":
            return -self.compared(row.created), row.id
        return self.compared(row.updated if switches.order == "updated" else row.created), row.id

    def compared(self, moment: int) -> int:
        """A moment as filters and order compare it."""
        switches = self._switches
        return wall_of(moment, switches.zone) if switches.compares == "wall" else moment

    def fill(self, rows: Iterable[Row]) -> None:
        """Take rows that are all new, in any order."""
        for row in rows:
            self._rows[row.id] = row
            self._owned.setdefault(row.owner, []).append(row)
        self._ordered = sorted(self._rows.values(), key=self.key)

    def behave(self, switches: Switches) -> None:
        """Order as these want it."""
        now = self._switches
        self._switches = switches
        if (now.order, now.compares) != (switches.order, switches.compares):
            self._ordered = sorted(self._rows.values(), key=self.key)

    def get(self, id_: str) -> Row | None:
        """The row of an id."""
        return self._rows.get(id_)

    def ordered(self, owner: str | None = None) -> list[Row]:
        """All rows in the order of lists, or one owner's."""
        if owner is None:
            return self._ordered
        return self.in_order(self._owned.get(owner, ()))

    def in_order(self, rows: Iterable[Row]) -> list[Row]:
        """These rows in the order of lists."""
        return sorted(rows, key=self.key)

    def some(self, offset: int, limit: int) -> Iterator[Row]:
        """Rows in the order in which they came to be."""
        return islice(self._rows.values(), offset, offset + limit)

    def put(self, row: Row) -> None:
        """Take a row that is new, or in the place of the one with its id."""
        before = self._rows.get(row.id)
        if before is not None:
            self._unlink(before)
        self._rows[row.id] = row  # where it was: `some` counts on it
        self._owned.setdefault(row.owner, []).append(row)
        insort(self._ordered, row, key=self.key)

    def take(self, id_: str) -> bool:
        """Take a row away; whether there was one."""
        row = self._rows.pop(id_, None)
        if row is None:
            return False
        self._unlink(row)
        return True

    def _unlink(self, row: Row) -> None:
        self._owned[row.owner].remove(row)
        del self._ordered[bisect_left(self._ordered, self.key(row), key=self.key)]


class Shelves:
    """All kinds; raises KeyError for one that there is not."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._shop = _shop_of(switches)
        self._shelves = {name: Shelf(kind, switches) for name, kind in KINDS.items()}
        made: dict[str, list[Row]] = {name: [] for name in KINDS}
        for number, household in enumerate(self._shop.households()):
            for name, entities in household.items():
                for place, entity in enumerate(entities):
                    made[name].append(Row(KINDS[name], entity, number * _AT_MOST + place))
        kind = KINDS["products"]
        made["products"] = [Row(kind, each, each) for each in self._shop.products()]
        for name, rows in made.items():
            self._shelves[name].fill(rows)

    def __getitem__(self, kind: str) -> Shelf:
        return self._shelves[kind]

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {name: len(shelf) for name, shelf in self._shelves.items()}

    def holds_for(self, switches: Switches) -> bool:
        """Whether other switches leave the shop what it is; then lists are ordered as they say."""
        if _shop_of(switches) != self._shop:
            return False
        self._switches = switches
        for shelf in self._shelves.values():
            shelf.behave(switches)
        return True

    def entity(self, kind: str, row: Row) -> JSON:
        """An entity, plainly: times are epoch seconds."""
        if isinstance(row.source, dict):
            return row.source
        number, place = divmod(row.source, _AT_MOST)
        return self._shop.household(number)[kind][place]

    def put(self, kind: str, changes: JSON, now: int) -> None:
        """Add an entity, or change these fields of the one with its id.

        It counts as changed now unless it says when; an order changes with its items, and tells
        them. Times may be epoch seconds, or texts as answers have them.

        Raises:
            ValueError: it has no id.
        """
        shelf = self[kind]
        fields = shelf.kind
        id_ = changes.get(fields.id)
        if not isinstance(id_, str) or not id_:
            raise ValueError(f"{kind}: one has no {fields.id}")
        known = shelf.get(id_)
        before: JSON = {fields.created: now} if known is None else self.entity(kind, known)
        entity = {**before, fields.updated: now, **self._read(fields, changes)}
        shelf.put(Row(fields, entity, entity))
        if kind == "items":
            self._touch_order(str(entity.get("order")), entity[fields.updated])
        if kind == "orders":
            self._tell_items(id_, entity.get(fields.updated))

    def delete(self, kind: str, id_: str, now: int) -> bool:
        """Take an entity away, without a trace but its order's change; whether there was one."""
        row = self[kind].get(id_)
        if row is None:
            return False
        self[kind].take(id_)
        if kind == "items":
            self._touch_order(row.owner, now)
        return True

    def _touch_order(self, order: str, now: object) -> None:
        row = self["orders"].get(order)
        if row is not None:
            entity = {**self.entity("orders", row), "updated": now}
            self["orders"].put(Row(KINDS["orders"], entity, entity))
        self._tell_items(order, now)

    def _tell_items(self, order: str, now: object) -> None:
        for row in self["items"].ordered(order):
            entity = {**self.entity("items", row), "order_updated": now}
            self["items"].put(Row(KINDS["items"], entity, entity))

    def _read(self, kind: Kind, changes: JSON) -> JSON:
        """What was put, with times as epoch seconds where they can be read so."""
        zone = self._switches.zone
        texts = {name: changes[name] for name in kind.times if isinstance(changes.get(name), str)}
        moments = {name: moment_of(str(text), zone) for name, text in texts.items()}
        return {**changes, **{name: at for name, at in moments.items() if at is not None}}


def _shop_of(switches: Switches) -> Shop:
    return Shop(switches.merchant, switches.customers, switches.seed, switches.as_of, switches.zone)


def _moment(value: object) -> int:
    return value if isinstance(value, int) else 0
