"""Vendors that take many records a call, on a real broker: in order, through a kill -9."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from streams.model.enriched import ItemView, OrderView
from streams.model.events import Product
from streams.model.ids import delivery_id
from tests.support.delivery import until
from tests.support.delivery_world import DeliveryWorld
from tests.support.enriched import KNOWN, bare

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

CUSTOMERS = 40
EACH = 5
PRODUCT = Product(
    "77", "Oat bars", image_url="https://shop-demo.io/77.jpg", detail_url="https://shop-demo.io/77"
)


def event(vendor: str, customer: str, number: int) -> EnrichedEvent:
    """The customer's next event: another order each time."""
    kind = {"ometria": "order.reminder", "yespo": "order.success"}[vendor]
    order = OrderView(
        f"{customer}-{number}",
        total="42.50",
        currency_code="USD",
        items=[ItemView("i1", 1, "42.50", "42.50", PRODUCT)],
    )
    who = replace(KNOWN, email=f"{customer}@shop-demo.io")
    made = bare(kind, who, order=order)
    return replace(made, event_id=f"{customer}-{number}", customer_id=customer)


def taken(vendor: str, world: DeliveryWorld) -> list[tuple[str, str]]:
    """(customer, order or event) of each record that the vendor took, in order of arrival."""
    found = []
    for request in world.simulator.received:
        body: Any = request.body
        if body is None:  # a look at Ometria's list of errors
            continue
        rows = body["orders"] if vendor == "yespo" else body
        fates = list(request.fates) or [request.fate] * len(rows)
        for row, fate in zip(rows, fates, strict=True):
            if fate.split(":")[0] in {"accepted", "silent", "duplicate"}:
                whose = row["externalCustomerId" if vendor == "yespo" else "identity_account_id"]
                found.append((whose, row["externalOrderId" if vendor == "yespo" else "id"]))
    return found


def expected(vendor: str, world: DeliveryWorld) -> dict[str, list[str]]:
    """Each customer's, in order."""
    found = defaultdict(list)
    for each in world.fed:
        id_ = delivery_id(each.event_id, each.type, vendor)
        order = each.order.id if each.order is not None else ""
        found[each.customer_id].append(order if vendor == "yespo" else id_)
    return found


@pytest.mark.parametrize("vendor", ["ometria", "yespo"])
def test_each_record_goes_in_order_with_others(broker: str, prefix: str, vendor: str) -> None:
    """Far fewer calls than records; killed in between, only what was in flight comes again."""

    async def story() -> tuple[dict[str, list[str]], list[tuple[str, str]], int]:
        # reminders of a day long past are told all the same
        ages = {f"CONNECTIONS__{vendor.upper()}__MAX_AGE": '{"order.reminder": "3650d"}'}
        world = DeliveryWorld(broker, prefix, (), vendor, **ages)
        async with world:
            world.feed(*(event(vendor, f"c{c}", n) for n in range(EACH) for c in range(CUSTOMERS)))
            first = await world.start()
            await until(lambda: len(taken(vendor, world)) >= CUSTOMERS)
            first.kill()
            await first.wait()
            await world.start()
            async with asyncio.timeout(60):
                while len(set(taken(vendor, world))) < CUSTOMERS * EACH:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            return expected(vendor, world), taken(vendor, world), len(world.simulator.received)

    wanted, got, calls = asyncio.run(story())
    by_customer: dict[str, list[str]] = defaultdict(list)
    for customer, what in got:
        if what not in by_customer[customer]:
            by_customer[customer].append(what)

    assert wanted == by_customer
    assert len(got) - CUSTOMERS * EACH <= CUSTOMERS
    assert calls < CUSTOMERS * EACH / 4
