"""Ordergroove: webhook body → record → `Event` (contracts/ordergroove.md).

`types` lists what may come, `entities` and `quirks` say how it is written, `webhook` maps a body
onto the Avro record that travels on `ordergroove.events`, `record` reads that back as an `Event`,
and `owner` only whose it is. `rest` reads entities of the REST API. `mapping` reads a merchant's
own records instead, by configuration.
"""

from __future__ import annotations

from .owner import check_owner, owner_reader
from .record import event_reader
from .rest import entity_of
from .types import OBJECT_OF
from .webhook import MAX_BODY, WebhookOptions, record_of

__all__ = [
    "MAX_BODY",
    "OBJECT_OF",
    "WebhookOptions",
    "check_owner",
    "entity_of",
    "event_reader",
    "owner_reader",
    "record_of",
]
