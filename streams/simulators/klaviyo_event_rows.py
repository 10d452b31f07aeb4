"""How requests to Klaviyo describe events, one or in bulk: read, examined, not yet kept.

Contract: contracts/klaviyo.md §2 (single), §3 (bulk: groups of one profile and its events) and §6
(pointers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from streams.simulators.klaviyo_errors import Problem
from streams.simulators.klaviyo_profile_rows import ProfilePlace, ProfileRow, read_profile
from streams.simulators.klaviyo_validation import Findings, check_values, read_time

if TYPE_CHECKING:
    from streams.simulators.klaviyo_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["EventRow", "EventRows", "read_bulk", "read_event"]

_PROPERTIES = 400
_PROFILE_BYTES = 95_000
_METRIC_NAME = 127  # characters: "less than 128"
_UNIQUE_ID = 255  # characters
_BULK_EVENTS = 1_000
_EVENT_EMAIL = 99  # characters: "less than 100"
_FIRST_BACKFILL = "2026-07-15"
_CURRENCY = re.compile("[A-Z]{3}")
_FIELDS = frozenset({"properties", "metric", "time", "value", "value_currency", "unique_id"})
_GROUPS = "/data/attributes/events-bulk-create/data"


@dataclass(slots=True)
class EventRow:
    """One event of a request, after examination; `time` is in whole seconds since 1970.

    `drop` says why it will disappear although it is accepted; `pointer` is where it sits.
    """

    pointer: str
    profile: ProfileRow
    metric: str = ""
    time: int = 0
    properties: JSON = field(default_factory=dict)
    value: float | None = None
    value_currency: str | None = None
    unique_id: str | None = None
    backfill: bool = False
    drop: str | None = None


@dataclass(slots=True)
class EventRows:
    """All events of a request. `ignored_phone`: a bad phone was left out of a profile."""

    rows: list[EventRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored_phone: bool = False

    def close(self, findings: Findings, *rows: EventRow) -> None:
        """Take over what was found about these rows."""
        for row in rows:
            row.drop = row.drop or findings.drop
        self.problems += findings.problems
        self.ignored_phone = self.ignored_phone or findings.ignored_phone


def read_event(document: object, switches: Switches, at: float, revision: str) -> EventRows:
    """Examine the body of `POST /api/events`."""
    found = EventRows()
    findings = Findings(switches, at, revision)
    attributes = findings.attributes(_data(document), "event", "/data")
    if attributes is not None:
        findings.known_fields(attributes, _known_fields(revision) | {"profile"}, "/data/attributes")
        pointer = "/data/attributes/profile/data"
        place = ProfilePlace(
            pointer, meta_within=True, longest_email=_EVENT_EMAIL, phone_rule=switches.bad_phone
        )
        profile = _read_owner(attributes, "/data", place, findings)
        row = _read_attributes(attributes, "/data", profile, findings)
        found.rows.append(row)
        found.close(findings, row)
    else:
        found.close(findings)
    return found


def read_bulk(document: object, switches: Switches, at: float, revision: str) -> EventRows:
    """Examine the body of `POST /api/event-bulk-create-jobs`."""
    found = EventRows()
    findings = Findings(switches, at, revision)
    attributes = findings.attributes(_data(document), "event-bulk-create-job", "/data")
    if attributes is not None:
        findings.known_fields(attributes, {"events-bulk-create"}, "/data/attributes")
        groups = _listed(attributes.get("events-bulk-create"), _GROUPS[: -len("/data")], findings)
        for number, group in enumerate(groups):
            _read_group(group, f"{_GROUPS}/{number}", found, Findings(switches, at, revision))
    found.close(findings)
    if len(found.rows) > _BULK_EVENTS:
        detail = f"At most {_BULK_EVENTS} events in one request, not {len(found.rows)}."
        found.problems = [Problem(_GROUPS, detail)]
    return found


def _read_group(group: object, pointer: str, found: EventRows, findings: Findings) -> None:
    attributes = findings.attributes(group, "event-bulk-create", pointer)
    if attributes is None:
        found.close(findings)
        return
    pointer_to_group, pointer = pointer, f"{pointer}/attributes"
    late = _known_fields(findings.revision) - _FIELDS
    findings.known_fields(attributes, {"profile", "events"} | late, pointer)
    place = ProfilePlace(
        f"{pointer}/profile/data",
        meta_within=False,
        longest_email=_EVENT_EMAIL,
        phone_rule=findings.switches.bulk_bad_phone,
    )
    profile = _read_owner(attributes, pointer_to_group, place, findings)
    backfill = _flag(attributes.get("backfill"), f"{pointer}/backfill", findings)
    events = _listed(attributes.get("events"), f"{pointer}/events", findings)
    rows = []
    for number, event in enumerate(events):
        pointer_to_event = f"{pointer}/events/data/{number}"
        own = Findings(findings.switches, findings.at, findings.revision)
        inner = own.attributes(event, "event", pointer_to_event)
        if inner is not None:
            own.known_fields(inner, _known_fields(own.revision), f"{pointer_to_event}/attributes")
            row = _read_attributes(inner, pointer_to_event, profile, own)
            row.backfill = row.backfill or backfill
            rows.append(row)
            found.close(own, row)
        else:
            found.close(own)
    found.rows += rows
    found.close(findings, *rows)


def _read_owner(
    attributes: JSON, pointer_if_misplaced: str, place: ProfilePlace, findings: Findings
) -> ProfileRow:
    """The profile of an event or a group; one nested wrongly points above it (pitfall 10)."""
    holder = attributes.get("profile")
    data = holder.get("data") if isinstance(holder, dict) else None
    if not isinstance(data, dict):
        findings.refuse(pointer_if_misplaced, "A profile is required, as {'data': {…}}.")
        return ProfileRow()
    inner = data.get("attributes")
    if isinstance(inner, dict) and isinstance(inner.get("properties"), dict):
        check_values(inner["properties"], f"{place.pointer}/attributes/properties", findings)
    if len(msgspec.json.encode(data)) > _PROFILE_BYTES:
        findings.exceed("over_limit", place.pointer, "A profile must not exceed 95 KB.")
    return read_profile(data, place, findings)


def _read_attributes(
    attributes: JSON, pointer: str, profile: ProfileRow, findings: Findings
) -> EventRow:
    row = EventRow(pointer, profile)
    pointer = f"{pointer}/attributes"
    row.metric = _metric(attributes.get("metric"), f"{pointer}/metric", findings)
    properties = attributes.get("properties")
    if isinstance(properties, dict):
        row.properties = properties
        if len(properties) > _PROPERTIES:
            detail = f"At most {_PROPERTIES} properties, not {len(properties)}."
            findings.exceed("over_limit", f"{pointer}/properties", detail)
        check_values(properties, f"{pointer}/properties", findings)
    else:
        findings.refuse(f"{pointer}/properties", "Must be an object, even if it is empty.")
    row.time = read_time(attributes.get("time"), f"{pointer}/time", findings)
    value = attributes.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        row.value = value
    elif value is not None:
        findings.refuse(f"{pointer}/value", "Must be a number.")
    currency = findings.text(attributes.get("value_currency"), f"{pointer}/value_currency")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        findings.refuse(f"{pointer}/value_currency", "Must be a currency code of ISO 4217.")
    row.value_currency = currency
    row.unique_id = findings.text(
        attributes.get("unique_id"), f"{pointer}/unique_id", shortest=1, longest=_UNIQUE_ID
    )
    row.backfill = _flag(attributes.get("backfill"), f"{pointer}/backfill", findings)
    return row


def _metric(holder: object, pointer: str, findings: Findings) -> str:
    if not isinstance(holder, dict):
        findings.refuse(pointer, "A metric is required, as {'data': {…}}.")
        return ""
    attributes = findings.attributes(holder.get("data"), "metric", f"{pointer}/data")
    if attributes is None:
        return ""
    pointer = f"{pointer}/data/attributes"
    findings.known_fields(attributes, {"name", "service"}, pointer)
    findings.text(attributes.get("service"), f"{pointer}/service")
    if attributes.get("name") is None:
        findings.refuse(f"{pointer}/name", "A name is required.")
    return (
        findings.text(attributes.get("name"), f"{pointer}/name", shortest=1, longest=_METRIC_NAME)
        or ""
    )


def _known_fields(revision: str) -> frozenset[str]:
    """The attributes of an event: `backfill` came late."""
    return _FIELDS | {"backfill"} if revision >= _FIRST_BACKFILL else _FIELDS


def _flag(value: object, pointer: str, findings: Findings) -> bool:
    if value is not None and not isinstance(value, bool):
        findings.refuse(pointer, "Must be true or false.")
    return value is True


def _data(document: object) -> object:
    return document.get("data") if isinstance(document, dict) else None


def _listed(holder: object, pointer: str, findings: Findings) -> list[object]:
    """The rows of `{"data": [...]}`; there must be one."""
    rows = holder.get("data") if isinstance(holder, dict) else None
    if isinstance(rows, list) and rows:
        return rows
    findings.refuse(f"{pointer}/data", "Must be a list with at least one item.")
    return []
