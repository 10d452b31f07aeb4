"""Profiles sent to Klaviyo without an event: one at once, many as a job, and their deletion.

Contract: contracts/klaviyo.md §4 (profile-import), §5 (bulk import jobs and their errors), §7
(deletion jobs).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from streams.simulators.klaviyo_errors import Problem, Refused, refuse
from streams.simulators.klaviyo_profile_rows import ProfilePlace, ProfileRow, read_profile
from streams.simulators.klaviyo_validation import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.simulators.klaviyo_profiles import Profile, Profiles
    from streams.simulators.klaviyo_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Job", "profile_resource", "read_deletion", "read_import", "read_import_job"]

SITE = "https://a.klaviyo.com"
_PROFILE_BYTES = 100_000
_PROFILE_EMAIL = 100  # characters
_JOB_PROFILES = 10_000
_JOB_LIFETIME = 7 * 86_400  # seconds
_ROWS = "/data/attributes/profiles/data"
_DELETED_BY = ("id", "email", "phone_number")


@dataclass(slots=True)
class Job:
    """A bulk import job. It is complete once it was asked for `polls_left` more times."""

    id: str
    created: float
    total: int
    polls_left: int
    failed: list[JSON] = field(default_factory=list)
    started: float | None = None
    completed: float | None = None

    def poll(self, at: float) -> None:
        """One look at the job moves it on: queued, processing, complete."""
        if self.completed is None:
            self.started = self.started or at
            self.polls_left -= 1
            if self.polls_left <= 0:
                self.completed = at

    def resource(self) -> JSON:
        """The job as it is answered."""
        done = self.completed is not None
        status = "complete" if done else "queued" if self.started is None else "processing"
        return {
            "type": "profile-bulk-import-job",
            "id": self.id,
            "attributes": {
                "status": status,
                "created_at": _iso(self.created),
                "total_count": self.total,
                "completed_count": self.total - len(self.failed) if done else 0,
                "failed_count": len(self.failed) if done else 0,
                "started_at": _iso(self.started),
                "completed_at": _iso(self.completed),
                "expires_at": _iso(self.created + _JOB_LIFETIME),
            },
            "links": {"self": f"{SITE}/api/profile-bulk-import-jobs/{self.id}/"},
        }

    def errors(self, query: Mapping[str, str]) -> JSON:
        """One page of the rows that failed; raises Refused for a page that cannot be."""
        size = _number(query, "page[size]", 20, range(1, 101))
        start = _number(query, "page[cursor]", 0, range(len(self.failed) + 1))
        path = f"{SITE}/api/profile-bulk-import-jobs/{self.id}/import-errors"
        failed = self.failed if self.completed is not None else []
        more = start + size < len(failed)
        following = f"{path}?page[size]={size}&page[cursor]={start + size}" if more else None
        return {
            "data": failed[start : start + size],
            "links": {"self": path, "next": following, "prev": None},
        }

    def fail(self, number: int, row: object) -> None:
        """Let one row fail, as an import error says it."""
        self.failed.append(
            {
                "type": "import-error",
                "id": f"{self.id}-{number}",
                "attributes": {
                    "code": "invalid",
                    "title": "Invalid input.",
                    "detail": "The profile could not be imported.",
                    "source": {"pointer": f"{_ROWS}/{number}"},
                    "original_payload": row,
                },
            }
        )


def read_import(document: object, findings: Findings, profiles: Profiles) -> ProfileRow:
    """Examine the body of `POST /api/profile-import`; raises Refused with 400, 404 or 409."""
    data = document.get("data") if isinstance(document, dict) else None
    switches = findings.switches
    place = ProfilePlace(
        "/data", meta_within=False, longest_email=_PROFILE_EMAIL, phone_rule=switches.bad_phone
    )
    row = read_profile(data, place, findings)
    if len(msgspec.json.encode(data)) > _PROFILE_BYTES:
        findings.refuse("/data/attributes", "A profile must not exceed 100 KB.")
    if findings.problems:
        raise Refused(400, findings.problems)
    other = profiles.conflict(row)
    if row.id is not None and (profiles.get(row.id) is None or other is not None):
        raise refuse(404, "not_found", "A profile with this id and these identifiers is unknown.")
    if other is not None and switches.conflicting_identifiers == "refuse":
        detail = "A profile already exists with one of these identifiers."
        meta = {"duplicate_profile_id": other.id}
        raise Refused(409, [Problem("/data/", detail, "duplicate_profile", "Conflict.", meta)])
    return row


def read_import_job(
    document: object, switches: Switches, at: float, revision: str
) -> tuple[list[ProfileRow], Sequence[object]]:
    """Examine the body of `POST /api/profile-bulk-import-jobs`: rows, and the same as sent.

    Raises Refused with 400 for the whole request, with a pointer to every bad row.
    """
    findings = Findings(switches, at, revision)
    data = document.get("data") if isinstance(document, dict) else None
    kind = "profile-bulk-import-job"
    attributes = findings.attributes(data, kind, "/data", frozenset({"relationships"}))
    given = _rows_of(attributes)
    if attributes is not None:
        findings.known_fields(attributes, {"profiles"}, "/data/attributes")
        if not 1 <= len(given) <= _JOB_PROFILES:
            findings.refuse(_ROWS, f"Must be a list of 1 to {_JOB_PROFILES} profiles.")
    if isinstance(data, dict) and data.get("relationships") is not None:
        _check_lists(data["relationships"], findings)
    if findings.problems:
        raise Refused(400, findings.problems)
    rows = []
    for number, each in enumerate(given):
        place = ProfilePlace(
            f"{_ROWS}/{number}",
            meta_within=False,
            longest_email=_PROFILE_EMAIL,
            phone_rule="ignore",  # silently, and no import error tells of it (§5)
        )
        rows.append(read_profile(each, place, findings))
        if len(msgspec.json.encode(each)) > _PROFILE_BYTES:
            findings.refuse(f"{_ROWS}/{number}", "A profile must not exceed 100 KB.")
    if findings.problems:
        raise Refused(400, findings.problems)
    return rows, given


def read_deletion(document: object, findings: Findings) -> tuple[str, str]:
    """Examine the body of a deletion job: the identifier's name and value; raises Refused."""
    data = document.get("data") if isinstance(document, dict) else None
    attributes = findings.attributes(data, "data-privacy-deletion-job", "/data")
    holder = attributes.get("profile") if attributes is not None else None
    profile = holder.get("data") if isinstance(holder, dict) else None
    pointer = "/data/attributes/profile/data"
    given: list[tuple[str, str]] = []
    inner = findings.attributes(profile, "profile", pointer, frozenset({"id"}))
    if inner is not None and isinstance(profile, dict):
        findings.known_fields(inner, {"email", "phone_number"}, f"{pointer}/attributes")
        for name in _DELETED_BY:
            value = profile.get("id") if name == "id" else inner.get(name)
            text = findings.text(value, f"{pointer}/attributes/{name}", shortest=1)
            if text is not None:
                given.append((name, text))
    if not findings.problems and len(given) != 1:
        findings.refuse(pointer, f"Exactly one of {', '.join(_DELETED_BY)} is required.")
    if findings.problems:
        raise Refused(400, findings.problems)
    return given[0]


def profile_resource(profile: Profile) -> JSON:
    """A profile as it is answered, and as `/_control/state` shows it."""
    return {
        "type": "profile",
        "id": profile.id,
        "attributes": {
            **profile.identifiers,
            **profile.fields,
            "location": profile.location,
            "properties": profile.properties,
            "created": _iso(profile.created),
            "updated": _iso(profile.updated),
        },
        "links": {"self": f"{SITE}/api/profiles/{profile.id}/"},
    }


def _rows_of(attributes: JSON | None) -> list[object]:
    holder = None if attributes is None else attributes.get("profiles")
    rows = holder.get("data") if isinstance(holder, dict) else None
    return rows if isinstance(rows, list) else []


def _check_lists(relationships: object, findings: Findings) -> None:
    """Only lists of the account; the pointer for an unknown one is the bare `/data` (§5)."""
    lists = relationships.get("lists") if isinstance(relationships, dict) else None
    rows = lists.get("data") if isinstance(lists, dict) else None
    if not isinstance(rows, list):
        findings.refuse("/data/relationships", "Must be {'lists': {'data': [...]}}.")
        return
    for row in rows:
        known = row.get("id") if isinstance(row, dict) else None
        if not isinstance(known, str) or known not in findings.switches.lists:
            findings.refuse("/data", "A list with this id does not exist.")


def _number(query: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) not in allowed:
        raise refuse(400, "invalid", f"Must be {allowed[0]} to {allowed[-1]}.", name)
    return int(text)


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
