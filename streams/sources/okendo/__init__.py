"""Okendo Loyalty: webhook body and headers → record → `LoyaltyEvent` (contracts/okendo.md).

`paths` says where each field stands in a resource, `values` how values are read, `webhook` maps a
body onto the Avro record that travels on `okendo.events`, and `record` reads that back as an event.
"""

from __future__ import annotations

from .paths import FieldPaths
from .record import check_owner, event_reader
from .webhook import MAX_BODY, Webhook, WebhookOptions, record_of, webhook_of_line

__all__ = [
    "MAX_BODY",
    "FieldPaths",
    "Webhook",
    "WebhookOptions",
    "check_owner",
    "event_reader",
    "record_of",
    "webhook_of_line",
]
