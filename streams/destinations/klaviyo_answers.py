"""What Klaviyo's answers mean: by status and pointer, never by text (contracts/klaviyo.md §3, §6).

A call of several is taken or refused as a whole, and pointers name the rows at fault. Of what was
ignored in a call of several, nothing says whose it was. After an answer that was lost, bulk may
refuse what it has (§3, unsure); a call for one event never does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Accepted, Rejected, Repair

from .answers import TOO_LARGE, name_or, sparing, verdict_of
from .klaviyo_rules import BULK, alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.model.delivery import Request, Response, Verdict

PARTIAL_FAILURE = "x-klaviyo-partial-failure"
CONFLICT = 409

_IGNORED = "partial_failure"
_REFUSED = "phone_number refused"
_LONGEST_POINTER = 200
_ROW = re.compile(r"data\.attributes\.(?:events-bulk-create|profiles)\.data\.(\d{1,6})(?:\.(.+))?")
"""A pointer into one record of several, and what follows there (§3, §5)."""


def classify(requests: Sequence[Request], response: Response) -> list[Verdict]:
    """The verdicts on the records of one call."""
    verdict: Verdict = verdict_of(response)
    if isinstance(verdict, Accepted):
        note = name_or(response.headers.get(PARTIAL_FAILURE), _IGNORED)
        verdict = Accepted(_IGNORED if note and len(requests) > 1 else note)
    elif isinstance(verdict, Rejected) and response.status != TOO_LARGE:
        fields = _fields(response.body)
        if len(requests) > 1 or requests[0].frame is not None:
            return _several(requests, verdict.reason, fields)
        verdict = _refused(requests[0], response.status, fields[0] if fields else None)
    return [verdict for _ in requests]


def _several(requests: Sequence[Request], reason: str, fields: Sequence[str]) -> list[Verdict]:
    """A refused call of several: those at fault, and those that are spared."""
    faults: dict[int, Verdict] = {}
    for field in fields:
        row = _ROW.fullmatch(field)
        if row is not None and int(row[1]) < len(requests):
            place = int(row[1])
            faults.setdefault(place, _at_fault(requests[place], reason, row[2]))
    if faults:
        return sparing(faults, len(requests))
    return [Rejected(reason, fields[0] if fields else None)] * len(requests)


def _at_fault(request: Request, reason: str, field: str | None) -> Verdict:
    """A record that the answer names: repaired like one alone where only the phone is wrong."""
    if request.frame == BULK and field is not None and field.endswith(".unique_id"):
        return Repair(_alone(request), "unique_id repeated")
    repaired = _without_phone(request) if _is_phone(field) else None
    if repaired is None:
        return Rejected(reason, field, named=True)
    return Repair(repaired, _REFUSED)


def _alone(request: Request) -> Request:
    """The event in its own call, which drops a repetition in silence (§2); in bulk it may not."""
    body = alone(msgspec.json.decode(msgspec.json.encode(request.body)))
    return msgspec.structs.replace(
        request, path="/api/events", body=body, endpoint="events", frame=None
    )


def _refused(request: Request, status: int, field: str | None) -> Verdict:
    """A request that will never be taken as it is: repaired where only the phone is wrong."""
    reason = None
    if _is_phone(field):
        reason = _REFUSED
    elif status == CONFLICT and request.endpoint == "profile-import":
        reason = "phone_number belongs to another profile"
    repaired = None if reason is None else _without_phone(request)
    if reason is None or repaired is None:
        return Rejected(f"HTTP {status}", field)
    return Repair(repaired, reason)


def _is_phone(field: str | None) -> bool:
    return field is not None and field.endswith("phone_number")


def _fields(body: bytes) -> list[str]:
    """The pointers of JSON:API errors, as paths: data.attributes.time."""
    try:
        errors = msgspec.json.decode(body)["errors"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return []
    found = [_pointer(each).strip("/") for each in errors] if isinstance(errors, list) else []
    return [each.replace("/", ".") for each in found if each and _is_path(each)]


def _is_path(pointer: str) -> bool:
    """Whether it leads somewhere, and does not quote what was sent."""
    return "@" not in pointer and len(pointer) <= _LONGEST_POINTER


def _pointer(error: Any) -> str:
    source = error.get("source") if isinstance(error, dict) else None
    pointer = source.get("pointer") if isinstance(source, dict) else None
    return pointer if isinstance(pointer, str) else ""


def _without_phone(request: Request) -> Request | None:
    """The request without its phone number, if an e-mail address remains to identify by."""
    body: Any = msgspec.json.decode(msgspec.json.encode(request.body))
    attributes = body.get("data", body)["attributes"]
    profile = attributes["profile"]["data"]["attributes"] if "profile" in attributes else attributes
    if "email" not in profile or profile.pop("phone_number", None) is None:
        return None
    return msgspec.structs.replace(request, body=body)
