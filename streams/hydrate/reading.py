"""Bodies of the REST API → the entities that records have (contracts/ordergroove.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.sources.ordergroove import entity_of

from .entities import Address, Component, Entity, Item, Payment, Person, Product

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.ingest.ordergroove_api import Entity as ListName
    from streams.sources.ordergroove import WebhookOptions

    from .entities import What

LIST_OF: Mapping[What, ListName] = {
    "customer": "customers",
    "product": "products",
    "items": "items",
    "payment": "payments",
    "address": "addresses",
}
"""What is wanted → the API's list that has it."""

_STRUCTS: Mapping[What, type[Entity]] = {
    "customer": Person,
    "product": Product,
    "items": Item,
    "payment": Payment,
    "address": Address,
}


def read(what: What, body: Mapping[str, Any], at: int, options: WebhookOptions) -> Entity:
    """One entity of an answer at `at`, epoch milliseconds; raises `BadRecord`."""
    told = entity_of(LIST_OF[what], body, at, options)
    if "components" in told:
        told["components"] = tuple(Component(**each) for each in told["components"])
    return _STRUCTS[what](**told)
