"""How requests to Attentive describe an event and attributes: read, examined, not yet kept.

Contract: contracts/attentive.md §2 (events), §3 (attributes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streams.simulators.attentive_errors import Refused
from streams.simulators.attentive_users import Identifiers, read_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.attentive_switches import Switches
    from streams.simulators.shapes import JSON
    from streams.simulators.vendor import Request

__all__ = ["AttributeRow", "EventRow", "paths_of", "read_attributes", "read_event"]

_EVENT_FIELDS = ("type", "user", "properties", "externalEventId", "occurredAt")
_ATTRIBUTE_FIELDS = ("user", "properties")
_NOT_IN_TYPES = frozenset("\"'(){}[]\\|,")
_NOT_IN_KEYS = {
    "specification": frozenset('"{}[]\\|'),
    "union": frozenset("'\"{}[]\\|,"),  # with what other pages add
}
_ID = 100  # characters
_ATTRIBUTE_NAME = 200  # characters
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, after examination; `ignored` names fields that the vendor does not know."""

    type: str
    user: Identifiers
    properties: JSON
    external_event_id: str | None
    occurred_at: datetime
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """The attributes of one person, by name; their values are examined only as far as JSON goes."""

    user: Identifiers
    properties: JSON


def read_event(request: Request, switches: Switches) -> EventRow:
    """Examine the body of `POST /v1/events/custom`; raises Refused with 400."""
    body = _body(request)
    ignored = _unknown(body, _EVENT_FIELDS, switches)
    properties = body.get("properties", {})
    if not isinstance(properties, dict):
        raise Refused(400, "/properties", "Must be an object.")
    _check_keys(properties, switches)
    return EventRow(
        type=_type(body.get("type"), switches),
        user=read_user(body.get("user"), switches.phone_check),
        properties=properties,
        external_event_id=_external_event_id(body),
        occurred_at=_occurred_at(body, request.at, switches),
        ignored=ignored,
    )


def read_attributes(request: Request, switches: Switches) -> AttributeRow:
    """Examine the body of `POST /v1/attributes/custom`; raises Refused with 400.

    Arrays and objects are refused whatever the attribute is (§3).
    """
    body = _body(request)
    _unknown(body, _ATTRIBUTE_FIELDS, switches)
    properties = body.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise Refused(400, "/properties", "Must be an object with at least one attribute.")
    for name, value in properties.items():
        if not 0 < len(name) <= _ATTRIBUTE_NAME:
            detail = f"A name must have 1 to {_ATTRIBUTE_NAME} characters."
            raise Refused(400, "/properties", detail)
        if isinstance(value, dict | list):
            raise Refused(400, f"/properties/{name}", "Arrays and objects are not supported.")
    return AttributeRow(read_user(body.get("user"), switches.phone_check), properties)


def paths_of(properties: JSON) -> Iterator[str]:
    """Every name at any depth, with those above it: `product`, `product.sku`; lists add nothing."""
    pending = list(reversed(properties.items()))
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            yield path
            pending += [(f"{path}.{name}", inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
            pending += [(path, inner) for inner in reversed(value)]
        else:
            yield path


def _body(request: Request) -> JSON:
    if not isinstance(request.document, dict):
        raise Refused(400, "/", "The body must be an object.")
    return request.document


def _unknown(body: JSON, known: tuple[str, ...], switches: Switches) -> tuple[str, ...]:
    unknown = tuple(name for name in body if name not in known)
    if unknown and switches.unknown_fields == "refuse":
        raise Refused(400, f"/{unknown[0]}", "There is no such field.")
    return unknown


def _type(value: object, switches: Switches) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, "/type", "A type is required.")
    if not _NOT_IN_TYPES.isdisjoint(value):
        raise Refused(400, "/type", "The type has a character that is not allowed.")
    if switches.longest_type is not None and len(value) > switches.longest_type:
        raise Refused(400, "/type", "The type is too long.")
    return value


def _check_keys(properties: JSON, switches: Switches) -> None:
    forbidden = _NOT_IN_KEYS[switches.key_characters]
    pending: list[tuple[str, object]] = [("/properties", properties)]
    while pending:
        pointer, value = pending.pop()
        if isinstance(value, dict):
            for name in value:
                if not forbidden.isdisjoint(name):
                    raise Refused(400, f"{pointer}/{name}", "A name has a forbidden character.")
            inner = list(value.items())
        else:
            inner = list(enumerate(value)) if isinstance(value, list) else []
        if switches.nested_keys:
            pending += [(f"{pointer}/{name}", each) for name, each in inner]


def _external_event_id(body: JSON) -> str | None:
    if "externalEventId" not in body:
        return None
    value = body["externalEventId"]
    if not isinstance(value, str) or not 0 < len(value) <= _ID:
        raise Refused(400, "/externalEventId", f"Must be a text of 1 to {_ID} characters.")
    return value


def _occurred_at(body: JSON, at: float, switches: Switches) -> datetime:
    """When it happened; without it, when it came (§2)."""
    if "occurredAt" not in body:
        return datetime.fromtimestamp(at, UTC)
    value = body["occurredAt"]
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise Refused(400, "/occurredAt", "Must be a time in RFC 3339 with an offset.")
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(400, "/occurredAt", "There is no such time.") from None
    ahead = switches.longest_ahead
    if ahead is not None and (moment - datetime.fromtimestamp(at, UTC)).total_seconds() > ahead:
        raise Refused(400, "/occurredAt", "Must not lie so far ahead.")
    return moment
