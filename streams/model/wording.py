"""Facts in the words that people read: frequencies, days, times, amounts. Pure and vendor-neutral.

Zones are IANA names; instants are epoch milliseconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_MINUTE = 60
_HOUR = 3_600

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PERIODS = {1: "day", 2: "week", 3: "month", 4: "year"}
"""`every_period` (contracts/ordergroove.md §2.1; years only in its data-model page)."""

CARDS = {1: "Visa", 2: "Mastercard", 3: "Amex", 4: "Discover", 5: "Diners", 6: "JCB"}
"""`cc_type` (contracts/ordergroove.md §2.1)."""


def frequency_description(every: int | None, period: int | None) -> str | None:
    """How often, "Every day", "Every 8 weeks", "Every month": no API of the source says it."""
    word = PERIODS.get(period or 0)
    if every is None or every < 1 or word is None:
        return None
    return f"Every {word}" if every == 1 else f"Every {every} {word}s"


def moment(at: int) -> str:
    """An instant to the second, in UTC: `2026-10-01 12:00:03Z`."""
    return f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d %H:%M:%SZ}"


def duration(seconds: float) -> str:
    """How long: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name."""
    return ZoneInfo(name)


def day_in(instant: int, zone_name: str) -> date:
    """The calendar day of an instant, where people look at the calendar."""
    return datetime.fromtimestamp(instant / 1000, zone(zone_name)).date()


def days_until(day: str | None, instant: int, zone_name: str) -> int | None:
    """Days from an instant to a day "2026-10-15"; negative when it has passed."""
    if day is None:
        return None
    return (date.fromisoformat(day) - day_in(instant, zone_name)).days


def days_between(first: int | None, last: int, zone_name: str) -> int | None:
    """Calendar days from one instant to another."""
    if first is None:
        return None
    return (day_in(last, zone_name) - day_in(first, zone_name)).days


def time_for_people(instant: int, zone_name: str) -> str:
    """The time as the vendor pages print it, "July 28, 2027 at 02:48 PM"."""
    return datetime.fromtimestamp(instant / 1000, zone(zone_name)).strftime("%B %d, %Y at %I:%M %p")


def iso_millis(instant: int) -> str:
    """The time as "2027-07-28T18:48:37.783Z"."""
    when = EPOCH + timedelta(milliseconds=instant)  # exact, where a float of seconds is not
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_seconds(instant: int) -> str:
    """The time as "2026-10-01T12:00:03+00:00"."""
    return datetime.fromtimestamp(instant // 1000, UTC).isoformat()


def amount(text: str | None) -> float | None:
    """Decimal text "42.00" as the JSON number that vendors filter on."""
    return None if text is None else round(float(text), 2)
