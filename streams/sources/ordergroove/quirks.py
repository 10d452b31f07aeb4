"""How Ordergroove writes values, and how we read them (contracts/ordergroove.md §1.3, §2.1, §5).

Each reader takes a JSON value and gives our form of it or None for "not told"; what it cannot read
raises `ValueError`, which the mapping turns into a dead letter `wrong_type` with the field's path.
"""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import phonenumbers

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

REASON_CODE = re.compile(r"\s*([0-9]{1,9})\s*")
"""A cancel reason's numeric head; more digits are somebody's text, and beyond 32 bits."""

LARGEST_AMOUNT = 15
"""Power of ten beyond which text is no amount: "1e99999999" would be written out in digits."""

EARLIEST, LATEST = -2_208_988_800_000, 253_402_300_800_000
"""From 1900 to 9999: beyond, calendars end and seconds were milliseconds."""

FILLER_EXPIRY = "12/2099"
"""What Ordergroove stores when a card's expiry is not known (PayPal)."""


class Reading(NamedTuple):
    """What reading depends on: the zone of naive times, the region of bare phone numbers."""

    zone: ZoneInfo
    region: str
    received_at: int
    """Epoch milliseconds: settles an hour that the clock went through twice."""
    created: int = 0
    """The envelope's own time, for what lacks one."""


def text(value: Any, _: Reading) -> str | None:
    """A string without surrounding space; a number is an id that lost its quotes."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not text")
    return str(value).strip() or None


def integer(value: Any, _: Reading) -> int | None:
    """A whole number, also as text; "4|" happens in lists."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise ValueError("not a number")
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("not a whole number")
    if not isinstance(value, str | int | float):
        raise ValueError("not a number")
    whole = int(value.strip().rstrip("|")) if isinstance(value, str) else int(value)
    if not -(2**31) <= whole < 2**31:
        raise ValueError("beyond 32 bits")
    return whole


def number(value: Any, _: Reading) -> float | None:
    """A number, also as text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a number")
    found = float(value)
    if not isfinite(found):
        raise ValueError("not a number")
    return found


def boolean(value: Any, _: Reading) -> bool | None:
    """A truth value; one list prints "True"."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("neither true nor false")


def money(value: Any, _: Reading) -> str | None:
    """A decimal amount as text, "22.90": never a float on the way."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not an amount")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("not an amount") from None
    if not amount.is_finite() or amount.adjusted() > LARGEST_AMOUNT:
        raise ValueError("not an amount")
    return f"{amount:.2f}"


def instant(value: Any, reading: Reading) -> int | None:
    """Epoch milliseconds of an epoch second (webhooks), naive text (REST) or ISO text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a time")
    if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
        millis = _instant_of_text(value.strip(), reading)
    else:
        millis = int(value) * 1000
    if not EARLIEST <= millis < LATEST:
        raise ValueError("not a time in seconds")
    return millis


def _instant_of_text(value: str, reading: Reading) -> int:
    when = datetime.fromisoformat(value)
    if when.tzinfo is None:
        when = when.replace(tzinfo=reading.zone)
        received = datetime.fromtimestamp(reading.received_at / 1000, UTC)
        when = min((when, when.replace(fold=1)), key=lambda reading: abs(reading - received))
    return (when.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def day(value: Any, _: Reading) -> str | None:
    """A day, "2026-10-15"; REST gives a full time for the same field."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("not a day")
    return datetime.fromisoformat(value.strip()).date().isoformat()


def json_text(value: Any, _: Reading) -> str | None:
    """`extra_data` and the like: an object, JSON text, null or "" by endpoint → JSON text."""
    if value in (None, ""):
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def card_expiry(value: Any, reading: Reading) -> str | None:
    """MM/YYYY; the filler for an unknown expiry is unknown."""
    expiry = text(value, reading)
    return None if expiry == FILLER_EXPIRY else expiry


def phone(value: Any, reading: Reading) -> str | None:
    """E.164; what cannot be a number is not told, since vendors refuse it."""
    written = text(value, reading)
    return None if written is None else _e164(written, reading.region)


def phone_number(written: str, region: str) -> str | None:
    """E.164 of a number as somebody wrote it, by itself; None for what cannot be one."""
    return _e164(written.strip(), region)


@lru_cache(maxsize=65_536)
def _e164(written: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    # not is_possible_number: it takes a local number, which nobody can call from elsewhere
    if (
        phonenumbers.is_possible_number_with_reason(parsed)
        != phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def components(value: Any, reading: Reading) -> list[dict[str, Any]]:
    """A bundle's components: an array of objects, a comma-separated string, or []."""
    if value in (None, "", []):
        return []
    if isinstance(value, str):
        return [{"product": part.strip()} for part in value.split(",") if part.strip()]
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("not components")
    return [
        {
            "product": text(each.get("product"), reading) or "",
            "public_id": text(each.get("public_id"), reading),
            "quantity": integer(each.get("quantity"), reading),
        }
        for each in value
    ]


def prepaid(value: Any, reading: Reading) -> dict[str, Any] | None:
    """prepaid_subscription_context: null, and {} in cancel events, mean not prepaid."""
    if value in (None, "", {}):
        return None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return {
        "orders_remaining": integer(value.get("prepaid_orders_remaining"), reading),
        "orders_per_billing": integer(value.get("prepaid_orders_per_billing"), reading),
        "renewal_behavior": text(value.get("renewal_behavior"), reading),
        "last_renewal_revenue": number(value.get("last_renewal_revenue"), reading),
        "origin_merchant_order_id": text(value.get("prepaid_origin_merchant_order_id"), reading),
    }


def cancel_reason(reason: Any, code: Any, reading: Reading) -> tuple[str | None, int | None]:
    """("Costs too much", 8) from "8|Costs too much" and 8, in whatever form either comes."""
    written = text(reason, reading)
    number_ = integer(code, reading)
    if written is None:
        return None, number_
    head, pipe, rest = written.partition("|")
    if pipe and (found := REASON_CODE.fullmatch(head)):
        return rest.strip() or None, int(found[1]) if number_ is None else number_
    return written, number_


def rejection(value: Any, reading: Reading) -> tuple[str | None, str | None]:
    """("120", "Card has lapsed") from rejected_message: JSON, python-like text, or plain text.

    Codes are three digits as text (contracts/ordergroove.md §2.4): 30 without its zero is "030".
    """
    parsed = _loose_object(value)
    if parsed is None:
        return None, text(value, reading)
    code = text(parsed.get("code"), reading)
    if code is not None and code.isdigit():
        code = code.zfill(3)
    return code, text(parsed.get("message"), reading)


def _loose_object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or not value.strip().startswith("{"):
        return None
    for parse in (msgspec.json.decode, ast.literal_eval):
        try:
            parsed = parse(value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue  # TypeError: "{{code}}" reads as a set of what no set may hold
        if isinstance(parsed, dict):
            return parsed
    return None
