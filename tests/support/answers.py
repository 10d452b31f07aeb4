"""Answers that mean the same at every vendor: what passes, what stays, what asks for patience."""

from __future__ import annotations

import pytest

from streams.model.delivery import Accepted, Rejected, Response, Retry, Unauthorized

NOON = "Thu, 01 Oct 2026 12:00:00 GMT"


def _throttled(after: str, seconds: float | None, name: str, date: str | None = None) -> object:
    headers = {"retry-after": after} | ({"date": date} if date else {})
    return pytest.param(
        Response(429, headers), Retry("throttled", seconds, throttled=True), id=name
    )


JUDGED = [
    *(pytest.param(Response(status), Accepted(), id=f"{status}") for status in (200, 201, 202)),
    pytest.param(Response(429), Retry("throttled", throttled=True), id="429 without a time"),
    _throttled("7", 7, "429"),
    _throttled("0.5", 0.5, "429 with half a second"),
    _throttled("0", None, "429 with no time"),
    _throttled("-3", None, "429 with less than none"),
    _throttled("", None, "429 with nothing"),
    _throttled("9" * 400, None, "429 beyond all numbers"),
    _throttled("1e9", 1e9, "429 with ages, for the schedule to clamp"),
    _throttled("soon", None, "429 with a word"),
    _throttled("nan", None, "429 with no number"),
    _throttled("inf", None, "429 without end"),
    _throttled("Thu, 01 Oct 2026 15:00:00 GMT", None, "429 with a date"),
    _throttled("Thu, 01 Oct 2026 12:00:09 GMT", 9, "429 with two dates", NOON),
    _throttled("Thu, 01 Oct 2026 12:00:00 GMT", None, "429 with this very moment", NOON),
    _throttled("Thu, 01 Oct 2026 11:59:00 GMT", None, "429 with a date that has passed", NOON),
    _throttled("Thu, 01 Oct 2026 12:00:09 -0000", 9, "429 with dates of two kinds", NOON),
    _throttled("Thu Oct  1 12:00:09 2026", 9, "429 with the oldest form of a date", NOON),
    _throttled("Thursday, 01-Oct-26 12:00:09 GMT", 9, "429 with the older form", NOON),
    _throttled("Thu, 99 Oct 2026 12:00:09 GMT", None, "429 with no day", NOON),
    _throttled("Thu, 01 Oct 2026 12:00:09 GMT", None, "429 with half a date", "noon"),
    *(
        pytest.param(Response(status), Unauthorized(f"HTTP {status}"), id=f"{status}")
        for status in (401, 403)
    ),
    pytest.param(
        Response(503, {"retry-after": "30"}), Retry("server_error", 30), id="503 with a time"
    ),
    pytest.param(Response(408), Retry("request_timeout"), id="408 passes"),
    pytest.param(Response(423), Retry("locked"), id="423 passes"),
    pytest.param(Response(425), Retry("too_early"), id="425 passes"),
    *(
        pytest.param(Response(status), Retry("server_error"), id=f"{status} passes")
        for status in (500, 502, 503, 504, 520, 521, 522, 523, 524, 599)
    ),
    pytest.param(Response(413), Rejected("too_large"), id="413 stays"),
    *(
        pytest.param(Response(status), Rejected(f"HTTP {status}"), id=f"{status} stays")
        for status in (301, 400, 404, 405, 409, 410, 415, 422)
    ),
]
"""(response, verdict) cases."""
