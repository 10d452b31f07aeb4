"""Facts in the words that people read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streams.model import wording
from streams.model.wording import (
    amount,
    days_between,
    days_until,
    frequency_description,
    iso_millis,
    iso_seconds,
    time_for_people,
)

NEW_YORK = "America/New_York"


def at(text: str) -> int:
    """Epoch milliseconds of a time in Greenwich."""
    since = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("every", "period", "text"),
    [
        (1, 1, "Every day"),
        (10, 1, "Every 10 days"),
        (1, 2, "Every week"),
        (8, 2, "Every 8 weeks"),
        (1, 3, "Every month"),
        (6, 3, "Every 6 months"),
        (1, 4, "Every year"),
        (2, 4, "Every 2 years"),
        (None, 2, None),
        (2, None, None),
        (None, None, None),
        (0, 2, None),
        (-1, 2, None),
        (2, 0, None),
        (2, 5, None),
    ],
)
def test_how_often(every: int | None, period: int | None, text: str | None) -> None:
    """One is without its number, more are with it; what is not known has no words."""
    assert text == frequency_description(every, period)


@pytest.mark.parametrize(
    ("instant", "zone", "text"),
    [
        pytest.param(
            "2027-07-28T18:48:37.783", NEW_YORK, "July 28, 2027 at 02:48 PM", id="the page's pair"
        ),
        pytest.param("2027-01-28T18:48:37", NEW_YORK, "January 28, 2027 at 01:48 PM", id="winter"),
        pytest.param("2027-07-03T04:05:00", NEW_YORK, "July 03, 2027 at 12:05 AM", id="midnight"),
        pytest.param("2027-07-03T03:59:59", NEW_YORK, "July 02, 2027 at 11:59 PM", id="before it"),
        pytest.param("2027-07-03T16:00:00", NEW_YORK, "July 03, 2027 at 12:00 PM", id="noon"),
        pytest.param("2027-07-28T18:48:37", "UTC", "July 28, 2027 at 06:48 PM", id="another zone"),
    ],
)
def test_a_time_for_people(instant: str, zone: str, text: str) -> None:
    """As the vendor pages print it, in the display zone."""
    assert text == time_for_people(at(instant), zone)


@pytest.mark.parametrize(
    ("day", "instant", "days"),
    [
        pytest.param("2026-10-06", "2026-10-01T15:00", 5, id="ahead"),
        pytest.param("2026-10-01", "2026-10-01T15:00", 0, id="today"),
        pytest.param("2026-09-29", "2026-10-01T15:00", -2, id="passed"),
        pytest.param("2026-10-02", "2026-10-02T03:59", 1, id="still yesterday over there"),
        pytest.param("2026-10-02", "2026-10-02T04:00", 0, id="just begun over there"),
        pytest.param("2026-11-02", "2026-11-01T05:00", 1, id="a day of 25 hours"),
        pytest.param("2027-01-01", "2026-12-31T15:00", 1, id="over the year's end"),
        pytest.param(None, "2026-10-01T15:00", None, id="no day"),
    ],
)
def test_days_until_a_day(day: str | None, instant: str, days: int | None) -> None:
    """Whole days on the calendar of the zone, not spans of 24 hours."""
    assert days == days_until(day, at(instant), NEW_YORK)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        pytest.param("2026-10-01T15:00", "2026-10-01T23:00", 0, id="the same day"),
        pytest.param("2026-10-02T03:00", "2026-10-02T05:00", 1, id="over midnight over there"),
        pytest.param("2026-10-31T15:00", "2026-11-01T15:00", 1, id="over the clock's change"),
        pytest.param("2026-10-01T15:00", "2026-10-31T15:00", 30, id="thirty days"),
    ],
)
def test_days_between_two_times(first: str, last: str, days: int) -> None:
    """Midnights passed, on the calendar of the zone."""
    assert days == days_between(at(first), at(last), NEW_YORK)


def test_days_since_what_never_was() -> None:
    """Without a first time there are no days."""
    assert days_between(None, at("2026-10-01T15:00"), NEW_YORK) is None


@pytest.mark.parametrize(
    ("instant", "seconds", "millis"),
    [
        ("2026-10-01T12:00:03", "2026-10-01T12:00:03+00:00", "2026-10-01T12:00:03.000Z"),
        ("2027-07-28T18:48:37.783", "2027-07-28T18:48:37+00:00", "2027-07-28T18:48:37.783Z"),
        ("2026-10-01T12:00:03.999", "2026-10-01T12:00:03+00:00", "2026-10-01T12:00:03.999Z"),
        ("1969-12-31T23:59:59.500", "1969-12-31T23:59:59+00:00", "1969-12-31T23:59:59.500Z"),
        ("9999-12-31T23:59:59.999", "9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_for_machines(instant: str, seconds: str, millis: str) -> None:
    """ISO 8601 to the second, cut and not rounded, and to the millisecond."""
    assert (seconds, millis) == (iso_seconds(at(instant)), iso_millis(at(instant)))


@pytest.mark.parametrize(
    ("text", "number"),
    [("42.00", 42.0), ("0.10", 0.1), ("1234567.89", 1234567.89), ("0.00", 0.0), (None, None)],
)
def test_an_amount_is_a_number(text: str | None, number: float | None) -> None:
    """Two decimals of text become the nearest JSON number."""
    assert number == amount(text)


def test_a_zone_is_made_once() -> None:
    """Zones are kept: looking one up costs more than using it."""
    assert wording.zone(NEW_YORK) is wording.zone(NEW_YORK)
