"""The next birthday of somebody whose year of birth nobody tells."""

from __future__ import annotations

from datetime import date

from streams.model.wording import day_in

FEBRUARY, LEAP_DAY = 2, 29


def next_birthday(birthday: tuple[int, int], now: int, zone: str) -> str:
    """The day of the next birthday (month, day) in a zone, "2027-02-28"; today's is today's.

    Whoever was born on 29 February has the 28th in other years: so the birthday stays in its month,
    by which shops make their segments, and is never told after it was due.
    """
    today = day_in(now, zone)
    days = (_in(today.year + ahead, *birthday) for ahead in (0, 1))
    return next(day for day in days if day >= today).isoformat()


def _in(year: int, month: int, day: int) -> date:
    if (month, day) == (FEBRUARY, LEAP_DAY) and not _leaps(year):
        day -= 1
    return date(year, month, day)


def _leaps(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
