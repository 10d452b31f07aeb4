"""Entities of the REST API, in the shape that a record's snapshot has (contracts §2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from . import entities as e
from . import quirks as q
from .webhook import DEFAULT_OPTIONS, SNAPSHOT_LISTS, WebhookOptions

if TYPE_CHECKING:
    from collections.abc import Mapping


def entity_of(
    entity: str, body: Mapping[str, Any], at: int, options: WebhookOptions = DEFAULT_OPTIONS
) -> dict[str, Any]:
    """One entity of a list, such as `products`; a snapshot's `customer` is one of `customers`.

    `at`: when the API told it, epoch milliseconds. Tokens and holders of cards are left out, since
    a snapshot has no fields for them. Raises `BadRecord`.
    """
    reading = q.Reading(ZoneInfo(options.source_zone), options.phone_region, at, at)
    if entity == "customers":
        return e.read(e.CUSTOMER, body, reading, entity)
    return SNAPSHOT_LISTS[entity](body, reading, entity)
