"""The API's lists: which filter means "changed since", and what is read behind what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from streams.sync.window import filter_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from streams.ingest.ordergroove_api import Entity
    from streams.sync.window import Window

__all__ = ["CHAINS", "LISTS", "PROBED", "PRODUCTS", "List", "filters_of"]


class List(NamedTuple):
    """One list.

    Attributes:
        entity: its name.
        changed: prefix of the filters `…_start` and `…_end` on the last change; None: it has none,
            and is always read whole.
        always: filters without which some would be hidden.
    """

    entity: Entity
    changed: str | None
    always: Mapping[str, str] = {}


PRODUCTS: Final = List("products", None, {"autoship_enabled": "all", "allow_discontinued": "true"})
"""Kept in memory: subscriptions and items name products by their id alone."""

_CUSTOMERS: Final = List("customers", "updated")
_SUBSCRIPTIONS: Final = List("subscriptions", "updated")
_ORDERS: Final = List("orders", "updated")
_ITEMS: Final = List("items", "order_updated")
_PAYMENTS: Final = List("payments", None)
_ADDRESSES: Final = List("addresses", "updated")

CHAINS: Final[Sequence[Sequence[List]]] = (
    (_CUSTOMERS,),
    (_SUBSCRIPTIONS,),
    (_ORDERS, _ITEMS),
    (_PAYMENTS,),
    (_ADDRESSES,),
)
"""Lists that are read at the same time, five as the vendor asks; those of a chain one by one.

Items come behind orders, since only an order says whose its items are.
"""

LISTS: Final = tuple(each for chain in CHAINS for each in chain)

PROBED: Final = (_CUSTOMERS, _SUBSCRIPTIONS, _ORDERS)
"""Whether anything was last changed before a date is asked of these."""


def filters_of(told: List, window: Window, zone: ZoneInfo) -> dict[str, str]:
    """The filters that ask a list for the changes of a window."""
    found = dict(told.always)
    if told.changed is not None:
        for name, at in (("start", window.since), ("end", window.until)):
            if at is not None:
                found[f"{told.changed}_{name}"] = filter_text(at, zone)
    return found
