"""Who may ask the Ometria simulator what, and with which kind of body.

Contract: contracts/ometria.md §1 and §2. These checks come before any look at single records; all
statuses of bodies are assumed, for no page has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.ometria_errors import Refused
from streams.simulators.ometria_switches import Key
from streams.simulators.windows import Limit

if TYPE_CHECKING:
    from streams.simulators.ometria_switches import Switches
    from streams.simulators.vendor import Request

__all__ = ["PUSH", "Endpoint", "account_of", "endpoint_of", "limit_of", "records_of"]

_MOST_RECORDS = 100
_OTHER_CALLS = Limit(4)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What can be asked, and by which method."""

    method: str
    path: str


PUSH = Endpoint("POST", "/v2/push")
"""Sending records."""
_ERRORS = Endpoint("GET", "/v2/push/_errors")

_ENDPOINTS = {each.path: each for each in (PUSH, _ERRORS)}


def endpoint_of(request: Request) -> Endpoint:
    """The endpoint that is asked; raises Refused with 404 or 405."""
    endpoint = _ENDPOINTS.get(request.path)
    if endpoint is None:
        raise Refused(404, "path", "There is no such endpoint.")
    if request.method != endpoint.method:
        raise Refused(405, "method", f"Use {endpoint.method}.")
    return endpoint


def account_of(request: Request, endpoint: Endpoint, switches: Switches) -> str:
    """The account of the request's key; raises Refused with 401 or 403."""
    secret = request.headers.get("x-ometria-auth", "").strip()
    known = switches.keys.get(secret) if switches.keys else Key()
    if not secret or known is None:
        raise Refused(switches.bad_key, "key", "The API key is not valid.")
    if endpoint is PUSH and not known.push:
        raise Refused(403, "key", "The API key is not authorised to access this resource.")
    return known.account


def limit_of(endpoint: Endpoint, switches: Switches) -> Limit:
    """How often an account may ask this: pushes have a number of their own (§2)."""
    return Limit(switches.requests_per_second) if endpoint is PUSH else _OTHER_CALLS


def records_of(request: Request, switches: Switches) -> list[object]:
    """The records of a push, not yet looked into; raises Refused with 400, 413 or 422."""
    if request.media_type != "application/json":
        raise Refused(400, "content-type", "Send application/json.")
    if request.trouble == "too_large":
        raise Refused(413, "body", "The body is too large.")
    if request.trouble is not None:
        raise Refused(switches.unusable_body, "body", "The body is not JSON.")
    records = request.document
    if not isinstance(records, list):
        raise Refused(switches.unusable_body, "/", "The body must be an array of records.")
    if not 0 < len(records) <= _MOST_RECORDS:
        detail = f"Send 1 to {_MOST_RECORDS} records, not {len(records)}."
        raise Refused(switches.unusable_body, "/", detail)
    if switches.mixed_types == "refuse":
        _check_types(records)
    return records


def _check_types(records: list[object]) -> None:
    """Raises Refused where there is more than one type; what has none is an error of its own."""
    first: str | None = None
    for number, record in enumerate(records):
        found = record.get("@type") if isinstance(record, dict) else None
        if not isinstance(found, str):
            continue
        if first is not None and found != first:
            raise Refused(400, f"/{number}/@type", "All records must be of one type.")
        first = found
