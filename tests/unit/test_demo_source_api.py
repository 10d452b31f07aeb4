"""The demo's shop as its source's REST API tells it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from streams.demo.shop import Shop
from streams.demo.source_api import put_shop
from streams.simulators import SIMULATORS, Options
from tests.support.ordergroove_simulator import client

if TYPE_CHECKING:
    from streams.ingest.ordergroove_api import Entity

KINDS: tuple[Entity, ...] = (
    "customers",
    "subscriptions",
    "orders",
    "items",
    "payments",
    "addresses",
)


def test_the_shop_as_it_stands_can_be_listed() -> None:
    """Every customer with what is theirs, linked as the shop has it; the shop takes no notice."""
    shop = Shop(7, events=300)
    list(shop)
    before = shop.world.rng.getstate()

    async def story() -> Any:
        async with (
            SIMULATORS["ordergroove"](Options(limits=None)) as simulator,
            client(simulator.url) as api,
        ):
            counts = await asyncio.to_thread(put_shop, shop.world, simulator.url)
            lists = {
                kind: [each async for page in api.pages(kind, {}) for each in page.results]
                for kind in KINDS
            }
        return counts, lists

    counts, lists = asyncio.run(story())
    customers = shop.world.customers
    assert before == shop.world.rng.getstate()
    assert {kind: counts[kind] for kind in KINDS} == {k: len(told) for k, told in lists.items()}
    assert {each.id for each in customers} == {
        each["merchant_user_id"] for each in lists["customers"]
    }
    assert {(one.id, one.customer.id) for each in customers for one in each.subscriptions} == {
        (each["public_id"], each["customer"]) for each in lists["subscriptions"]
    }
    orders = {each["public_id"] for each in lists["orders"]}
    assert {each["order"] for each in lists["items"]} <= orders
    payments = {each["public_id"] for each in lists["payments"]}
    assert {each["payment"] for each in lists["subscriptions"] + lists["orders"]} <= payments
