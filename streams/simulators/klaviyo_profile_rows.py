"""How a request to Klaviyo describes a profile: read, examined, not yet kept.

Contract: contracts/klaviyo.md §2 (profiles within events), §4 (upsert, matching, null) and §6
(phone rule); the places of `meta` are those of the OpenAPI specification.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from streams.simulators.shapes import email_fits, phone_fits

if TYPE_CHECKING:
    from streams.simulators.klaviyo_validation import Findings
    from streams.simulators.shapes import JSON

__all__ = ["IDENTIFIERS", "PhoneRule", "ProfilePlace", "ProfileRow", "read_profile"]

IDENTIFIERS = ("email", "phone_number", "external_id", "anonymous_id", "_kx")
"""What identifies a profile besides Klaviyo's own id, in the order in which it is looked for."""

PhoneRule = Literal["partial_failure", "ignore", "refuse"]

_TEXTS = frozenset({"first_name", "last_name", "organization", "locale", "title", "image"})
_LOCATION = frozenset(
    {"address1", "address2", "city", "country", "latitude", "longitude", "region", "zip",
     "timezone", "ip"}
)  # fmt: skip
_COORDINATES = frozenset({"latitude", "longitude"})
_FIELDS = _TEXTS | {*IDENTIFIERS, "location", "properties"}
_PATCHES = frozenset({"append", "unappend", "unset"})
_EXTERNAL_ID = 255  # characters


@dataclass(slots=True)
class ProfileRow:
    """What a request says of one profile, after examination.

    `identifiers` and `fields` hold None where the request clears; absent names are left alone.
    """

    id: str | None = None
    identifiers: dict[str, str | None] = field(default_factory=dict)
    fields: JSON = field(default_factory=dict)
    location: JSON | None = field(default_factory=dict)
    properties: JSON = field(default_factory=dict)
    append: JSON = field(default_factory=dict)
    unappend: JSON = field(default_factory=dict)
    unset: list[str] = field(default_factory=list)
    more_emails: list[str] = field(default_factory=list)
    fewer_emails: list[str] = field(default_factory=list)

    def identity(self) -> str:
        """The identifier that a request without stored profiles would go by."""
        for name in IDENTIFIERS:
            if value := self.identifiers.get(name):
                return f"{name}:{value.casefold()}"
        return f"id:{self.id}"


@dataclass(frozen=True, slots=True)
class ProfilePlace:
    """Where a profile sits: its pointer, where its `meta` is, and which rules hold there.

    `longest_email` is in characters; `meta_within` says that `meta` is one of the attributes.
    """

    pointer: str
    meta_within: bool
    longest_email: int
    phone_rule: PhoneRule


def read_profile(value: object, place: ProfilePlace, findings: Findings) -> ProfileRow:
    """Examine the resource object of a profile."""
    row = ProfileRow()
    beside = frozenset({"id"}) if place.meta_within else frozenset({"id", "meta"})
    attributes = findings.attributes(value, "profile", place.pointer, beside)
    if attributes is None or not isinstance(value, dict):
        return row
    pointer = f"{place.pointer}/attributes"
    known = _FIELDS | {"meta"} if place.meta_within else _FIELDS
    findings.known_fields(attributes, known, pointer)
    row.id = findings.text(value.get("id"), f"{place.pointer}/id", shortest=1, longest=64)
    _read_identifiers(attributes, row, place, findings)
    _read_fields(attributes, row, pointer, findings)
    holder, holder_pointer = (attributes, pointer) if place.meta_within else (value, place.pointer)
    if holder.get("meta") is not None:
        _read_meta(holder["meta"], row, f"{holder_pointer}/meta", findings)
    return row


def _read_identifiers(
    attributes: JSON, row: ProfileRow, place: ProfilePlace, findings: Findings
) -> None:
    pointer = f"{place.pointer}/attributes"
    before = len(findings.problems)
    longest = {"email": place.longest_email, "external_id": _EXTERNAL_ID}
    for name in IDENTIFIERS:
        if name in attributes:
            # An empty phone is a bad one, and has its own rule below.
            shortest = 0 if name == "phone_number" else 1
            row.identifiers[name] = findings.text(
                attributes[name], f"{pointer}/{name}", shortest=shortest, longest=longest.get(name)
            )
    email = row.identifiers.get("email")
    if email is not None and not email_fits(email):
        findings.refuse(f"{pointer}/email", "Not a valid e-mail address.")
    if len(findings.problems) > before:
        return
    _apply_phone_rule(row, place, findings)
    named = [name for name, text in row.identifiers.items() if text is not None]
    if len(findings.problems) == before and not named and row.id is None:
        findings.refuse(pointer, "At least one identifier is required.")
    elif named == ["phone_number"] and row.id is None and not findings.switches.sms:
        findings.refuse(f"{pointer}/phone_number", "SMS is not set up: add another identifier.")


def _apply_phone_rule(row: ProfileRow, place: ProfilePlace, findings: Findings) -> None:
    phone = row.identifiers.get("phone_number")
    if phone is None or phone_fits(phone, findings.switches.phone_check):
        return
    if row.identifiers.get("email") is None or place.phone_rule == "refuse":
        pointer = f"{place.pointer}/attributes/phone_number"
        findings.refuse(pointer, "Not a valid phone number in E.164, such as +12345678901.")
        return
    del row.identifiers["phone_number"]
    findings.ignored_phone = place.phone_rule == "partial_failure"


def _read_fields(attributes: JSON, row: ProfileRow, pointer: str, findings: Findings) -> None:
    for name in attributes.keys() & _TEXTS:
        row.fields[name] = findings.text(attributes[name], f"{pointer}/{name}")
    location = attributes.get("location", {})
    if location is None:
        row.location = None
    elif isinstance(location, dict):
        findings.known_fields(location, _LOCATION, f"{pointer}/location")
        for name, value in location.items():
            if name not in _COORDINATES or not isinstance(value, int | float):
                findings.text(value, f"{pointer}/location/{name}")
        row.location = location
    else:
        findings.refuse(f"{pointer}/location", "Must be an object.")
    row.properties = _object(attributes, "properties", pointer, findings)


def _read_meta(meta: object, row: ProfileRow, pointer: str, findings: Findings) -> None:
    if not isinstance(meta, dict):
        findings.refuse(pointer, "Must be an object.")
        return
    findings.known_fields(meta, {"patch_properties", "patch_identifiers"}, pointer)
    patch = _object(meta, "patch_properties", pointer, findings)
    pointer_to_patch = f"{pointer}/patch_properties"
    findings.known_fields(patch, _PATCHES, pointer_to_patch)
    row.append = _object(patch, "append", pointer_to_patch, findings)
    row.unappend = _object(patch, "unappend", pointer_to_patch, findings)
    row.unset = _texts(patch.get("unset"), f"{pointer_to_patch}/unset", findings)
    patch = _object(meta, "patch_identifiers", pointer, findings)
    for name, emails in (("append", row.more_emails), ("unappend", row.fewer_emails)):
        pointer_to_patch = f"{pointer}/patch_identifiers/{name}"
        change = _object(patch, name, f"{pointer}/patch_identifiers", findings)
        findings.known_fields(change, {"email"}, pointer_to_patch)
        emails.extend(_texts(change.get("email"), f"{pointer_to_patch}/email", findings))


def _object(holder: JSON, name: str, pointer: str, findings: Findings) -> JSON:
    value = holder.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    findings.refuse(f"{pointer}/{name}", "Must be an object.")
    return {}


def _texts(value: object, pointer: str, findings: Findings) -> list[str]:
    """One text or a list of texts."""
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    texts = [each for each in values if isinstance(each, str)]
    if len(texts) < len(values):
        findings.refuse(pointer, "Must be a string or a list of strings.")
    return texts
