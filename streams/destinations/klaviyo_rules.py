"""What Klaviyo refuses or loses in silence, refused by us beforehand with the field named.

contracts/klaviyo.md §2 (identifiers, times, sizes) and §6 (rates). Over-limit data may vanish after
a 202; so what we know to be over a limit is never sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Limit

from .fields import good_email, good_phone, nested

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

LIMITS = (
    Limit("events", 350, 1),
    Limit("events", 3_500, 60),
    Limit("profile-import", 75, 1),
    Limit("profile-import", 750, 60),
)

MAX_BODY = 5_000_000
MAX_STRING = 100_000
MAX_PROFILE = 95_000
MAX_PROFILE_IMPORT = 100_000
MAX_EMAIL = 99
OLDEST = 631_152_000_000
"""1990-01-01, the oldest time of revision 2026-07-15, epoch milliseconds."""
YEAR = 366 * 86_400_000

Refused = tuple[str, str | None]


def refusal_of(event: EnrichedEvent, body: dict[str, Any], now: int) -> Refused | None:
    """(reason, field) where the vendor would refuse or lose the request; None where it is fine.

    An address or number that is no use as an identifier is taken out of the profile while the
    other one is good: an event with one known-good identifier arrives (contract §2, §6).
    """
    attributes = body["data"]["attributes"]
    is_event = body["data"]["type"] == "event"
    profile = attributes["profile"]["data"]["attributes"] if is_event else attributes
    if good_email(profile.get("email"), MAX_EMAIL) is None:
        profile.pop("email", None)
    if good_phone(profile.get("phone_number")) is None:
        profile.pop("phone_number", None)
    if "email" not in profile and "phone_number" not in profile:
        return "no_identifier", "email"
    if is_event and not OLDEST <= event.occurred_at <= now + YEAR:
        return "time_out_of_range", "time"
    size = len(msgspec.json.encode(body))
    if size < min(MAX_STRING, MAX_PROFILE):
        return None
    return _too_large(attributes, profile, size, is_event=is_event)


def _too_large(
    attributes: dict[str, Any], profile: dict[str, Any], size: int, *, is_event: bool
) -> Refused | None:
    if size > MAX_BODY:
        return "too_large", None
    if len(msgspec.json.encode(profile)) > (MAX_PROFILE if is_event else MAX_PROFILE_IMPORT):
        return "too_large", "profile"
    for path, value in nested(attributes.get("properties", {}), "properties"):
        if isinstance(value, str) and len(value.encode()) > MAX_STRING:
            return "too_large", path
    return None
