"""What Ometria finds wrong in a record once it looks into it.

Contract: contracts/ometria.md §1 (`id`, not `@id`), §3 (events and their properties), §4 (contacts,
custom fields, ids without personal data, consent), pitfalls 3, 6, 8 and 9.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from streams.simulators.ometria_findings import below
from streams.simulators.ometria_schemas import KINDS, LONGEST_TEXT, SCHEMAS

if TYPE_CHECKING:
    from streams.simulators.ometria_findings import Findings
    from streams.simulators.ometria_schemas import Schema
    from streams.simulators.ometria_switches import Kinds, Switches
    from streams.simulators.shapes import JSON

__all__ = ["EVENT_TYPE", "IDENTITIES", "examine"]

EVENT_TYPE = 32
"""How many characters of an event type are kept."""

IDENTITIES = ("identity_email", "identity_account_id", "profile_id")
"""What ties an event to a contact: one of these will do (§3; one peer's rule of two is its own)."""

_CONTACT_FIELDS = 100
_IDS = ("id", "customer_id", "identity_account_id", "profile_id")
_CONSENT = ("marketing_optin", "@force_optin", "channels")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|\+\d[\d ().-]{5,}\d")


def examine(record: JSON, findings: Findings, switches: Switches) -> None:
    """Note everything in the record that is an error or worth a flag."""
    type_ = record.get("@type")
    schema = SCHEMAS.get(type_) if isinstance(type_, str) else None
    if schema is None:
        findings.refuse(below("@type"), "There is no such type of record.")
        return
    _check_required(record, schema, findings, switches)
    _check_fields(record, schema, findings, switches)
    _check_ids(record, findings, switches)
    for name in _CONSENT:
        if name in record:
            findings.flag("optin", below(name))
    if findings.problems:
        return  # what follows takes the fields to be of their types
    if type_ == "custom_event":
        _check_event(record, findings, switches)
    elif type_ == "contact":
        _check_contact(record, findings, switches)


def _check_required(record: JSON, schema: Schema, findings: Findings, switches: Switches) -> None:
    for name in schema.required:
        blank = schema.blanks and _is_blank(record.get(name))
        if (name not in record or blank) and (name != "email" or switches.email_required):
            findings.refuse(below(name), "It is required.")


def _check_fields(record: JSON, schema: Schema, findings: Findings, switches: Switches) -> None:
    for name, value in record.items():
        check = schema.checks.get(name)
        if check is None:
            if not schema.open:
                refused = switches.unknown_fields == "refuse"
                findings.unknown("unknown_field", below(name), refused=refused)
        elif schema.blanks and _is_blank(value):
            findings.flag("blank", below(name))
        elif not check(value):
            findings.refuse(below(name), "The field does not take this.")


def _check_ids(record: JSON, findings: Findings, switches: Switches) -> None:
    """Ids may be seen in public, so they must not hold an address (§4)."""
    phone = record.get("phone_number")
    digits = phone.removeprefix("+") if isinstance(phone, str) else ""
    for name in _IDS:
        value = record.get(name)
        if not isinstance(value, str):
            continue
        if _ADDRESS.search(value) or (digits and digits in value):
            if switches.personal_ids == "refuse":
                findings.refuse(below(name), "An id must not hold an address.")
            else:
                findings.flag("personal_id", below(name))


def _check_event(record: Any, findings: Findings, switches: Switches) -> None:
    enough = IDENTITIES if switches.event_identity == "any" else IDENTITIES[:1]
    if not any(name in record for name in enough):
        findings.refuse(below("identity_email"), "An event must be tied to a contact.")
    event_type = record["event_type"]
    if len(event_type) > EVENT_TYPE:
        findings.flag("cut", below("event_type"))
    kinds = None
    if switches.event_types is not None:
        kinds = switches.event_types.get(event_type[:EVENT_TYPE])
        if kinds is None:
            findings.flag("unknown_event_type", below("event_type"))
    _check_properties(record.get("properties", {}), kinds, findings, switches, blanks=False)


def _check_contact(record: Any, findings: Findings, switches: Switches) -> None:
    properties = record.get("properties") or {}
    if len(properties) > _CONTACT_FIELDS:
        findings.refuse(below("properties"), f"There are at most {_CONTACT_FIELDS} fields.")
    for name in properties:
        if not name or any(map(str.isspace, name)):
            findings.refuse(below("properties", name), "A Field ID has no spaces.")
    _check_properties(properties, switches.contact_fields, findings, switches, blanks=True)


def _check_properties(
    properties: JSON, kinds: Kinds | None, findings: Findings, switches: Switches, *, blanks: bool
) -> None:
    """Properties against their types; without types only texts are measured."""
    for name, value in properties.items():
        path = below("properties", name)
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            findings.refuse(path, f"A text has at most {LONGEST_TEXT} characters.")
        elif blanks and _is_blank(value):
            findings.flag("blank", path)
        elif kinds is None:
            continue
        elif name not in kinds:
            refused = switches.unknown_properties == "refuse"
            findings.unknown("unknown_property", path, refused=refused)
        elif not KINDS[kinds[name]](value):
            findings.refuse(path, f"Must be: {kinds[name]}.")


def _is_blank(value: object) -> bool:
    return value is None or value == ""
