"""Ordergroove: webhook body → record → `Event` (contracts/ordergroove.md).

`types` lists what may come, `entities` and `quirks` say how it is written, `webhook` maps a body
onto the Avro record that travels on `ordergroove.events`, `record` reads that back as an `Event`.
"""

from __future__ import annotations

from .record import event_reader
from .types import OBJECT_OF
from .webhook import MAX_BODY, WebhookOptions, record_of

__all__ = ["MAX_BODY", "OBJECT_OF", "WebhookOptions", "event_reader", "record_of"]
