"""How requests to Yespo describe an event: read and examined, not yet kept.

Contract: contracts/yespo.md §3. v1 and v2 differ in the values of parameters, and in v2 an
externalCustomerId without a value is as if it were not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from streams.simulators.yespo_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.vendor import Request
    from streams.simulators.yespo_switches import Switches

__all__ = [
    "IDENTITIES",
    "EventRow",
    "check_event_type",
    "past_events",
    "read_event",
    "read_past_event",
]

IDENTITIES = ("contactId", "externalCustomerId", "email", "phone", "pushToken")
"""The parameters that say whom an event is about, the first one first."""

_EXTERNAL_ID = "externalCustomerId"
_FIELDS = frozenset({"eventTypeKey", "keyValue", "params"})
_PARAM_FIELDS = {"name", "value"}
_FORBIDDEN = frozenset("<>;,/\\|^?!'‘’\"`")  # noqa: RUF001 - curly quotes are forbidden too
_TYPE = 100  # characters
_KEY = 300
_NAME = 100
_PAST = 500  # events of the past in one request


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, after examination; `identities` has those of its parameters that name somebody."""

    type: str
    key: str
    params: Mapping[str, object]
    identities: Mapping[str, str]


def read_event(request: Request, switches: Switches) -> EventRow:
    """Examine the body of `POST /v1/event` or `/v2/event`; raises Refused with 400."""
    second = request.path.startswith("/api/v2/")
    return _read(request.document, request.size, switches, _FIELDS, second=second)


def past_events(document: object) -> list[object]:
    """The events of `POST /v2/past_events`, not examined yet; raises Refused with 400.

    The contract names a record's fields and the reply's; that the list is called `events` is
    assumed.
    """
    rows = document.get("events") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise Refused(400, "/events", "events must be a list that is not empty.")
    if len(rows) > _PAST:
        raise Refused(400, "/events", f"At most {_PAST} events.")
    return rows


def read_past_event(body: object, switches: Switches) -> EventRow:
    """Examine one event of the past, which says when it was; raises Refused with 400."""
    size = len(msgspec.json.encode(body))
    row = _read(body, size, switches, _FIELDS | {"occurred"}, second=True)
    occurred = body.get("occurred") if isinstance(body, dict) else None
    try:
        datetime.fromisoformat(occurred if isinstance(occurred, str) else "")
    except ValueError:
        raise Refused(400, "/occurred", "occurred must be a date and time.") from None
    return row


def _read(
    body: object, size: int, switches: Switches, known: frozenset[str], *, second: bool
) -> EventRow:
    if not isinstance(body, dict):
        raise Refused(400, "/", "The body must be an object.")
    if size > switches.event_bytes:
        raise Refused(400, "body", f"An event must not exceed {switches.event_bytes} bytes.")
    if switches.unknown_fields == "refuse":
        for name in body:
            if name not in known:
                raise Refused(400, f"/{name}", f"{name} is not a field.")
    event_type = check_event_type(body.get("eventTypeKey"), "/eventTypeKey")
    params = _params(body.get("params", []), switches, second=second)
    identities = _identities(params)
    if body.get("keyValue") is not None:
        key = _checked(body["keyValue"], "/keyValue", _KEY)
    elif identities:
        name, value = next(iter(identities.items()))
        key = _checked(value, f"/params/{name}", _KEY)
    else:
        raise Refused(400, "/keyValue", "keyValue or a contact identifier in params is required.")
    _check_structure(event_type, params, switches)
    return EventRow(event_type, key, params, identities)


def check_event_type(value: object, where: str) -> str:
    """The key of an event type; raises Refused with 400."""
    return _checked(value, where, _TYPE)


def _checked(value: object, where: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, where, f"{where} must be a text.")
    if len(value) > longest:
        raise Refused(400, where, f"{where} must not exceed {longest} characters.")
    if not _FORBIDDEN.isdisjoint(value):
        raise Refused(400, where, f"{where} has a character that is not allowed.")
    return value


def _params(value: object, switches: Switches, *, second: bool) -> dict[str, object]:
    """The parameters by name; those that v2 ignores are left out."""
    if not isinstance(value, list):
        raise Refused(400, "/params", "params must be a list.")
    params: dict[str, object] = {}
    for index, each in enumerate(value):
        where = f"/params/{index}"
        if not isinstance(each, dict) or each.keys() != _PARAM_FIELDS:
            raise Refused(400, where, "A parameter must have name and value.")
        name = each["name"]
        if not isinstance(name, str) or not 0 < len(name) <= _NAME:
            raise Refused(400, f"{where}/name", f"A name must have 1 to {_NAME} characters.")
        if name in params:
            raise Refused(400, f"{where}/name", f"{name} is there twice.")
        if not (second and name == _EXTERNAL_ID and _is_nothing(each["value"])):
            _check_value(each["value"], f"{where}/value", switches, second=second)
        params[name] = each["value"]
    if second and _is_nothing(params.get(_EXTERNAL_ID)):
        params.pop(_EXTERNAL_ID, None)
    return params


def _check_value(value: object, where: str, switches: Switches, *, second: bool) -> None:
    if value is None:
        raise Refused(400, where, "A parameter must have a value.")
    if not second and not isinstance(value, str):
        raise Refused(400, where, "A value must be a string.")
    if switches.v2_values == "text_or_object" and not isinstance(value, str | dict):
        raise Refused(400, where, "A value must be a string or an object.")


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in {"", "null"})


def _identities(params: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in IDENTITIES:
        value = params.get(name)
        if isinstance(value, str):
            found[name] = value
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
            found[name] = str(value)  # an id as a number, which v2 allows
    return found


def _check_structure(event_type: str, params: Mapping[str, object], switches: Switches) -> None:
    """Where the type has "Validate parameters" on: 400 with the list as plain text (§3)."""
    wanted = switches.event_params.get(event_type, ())
    if any(param.required and param.name not in params for param in wanted):
        shown = msgspec.json.format(msgspec.json.encode(wanted), indent=4).decode()
        message = f"The event should have the following params: {shown}"
        raise Refused(400, "/params", message)
