"""What an HTTP status means at any vendor: passes, is refused, or is about the credentials.

Only status and Retry-After are read, never a body: vendors promise none, and a proxy's page may
come instead. A destination refines what stays by what its vendor does promise.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from streams.model.delivery import Accepted, Rejected, Retry, Spared, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Response, Verdict

PASSING: Mapping[int, str] = MappingProxyType(
    {408: "request_timeout", 423: "locked", 425: "too_early"}
)
"""Refusals that pass, beside every 5xx: the vendor's own trouble, or the network's between us."""

TOO_LARGE = 413

_NAME = re.compile(r"[A-Za-z_.]{1,40}")


def verdict_of(response: Response) -> Accepted | Retry | Unauthorized | Rejected:
    """The verdict on an answer by its status alone."""
    status = response.status
    if 200 <= status < 300:
        return Accepted()
    if status == 429:
        return Retry("throttled", retry_after(response.headers), throttled=True)
    if status in (401, 403):
        return Unauthorized(f"HTTP {status}")
    if status in PASSING or status >= 500:
        return Retry(PASSING.get(status, "server_error"), retry_after(response.headers))
    return Rejected("too_large" if status == TOO_LARGE else f"HTTP {status}")


def sparing(refusals: Mapping[int, Verdict], count: int) -> list[Verdict]:
    """The verdicts on a call that was refused as a whole, where the answer names those at fault.

    Args:
        refusals: the place of each record that is named → what follows for it; at least one.
        count: of the call's records. All that are not named are spared.
    """
    return [refusals.get(place, Spared()) for place in range(count)]


def name_or(told: str | None, otherwise: str) -> str | None:
    """What a vendor says was ignored, if it is a field's name: an outcome's reason is never prose.

    Args:
        told: by the vendor; nothing: None.
        otherwise: stands for whatever is no list of names.
    """
    if not told:
        return None
    return told if all(_is_name(each.strip()) for each in told.split(",")) else otherwise


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds: digits, or an HTTP date counted from the answer's own Date.

    Zero, what has passed, and what is neither say nothing: None.
    """
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, headers.get("date", ""))
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _until(then: str, now: str) -> float:
    """Seconds between two HTTP dates; not a number where one of them is none."""
    try:
        return (_instant(then) - _instant(now)).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return math.nan


def _instant(date: str) -> datetime:
    """An HTTP date; the oldest of its three forms names no zone, and means UTC like the others."""
    when = parsedate_to_datetime(date)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None
