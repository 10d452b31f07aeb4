"""What Klaviyo refuses or loses in silence, refused by us beforehand with the field named.

contracts/klaviyo.md §2 (identifiers, times, sizes) and §6 (rates). Over-limit data may vanish after
a 202; so what we know to be over a limit is never sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Limit

if TYPE_CHECKING:
    from collections.abc import Iterable

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
MAX_EMAIL = 100
OLDEST = 631_152_000_000
"""1990-01-01, the oldest time of revision 2026-07-15, epoch milliseconds."""
YEAR = 366 * 86_400_000

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PHONE = re.compile(r"\+[1-9]\d{6,14}")

Refused = tuple[str, str | None]


def refusal_of(event: EnrichedEvent, body: dict[str, Any], now: int) -> Refused | None:
    """(reason, field) where the vendor would refuse or lose the request; None where it is fine.

    An address or number that is no use as an identifier is taken out of the profile while the
    other one is good: an event with one known-good identifier arrives (contract §2, §6).
    """
    attributes = body["data"]["attributes"]
    is_event = body["data"]["type"] == "event"
    profile = attributes["profile"]["data"]["attributes"] if is_event else attributes
    if not _valid_email(profile.get("email")):
        profile.pop("email", None)
    if not PHONE.fullmatch(profile.get("phone_number", "")):
        profile.pop("phone_number", None)
    if "email" not in profile and "phone_number" not in profile:
        return "no_identifier", "email"
    if is_event and not OLDEST <= event.occurred_at <= now + YEAR:
        return "time_out_of_range", "time"
    size = len(msgspec.json.encode(body))
    if size < min(MAX_STRING, MAX_PROFILE):
        return None
    return _too_large(attributes, profile, size, is_event=is_event)


def _valid_email(email: str | None) -> bool:
    return email is not None and len(email) < MAX_EMAIL and EMAIL.fullmatch(email) is not None


def _too_large(
    attributes: dict[str, Any], profile: dict[str, Any], size: int, *, is_event: bool
) -> Refused | None:
    if size > MAX_BODY:
        return "too_large", None
    if len(msgspec.json.encode(profile)) > (MAX_PROFILE if is_event else MAX_PROFILE_IMPORT):
        return "too_large", "profile"
    path = _long_string(attributes.get("properties", {}), "properties")
    return None if path is None else ("too_large", path)


def _long_string(value: Any, path: str) -> str | None:
    """The path of a string that is over the limit, if there is one."""
    if isinstance(value, str):
        return path if len(value.encode()) > MAX_STRING else None
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for name, each in inside:
        found = _long_string(each, f"{path}.{name}")
        if found is not None:
            return found
    return None
