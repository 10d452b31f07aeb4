"""What an HTTP status means at any vendor: passes, is refused, or is about the credentials.

Only status and Retry-After are read, never a body: vendors promise none, and a proxy's page may
come instead. A destination refines what stays by what its vendor does promise.
"""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from streams.model.delivery import Accepted, Rejected, Retry, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Response

PASSING = frozenset({408, 423, 425})
"""Refusals that pass, beside every 5xx: the vendor's own trouble, or the network's between us."""


def verdict_of(response: Response) -> Accepted | Retry | Unauthorized | Rejected:
    """The verdict on an answer by its status alone."""
    status = response.status
    if 200 <= status < 300:
        return Accepted()
    if status == 429:
        return Retry("throttled", _seconds(response.headers), throttled=True)
    if status in (401, 403):
        return Unauthorized(f"HTTP {status}")
    if status in PASSING or status >= 500:
        return Retry(f"HTTP {status}", _seconds(response.headers))
    return Rejected(f"HTTP {status}")


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds; a date counts from the answer's own Date, else it says nothing."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, headers.get("date", ""))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(then: str, now: str) -> float:
    """Seconds between two HTTP dates; not a number where one of them is none."""
    try:
        return (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return math.nan
