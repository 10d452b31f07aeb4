"""Who may ask the Klaviyo simulator what, in which revision, with which kind of body.

Contract: contracts/klaviyo.md §1. These checks come before any look at the body's content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from streams.simulators.klaviyo_errors import Refused, refuse
from streams.simulators.klaviyo_switches import Key, Switches

if TYPE_CHECKING:
    from streams.simulators.vendor import BodyTrouble, Request
    from streams.simulators.windows import Limit

__all__ = ["REVISIONS", "Endpoint", "account_of", "check_body", "revision_of"]

REVISIONS = (
    "2022-10-17", "2022-12-15", "2023-01-24", "2023-02-22", "2023-06-15", "2023-07-15",
    "2023-08-15", "2023-09-15", "2023-10-15", "2023-12-15", "2024-02-15", "2024-05-15",
    "2024-06-15", "2024-07-15", "2024-10-15", "2025-01-15", "2025-04-15", "2025-07-15",
    "2025-10-15", "2026-01-15", "2026-04-15", "2026-07-15",
)  # fmt: skip
"""Every general revision, oldest first (the API's changelog)."""

_SUPPORTED_YEARS = 2  # stable for one year, deprecated for one more (§1)
_DAY = 86_400  # seconds
_MEDIA_TYPES = frozenset({"application/vnd.api+json", "application/json"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an endpoint asks of its callers.

    `path` is its name, with `{id}` for an id; `since` is the revision that first had it; `limit` is
    that of §6.
    """

    path: str
    method: str
    scopes: frozenset[str]
    since: str
    limit: Limit


def account_of(request: Request, endpoint: Endpoint, switches: Switches) -> str:
    """The account of the request's key; raises Refused with 401 or 403."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme != "Klaviyo-API-Key" or not re.fullmatch(r"pk_\w+", secret):
        raise refuse(401, "not_authenticated", "Missing or invalid private key.")
    key = switches.keys.get(secret) if switches.keys else Key()
    if key is None:
        raise refuse(401, "authentication_failed", "Incorrect authentication credentials.")
    if key.scopes is not None and (missing := endpoint.scopes - key.scopes):
        detail = f"The key lacks: {', '.join(sorted(missing))}."
        raise refuse(403, "permission_denied", detail)
    return key.account


def revision_of(request: Request, endpoint: Endpoint) -> str:
    """The revision to answer by; raises Refused with 400, 404 or 410.

    A retired revision is answered as the oldest one still supported, unless the caller opted out
    of that.
    """
    revision = request.headers.get("revision")
    if revision is None:
        raise refuse(400, "invalid", "The header 'revision' is required.")
    if revision not in REVISIONS:
        past = re.fullmatch(r"\d{4}-\d\d-\d\d", revision) and revision < REVISIONS[-1]
        raise refuse(400, "invalid", f"Not a {'valid' if past else 'known'} revision.")
    supported = _supported(int(request.at // _DAY))
    if revision < supported[0]:
        if request.headers.get("x-klaviyo-revision-fall-forward-opt-out") == "1":
            raise refuse(410, "gone", "This revision is retired.")
        revision = supported[0]
    if revision < endpoint.since:
        raise refuse(404, "not_found", "No valid revision exists for this method.")
    return revision


def check_body(request: Request) -> None:
    """Raises Refused with 415, 413 or 400 where the body cannot be used at all."""
    if request.media_type not in _MEDIA_TYPES:
        raise refuse(415, "unsupported_media_type", "Send application/vnd.api+json.")
    if request.trouble is not None:
        raise _unreadable(request.trouble)


def _unreadable(trouble: BodyTrouble) -> Refused:
    if trouble == "encoding":
        return refuse(415, "unsupported_media_type", "The content encoding cannot be read.")
    if trouble == "too_large":
        return refuse(413, "payload_too_large", "The payload exceeds 5 MB.")
    return refuse(400, "parse_error", "The body is not JSON.")


@lru_cache(maxsize=8)
def _supported(day: int) -> tuple[str, ...]:
    """The revisions still supported on a day (counted from 1970), oldest first."""
    today = datetime.fromtimestamp(day * _DAY, UTC).date().isoformat()
    return tuple(r for r in REVISIONS if _end_of(r) > today) or REVISIONS[-1:]


def _end_of(revision: str) -> str:
    return f"{int(revision[:4]) + _SUPPORTED_YEARS}{revision[4:]}"
