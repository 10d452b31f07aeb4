"""How Okendo writes values, and how we read them (contracts/okendo.md §2, §5).

Each reader takes a JSON value and gives our form of it or None for "not told"; what it cannot read
raises `ValueError`, which the mapping turns into a dead letter with the field's path.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST_POINTS = 15
"""Power of ten beyond which text is no number of points: "1e99999999" would be written out."""

NO_TIER = "none"
"""What stands, in any case, for having no tier (§5.3)."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_SEQUENCE = 2**63 - 1


def text(value: Any) -> str | None:
    """A string without surrounding space; a number is an id that lost its quotes."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("not text")
    return str(value).strip() or None


def word(value: Any) -> str | None:
    """A word of the source's vocabulary: lower case in webhooks, capitalised elsewhere (§1)."""
    found = text(value)
    return None if found is None else found.lower()


def tier(value: Any) -> str | None:
    """A tier's name; the word for none is none."""
    found = text(value)
    return None if found is None or found.lower() == NO_TIER else found


def sequence(value: Any) -> int | None:
    """A sequence number: digits, compared as a number and never as text (§5.2)."""
    found = text(value)
    if found is None:
        return None
    if not (found.isascii() and found.isdigit()) or int(found) > LARGEST_SEQUENCE:
        raise ValueError("not a number")
    return int(found)


def points(value: Any) -> str | None:
    """A number of points, or of money, as decimal text: "120", "-40", "1240.5"."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a number")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not amount.is_finite() or abs(amount.adjusted()) > LARGEST_POINTS:
        raise ValueError("not a number")
    return f"{amount.normalize():f}" if amount else "0"


def instant(value: Any) -> int | None:
    """Epoch milliseconds of an ISO 8601 time; one without a zone, or a day, is UTC's (§5.12)."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("not a time")
    when = datetime.fromisoformat(value.strip())
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return (when - EPOCH) // timedelta(milliseconds=1)


def small(value: Any) -> int | None:
    """A day or a month."""
    found = sequence(value)
    if found is not None and not 1 <= found <= 31:
        raise ValueError("no day or month")
    return found
