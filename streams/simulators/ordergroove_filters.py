"""Which entities a list is asked for: the filters of its query, read and applied.

Contract: contracts/ordergroove.md §2.1 (two forms of times), §2.2 (filters of each kind; products
that are hidden unless asked for).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.ordergroove_errors import Refused
from streams.simulators.ordergroove_times import filter_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.ordergroove_kinds import Kind
    from streams.simulators.ordergroove_shelves import Row, Shelf, Shelves
    from streams.simulators.ordergroove_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Filters", "read_filters"]

_OF_PAGES = frozenset({"page_size", "cursor", "page"})


@dataclass(frozen=True, slots=True)
class _Range:
    """Times from `start` to `end`, compared as the switches say; None: without an end there."""

    field: str
    start: int | None
    end: int | None

    def has(self, compared: int) -> bool:
        if self.start is not None and compared < self.start:
            return False
        return self.end is None or compared <= self.end


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list's query asks for. `shown` are those that say more than which values."""

    kind: Kind
    exact: Mapping[str, str]
    ranges: tuple[_Range, ...]
    shown: Mapping[str, str]

    @property
    def one_customer(self) -> bool:
        """Whether no more than one customer is asked about; products are nobody's."""
        alone = self.kind.alone
        return not alone or not alone.isdisjoint(self.exact)

    def candidates(self, shelves: Shelves) -> list[Row]:
        """The rows that are enough to look at, in the order of lists."""
        shelf, owner = shelves[self.kind.name], self.exact.get(self.kind.owner)
        found = None if owner else shelves["subscriptions"].get(self.exact.get("subscription", ""))
        if found is None:
            return shelf.ordered(owner)
        orders = shelves["orders"].ordered(found.owner)  # the customer's
        if self.kind.name == "orders":
            return orders
        return shelf.in_order(row for order in orders for row in shelf.ordered(order.id))

    def pass_row(self, shelf: Shelf, row: Row) -> bool:
        """What can be said without the entity itself."""
        for each in self.ranges:
            if each.field == self.kind.updated and not each.has(shelf.compared(row.updated)):
                return False
            if each.field == self.kind.created and not each.has(shelf.compared(row.created)):
                return False
        return True

    def pass_entity(self, shelves: Shelves, entity: JSON) -> bool:
        """The rest."""
        if self.kind.name == "products" and not self._is_shown(entity):
            return False
        for name, wanted in self.exact.items():
            if not self._fits(name, wanted, shelves, entity):
                return False
        compared = shelves[self.kind.name].compared
        for each in self.ranges:
            value = self._of_order(shelves, entity).get(each.field)
            if not isinstance(value, int) or not each.has(compared(value)):
                return False
        return True

    def _fits(self, name: str, wanted: str, shelves: Shelves, entity: JSON) -> bool:
        if self.kind.name == "orders" and name == "subscription":
            items = shelves["items"]
            rows = items.ordered(str(entity["public_id"]))
            return any(shelves.entity("items", row).get(name) == wanted for row in rows)
        value = self._of_order(shelves, entity).get(name)
        if isinstance(value, bool):
            return str(value).lower() == wanted.lower()
        return value is not None and str(value) == wanted

    def _of_order(self, shelves: Shelves, entity: JSON) -> JSON:
        """What is looked at: an item can be filtered by its order's status and place, too."""
        if self.kind.name != "items":
            return entity
        row = shelves["orders"].get(str(entity.get("order")))
        order = {} if row is None else shelves.entity("orders", row)
        return {"status": order.get("status"), "place": order.get("place"), **entity}

    def _is_shown(self, product: JSON) -> bool:
        """Whether a product is not hidden."""
        if product.get("autoship_enabled") is False and "autoship_enabled" not in self.shown:
            return False
        return product.get("discontinued") is not True or "allow_discontinued" in self.shown


def read_filters(kind: Kind, query: Mapping[str, str], switches: Switches) -> Filters:
    """Read a query; raises Refused with 400 for a value or, if need be, a filter that is wrong."""
    exact: dict[str, str] = {}
    bounds: dict[str, dict[str, int]] = {}
    shown: dict[str, str] = {}
    for name, value in query.items():
        stem, _, end = name.rpartition("_")
        if name in _OF_PAGES:
            continue
        if name in kind.exact:
            exact[name] = value
        elif end in {"start", "end"} and stem in kind.ranges:
            bounds.setdefault(kind.ranges[stem], {})[end] = _bound(name, value, switches)
        elif name in kind.shows:
            if value == kind.shows[name]:
                shown[name] = value
        elif switches.unknown_filters == "refuse":
            raise Refused(400, name, f"There is no filter {name} for {kind.name}.")
    ranges = tuple(
        _Range(field, told.get("start"), told.get("end")) for field, told in bounds.items()
    )
    return Filters(kind, exact, ranges, shown)


def _bound(name: str, value: str, switches: Switches) -> int:
    """A bound as it is compared: as it is written, or the moment that it means."""
    zone = "UTC" if switches.compares == "wall" else switches.zone
    moment = filter_of(value, zone)
    if moment is None:
        raise Refused(400, name, "Write it as yyyy-mm-dd or yyyy-mm-ddThh:mm:ss.")
    return moment - 1 if name.endswith("_end") and switches.end == "excluded" else moment
