"""The next birthday: a day in the shop's zone, never a year of birth."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streams.derive.birthday import next_birthday

NEW_YORK = "America/New_York"


def millis(text: str) -> int:
    """Epoch milliseconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("birthday", "now", "zone", "expected"),
    [
        pytest.param((12, 24), "2026-10-01T12:00", NEW_YORK, "2026-12-24", id="this year"),
        pytest.param((3, 1), "2026-10-01T12:00", NEW_YORK, "2027-03-01", id="next year"),
        pytest.param((10, 1), "2026-10-01T12:00", NEW_YORK, "2026-10-01", id="today"),
        pytest.param((10, 1), "2026-10-02T03:59", NEW_YORK, "2026-10-01", id="still today there"),
        pytest.param((10, 1), "2026-10-02T04:00", NEW_YORK, "2027-10-01", id="over there"),
        pytest.param((10, 1), "2026-10-01T15:00", "Asia/Tokyo", "2027-10-01", id="over in Tokyo"),
        pytest.param((2, 29), "2026-10-01T12:00", NEW_YORK, "2027-02-28", id="no leap year"),
        pytest.param((2, 29), "2027-03-01T12:00", NEW_YORK, "2028-02-29", id="a leap year"),
        pytest.param((2, 29), "2099-03-01T12:00", NEW_YORK, "2100-02-28", id="2100 does not leap"),
        pytest.param((2, 29), "2028-02-29T12:00", NEW_YORK, "2028-02-29", id="on the day"),
        pytest.param((1, 1), "2027-01-01T04:59", NEW_YORK, "2027-01-01", id="new year's eve there"),
    ],
)
def test_the_next_birthday(birthday: tuple[int, int], now: str, zone: str, expected: str) -> None:
    """Today's counts until the day is over where the shop is."""
    assert expected == next_birthday(birthday, millis(now), zone)
