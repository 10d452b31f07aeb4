"""The shop as its source's REST API tells it: what `streams sync` can be tried on beside the demo.

Put into the simulator of that API over its control routes, once, as the shop stands then; what
happens in the shop later is told by webhooks alone.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import httpx2

from streams.demo.catalog import SAMPLES, WARES
from streams.demo.objects import Objects
from streams.demo.snapshots import Snapshots, naive
from streams.demo.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.demo.entities import Customer, Order, Subscription

    _Paid = Customer | Subscription | Order

Json = dict[str, Any]

_AT_ONCE = 500
"""Entities of a request; all of a day's would be more than one may have."""


def put_shop(world: World, url: str) -> Mapping[str, int]:
    """Tell the simulator at this address everything; how many entities of each kind there are."""
    entities = entities_of(world)
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as client:
        for kind, told in entities.items():
            for begin in range(0, len(told), _AT_ONCE):
                some = told[begin : begin + _AT_ONCE]
                path = f"/_control/entities/{kind}"
                client.put(path, json={"entities": some}).raise_for_status()
    return {kind: len(told) for kind, told in entities.items()}


def entities_of(world: World) -> Mapping[str, list[Json]]:
    """Everybody whom the shop returns to, and what is theirs, by kind; the world stays as it is.

    An order, and so its items, last changed when it was made: the shop keeps nothing else.
    """
    forms = World(Random(0), world.opens)  # a chance of its own: the shop's goes on as it would
    write = Snapshots(forms, Objects(forms))
    found: dict[str, list[Json]] = {
        kind: []
        for kind in (
            "products", "customers", "subscriptions", "orders", "items", "payments", "addresses"
        )
    }  # fmt: skip
    since = naive(world.opens)
    for ware in (*WARES, *SAMPLES):
        product = write.product(ware.id, world.opens)
        found["products"].append({**product, "created": since, "last_update": since})
    for customer in world.customers:
        found["customers"].append(write.customer(customer))
        things: tuple[_Paid, ...] = (customer, *customer.subscriptions, *customer.orders)
        for payment in {each.payment.id: each.payment for each in things}.values():
            found["payments"].append(write.payment(payment, customer))
        for address in {each.address.id: each.address for each in things}.values():
            told = write.address(address, customer)
            found["addresses"].append({**told, "updated": told["created"]})
        found["subscriptions"] += map(write.subscription, customer.subscriptions)
        for order in customer.orders:
            made = naive(order.created)
            found["orders"].append({**write.order(order), "updated": made})
            found["items"] += [
                {**write.item(item, order), "order_updated": made} for item in order.items
            ]
    return found
