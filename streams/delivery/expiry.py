"""When an event is no longer worth telling: pure, over rows of data.

What only makes sense before a moment is pointless after it: a reminder of an order that was placed
meanwhile. Everything else is told however late it is (a vendor that starts no flows for old events
says so itself), unless the settings give its type an age.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from streams.model.wording import zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.enriched import EnrichedEvent

Reason = Literal["place_date_passed", "too_old"]
"""Why an event is `expired`: words of the outcome's reasons."""


class Expiry(NamedTuple):
    """One row of what an event type is worth, and how long.

    Attributes:
        day: the field of the event that names the last day on which it makes sense; None: no day.
        seconds: after it happened in which it makes sense, where no day is known; None: for ever.
        about: what it tells of.
    """

    day: Literal["order.place"] | None = None
    seconds: float | None = None
    about: str = ""


EXPIRIES: Final[Mapping[str, Expiry]] = MappingProxyType(
    {
        # an order that nobody gave a day is near all the same: a month is more notice than is usual
        "order.reminder": Expiry("order.place", 30 * 86_400.0, "of an order that is still to come"),
        "order.credit_card_expiration_warning": Expiry(
            "order.place", 30 * 86_400.0, "of the card that the next order is to be paid with"
        ),
    }
)
"""Event type → how long it is worth telling. What has no row is always worth it."""


def expired(
    event: EnrichedEvent,
    now: int,
    max_age: Mapping[str, timedelta],
    display_zone: str = "America/New_York",
) -> Reason | None:
    """Why an event is no longer worth telling; None where it is.

    Args:
        event: whose type has a row, or an entry in `max_age`.
        now: epoch milliseconds.
        max_age: event type → how old it may be: an entry takes the place of the type's row.
        display_zone: where people look at the calendar; a day ends at its midnight.
    """
    row = EXPIRIES.get(event.type, Expiry())
    if event.type in max_age:
        row = Expiry(seconds=max_age[event.type].total_seconds())
    end = _end_of(event.order.place, display_zone) if row.day and event.order else None
    if end is not None:
        return "place_date_passed" if now >= end else None
    old = row.seconds is not None and now - event.occurred_at > row.seconds * 1_000
    return "too_old" if old else None


def _end_of(day: str | None, display_zone: str) -> float | None:
    """When a day "2026-10-15" is over, epoch milliseconds; None where it is none."""
    try:
        following = date.fromisoformat(day or "") + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return datetime.combine(following, time(), zone(display_zone)).timestamp() * 1_000
