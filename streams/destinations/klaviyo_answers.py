"""What Klaviyo's answers mean: by status and pointer, never by text (contracts/klaviyo.md §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Accepted, Rejected, Repair

from .answers import verdict_of

if TYPE_CHECKING:
    from streams.model.delivery import Request, Response, Verdict

PARTIAL_FAILURE = "x-klaviyo-partial-failure"
CONFLICT = 409


def classify(request: Request, response: Response) -> Verdict:
    """The verdict on an answer."""
    verdict = verdict_of(response)
    if isinstance(verdict, Accepted):
        return Accepted(response.headers.get(PARTIAL_FAILURE))
    if isinstance(verdict, Rejected):
        return _refused(request, response.status, _field(response.body))
    return verdict


def _refused(request: Request, status: int, field: str | None) -> Verdict:
    """A request that will never be taken as it is: repaired where only the phone is wrong."""
    reason = None
    if field is not None and field.endswith("phone_number"):
        reason = "phone_number refused"
    elif status == CONFLICT and request.endpoint == "profile-import":
        reason = "phone_number belongs to another profile"
    repaired = None if reason is None else _without_phone(request)
    if reason is None or repaired is None:
        return Rejected(f"HTTP {status}", field)
    return Repair(repaired, reason)


def _field(body: bytes) -> str | None:
    """The first pointer of a JSON:API error, as a path: data.attributes.time."""
    try:
        errors = msgspec.json.decode(body)["errors"]
        pointer = errors[0]["source"]["pointer"]
    except (ValueError, RecursionError, KeyError, IndexError, TypeError):
        return None
    if not isinstance(pointer, str):
        return None
    return pointer.strip("/").replace("/", ".") or None


def _without_phone(request: Request) -> Request | None:
    """The request without its phone number, if an e-mail address remains to identify by."""
    body: Any = msgspec.json.decode(msgspec.json.encode(request.body))
    attributes = body["data"]["attributes"]
    profile = attributes["profile"]["data"]["attributes"] if "profile" in attributes else attributes
    if "email" not in profile or profile.pop("phone_number", None) is None:
        return None
    return msgspec.structs.replace(request, body=body)
