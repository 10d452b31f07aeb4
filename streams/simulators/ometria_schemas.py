"""What a record of each type may have, must have, and what each field takes.

Contract: contracts/ometria.md §3 (custom events), §4 (contacts), §5 (of orders, and of products, no
more than their id is examined). Shared values live here too: times and the types of properties.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from streams.simulators.shapes import email_fits, phone_fits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.simulators.ometria_switches import Kind

__all__ = ["KINDS", "LONGEST_TEXT", "SCHEMAS", "Schema", "time_of"]

LONGEST_TEXT = 512  # characters of a property

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OPTINS = frozenset({"EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT", "NOT_SPECIFIED"})


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of one type by name, each with its check; `open` where others are not examined.

    `blanks` says whether a field may come with null or an empty text, unless it is required.
    """

    checks: Mapping[str, Callable[[object], bool]]
    required: tuple[str, ...]
    blanks: bool = False
    open: bool = False


def time_of(value: object) -> datetime | None:
    """A time in ISO 8601 with its zone; None for anything else."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(value: object) -> bool:
    return time_of(value) is not None


def _is_email(value: object) -> bool:
    return isinstance(value, str) and email_fits(value)


def _is_phone(value: object) -> bool:
    return isinstance(value, str) and phone_fits(value, "e164")


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return _is_time(value)
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_lists(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(each) or _is_integer(each) for each in value)


def _is_gender(value: object) -> bool:
    return isinstance(value, str) and value in {"m", "f", "o"}


def _is_optin(value: object) -> bool:
    """By the newer pages one of three words, by older ones true or false."""
    return isinstance(value, bool) or (isinstance(value, str) and value in _OPTINS)


def _is_channels(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"sms"}:
        return False
    sms = value.get("sms", {})
    return isinstance(sms, dict) and all(
        name in _SMS and _SMS[name](each) for name, each in sms.items()
    )


_SMS: Mapping[str, Callable[[object], bool]] = {
    "allow_marketing": _is_flag,
    "allow_transactional": _is_flag,
    "dt_updated_marketing": _is_time,
    "dt_updated_transactional": _is_time,
}

_CUSTOM_EVENT = Schema(
    {
        "@type": _is_text,
        "id": _is_text,
        "timestamp": _is_time,
        "event_type": _is_text,
        "identity_email": _is_email,
        "identity_account_id": _is_text,
        "profile_id": _is_text,
        "properties": _is_object,
    },
    required=("id", "timestamp", "event_type"),
)

_CONTACT = Schema(
    {
        "@type": _is_text,
        "@collection": _is_text,
        "@merge": _is_flag,
        "@force_optin": _is_flag,
        "@add_to_lists": _is_lists,
        "@remove_from_lists": _is_lists,
        "id": _is_text,
        "email": _is_email,
        "customer_id": _is_text,
        "properties": _is_object,
        "marketing_optin": _is_optin,
        "phone_number": _is_phone,
        "firstname": _is_text,
        "middlename": _is_text,
        "lastname": _is_text,
        "prefix": _is_text,
        "gender": _is_gender,
        "date_of_birth": _is_date,
        "country_id": _is_text,
        "timezone": _is_text,
        "timestamp_acquired": _is_time,
        "timestamp_subscribed": _is_time,
        "timestamp_unsubscribed": _is_time,
        "store_ids": _is_texts,
        "channels": _is_channels,
    },
    required=("id", "email"),
    blanks=True,  # "passing blank data in a field" is spoken of as a thing that is done (§4)
)

_OTHER = Schema(
    {"@collection": _is_text, "@merge": _is_flag, "id": _is_text},
    required=("id",),
    blanks=True,
    open=True,
)

SCHEMAS: Mapping[str, Schema] = {
    "contact": _CONTACT,
    "custom_event": _CUSTOM_EVENT,
    "order": _OTHER,
    "product": _OTHER,
}
"""By `@type`: there are no other types (§1)."""

KINDS: Mapping[Kind, Callable[[object], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Boolean": _is_flag,
    "Number": _is_number,
    "Integer": _is_integer,
    "Products list": _is_texts,
    "Date": _is_time,
    "Any": lambda _: True,
}
"""What a property of each type takes; a list of products is one of ids as texts, for numbers do not
resolve (pitfall 8)."""
