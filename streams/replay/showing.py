"""One letter for people: its event by name, with who it is about masked unless that is asked for.

What is not known to be harmless is hidden, since a letter is often one that nobody could read: the
names of its fields are shown, of their values those that are on a list here. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from streams.model.dead_letter import REDRIVE_OF
from streams.model.masking import HIDDEN, MASKS
from streams.model.replayed import HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

# fmt: off
PLAIN: Final = frozenset(
    {
        "access_type", "action", "amount", "cancelled", "cc_type", "created", "currency_code",
        "days", "due", "every", "every_period", "event_type", "expiration", "expires_at",
        "first_placed", "frequency_days", "generation", "grace_period", "kind", "last_updated",
        "late", "live", "merchant", "new", "object", "occurred_at", "old", "order_status",
        "part", "place", "points_expire_at", "prepaid", "price", "quantity", "received_at",
        "reminder_days", "renewal_behavior", "resourceType", "sequence", "sequenceNumber",
        "sku", "source", "start_date", "status", "sub_total", "tax_total", "discount_total",
        "shipping_total", "text", "tier", "tier_expires_at", "topic", "total", "total_price",
        "tries", "type", "updated", "version",
    }
)
# fmt: on
"""Fields whose values say nothing of who it is: kinds, times, amounts, products."""

OURS: Final = HEADERS | {REDRIVE_OF, "streams-recorded-at", "streams-flows-from", "connection"}
"""Headers that say nothing of anybody."""

_SECRET: Final = re.compile(
    r"auth|cookie|credential|key|password|secret|signature|token", re.IGNORECASE
)
_FIELD: Final = re.compile(r"[A-Za-z_]\w{0,40}")
"""What a field is called; in a body that nobody could read a name may be anything."""
_MERCHANT: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
_LEFT: Final = 2
_SMALL: Final = 10_000
"""Numbers below it identify nobody, unless their field is masked."""


def masked_id(text: str) -> str:
    """`0088123` → `***23`."""
    return f"{HIDDEN}{text[-_LEFT:]}" if len(text) > 2 * _LEFT else HIDDEN


def masked_key(key: bytes | None) -> str | None:
    """`merchant:0088123` → `merchant:***23`; of a key of another form only its end."""
    if key is None:
        return None
    merchant, colon, customer = plain_key(key).rpartition(":")
    shown = merchant if _MERCHANT.fullmatch(merchant) else HIDDEN
    return f"{shown}{colon}{masked_id(customer)}" if colon else masked_id(customer)


def plain_key(key: bytes) -> str:
    """A key as text that a terminal shows and does not obey."""
    text = key.decode(errors="replace")
    return "".join(each if each.isprintable() else "?" for each in text)


def masked_event(value: Any, name: str = "") -> Any:
    """A decoded event, or a body, with everything hidden that may say who it is about."""
    if isinstance(value, dict):
        return {
            key if _FIELD.fullmatch(key) else HIDDEN: masked_event(
                each, name if name in MASKS else key
            )
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [masked_event(each, name) for each in value]
    if isinstance(value, bytes):
        return f"{HIDDEN} {len(value)} bytes"
    if isinstance(value, bool) or value is None or value == "" or name in PLAIN:
        return value
    if isinstance(value, int | float):
        return value if abs(value) < _SMALL and name not in MASKS else HIDDEN
    text = str(value)
    return MASKS[name](text) if name in MASKS else masked_id(text)


def plain_event(value: Any) -> Any:
    """A decoded event as JSON has it: bytes as the JSON or text that they are, or else in hex."""
    if isinstance(value, dict):
        return {key: plain_event(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain_event(each) for each in value]
    return readable(value) if isinstance(value, bytes) else value


def readable(value: bytes) -> Any:
    """Bytes as JSON, as text, or else in hex."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def shown_headers(headers: Mapping[str, bytes], *, unmasked: bool) -> dict[str, str]:
    """A record's headers: what may be a secret is never shown."""

    def text(name: str, value: bytes) -> str:
        told = value.decode(errors="replace")
        if name in OURS:
            return told
        return told if unmasked and not _SECRET.search(name) else HIDDEN

    return {name: text(name, value) for name, value in headers.items()}
