"""What became of deliveries, in words that an analyst reads."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "delivered": "sent, and taken",
    "delivered_no_trigger": "sent as data: it starts no flow",
    "duplicate": "not sent again: they have it",
    "filtered": "not sent",
    "superseded": "not sent: they have a newer profile",
    "rejected": "refused",
    "expired": "given up on: its time is over",
    "erased": "not sent: the customer was erased",
    "retrying": "not taken yet, tried again",
    "unauthorized": "not taken: the vendor refuses our credentials",
}
"""Outcomes in words."""
