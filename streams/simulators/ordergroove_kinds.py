"""The kinds of entities that the simulated Ordergroove has, and how each can be filtered.

Contract: contracts/ordergroove.md §2.2 (a row each), §3 (which have `updated` filters). A filter
that is not here does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind.

    `id` is the field that it is retrieved by, `owner` the one that it is found by fast; `created`
    and `updated` are its fields for that, `times` all that hold a time. `exact` are filters for one
    value, `ranges` those that go with `_start` and `_end`, each with the field that they look at;
    `alone` are those one of which narrows a list down to one customer; `shows` are parameters with
    the value that makes a list tell more.
    """

    name: str
    id: str = "public_id"
    owner: str = "customer"
    created: str = "created"
    updated: str = "updated"
    times: frozenset[str] = frozenset()
    exact: frozenset[str]
    ranges: Mapping[str, str]
    alone: frozenset[str] = frozenset({"customer"})
    shows: Mapping[str, str] = field(default_factory=dict)


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_BOTH = _same("created", "updated")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="customers",
            id="merchant_user_id",
            owner="email",
            updated="last_updated",
            times=frozenset({"created", "last_updated", "last_login"}),
            exact=frozenset({"live", "email"}),
            ranges={"created": "created", "updated": "last_updated"},
            alone=frozenset({"email"}),
        ),
        Kind(
            name="subscriptions",
            times=frozenset({"created", "updated", "cancelled"}),
            exact=frozenset({"live", "product", "shipping_address", "customer"}),
            ranges=_BOTH,
        ),
        Kind(
            name="orders",
            times=frozenset({"created", "updated", "place", "cancelled"}),
            exact=frozenset({"status", "subscription", "customer"}),
            ranges={**_BOTH, "place": "place"},
            alone=frozenset({"customer", "subscription"}),
            shows={"include_has_plan": "true"},
        ),
        Kind(
            name="items",
            owner="order",
            created="order_updated",
            updated="order_updated",
            times=frozenset({"order_updated", "first_placed"}),
            exact=frozenset({"order", "subscription", "status", "product", "one_time"}),
            ranges={"order_updated": "order_updated", "place": "place"},
            alone=frozenset({"order", "subscription"}),
        ),
        Kind(
            name="payments",
            updated="last_updated",
            times=frozenset({"created", "last_updated"}),
            exact=frozenset({"customer", "live"}),
            ranges={},
        ),
        Kind(
            name="addresses",
            times=frozenset({"created", "updated"}),
            exact=frozenset({"customer", "live"}),
            ranges=_BOTH,
        ),
        Kind(
            name="products",
            id="external_product_id",
            owner="external_product_id",
            updated="last_update",
            times=frozenset({"created", "last_update"}),
            exact=frozenset(),
            ranges={},
            alone=frozenset(),
            shows={"autoship_enabled": "all", "allow_discontinued": "true"},
        ),
    )
}
"""By name, which is also the path."""
