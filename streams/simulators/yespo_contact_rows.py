"""How requests to Yespo describe contacts, one or many: read and examined, not yet kept.

Contract: contracts/yespo.md §4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.yespo_custom_fields import read_custom_fields
from streams.simulators.yespo_errors import Refused
from streams.simulators.yespo_event_rows import check_event_type
from streams.simulators.yespo_fields import Fields, check_email, check_phone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.shapes import JSON
    from streams.simulators.yespo_switches import Switches

__all__ = [
    "STANDARD_FIELDS",
    "BulkRow",
    "ContactRow",
    "failed_contact",
    "read_bulk",
    "read_contact",
]

STANDARD_FIELDS = (
    "firstName", "lastName", "contactKey", "languageCode", "timeZone", "email", "sms",
    "mobilepush", "webpush", "address", "town", "region", "postcode",
)  # fmt: skip
"""What `contactFields` can name, beside externalCustomerId (which never changes) and ordersInfo."""

_MOST = 3_000
_NAME = 40  # characters
_DIGITS = 3
_ODD = re.compile(r"[^\w\s.'’-]|_")  # noqa: RUF001 - a curly apostrophe is as good
_NAMES = ("firstName", "lastName")
_TEXTS = ("contactKey", "languageCode", "timeZone")
_ADDRESS = frozenset({"region", "town", "address", "postcode"})
_CHANNELS = frozenset(
    {"email", "sms", "viber", "mobilepush", "webpush", "appinbox", "widget", "inapp"}
)
_CHANNEL_FIELDS = frozenset({"type", "value", "device", "webPushSubscription"})
_FIELDS = frozenset(
    {"channels", "address", "fields", "addressBookId", "id", "externalCustomerId", "groups"}
).union(_NAMES, _TEXTS)
_FAILED_FIELDS = _FIELDS - {"externalCustomerId"}
_DEDUPE = frozenset({"email", "sms", "push", "email_or_sms", "id", "externalCustomerId", "fieldId"})
_NAMED_FIELDS = frozenset({*STANDARD_FIELDS, "externalCustomerId", "ordersInfo"})
_BULK_FIELDS = frozenset({
    "contacts", "dedupeOn", "fieldId", "contactFields", "customFieldsIDs", "groupNames",
    "groupNamesExclude", "restoreDeleted", "eventKeyForNewContacts",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact, after examination: its standard fields by name, its custom ones by id."""

    external_customer_id: str | None
    id: int | None
    values: Mapping[str, str]
    fields: Mapping[int, str | None]


@dataclass(frozen=True, slots=True)
class BulkRow:
    """A bulk request, after examination of all but its contacts.

    `contact_fields` are those to be changed: where none were named, all.
    """

    contacts: list[object]
    dedupe_on: str
    field_id: int | None
    contact_fields: frozenset[str]
    custom_fields: frozenset[int]
    groups: tuple[str, ...]
    event_type: str | None


def read_contact(value: object, switches: Switches) -> ContactRow:
    """Examine one contact; raises BadRow for the first thing that is wrong with it."""
    fields = Fields(value, "", switches, lenient=True)
    fields.only(_FIELDS)
    values = _channels(fields, switches)
    for name in _NAMES:
        given = fields.text(name)
        if given is not None and _name_fits(given):
            values[name] = given
        elif given is not None and switches.bad_name == "refuse":
            raise fields.bad(name, "is not a name")
    values |= {name: given for name in _TEXTS if (given := fields.text(name)) is not None}
    if fields.given("address", required=False) is not None:
        address = Fields(fields.value["address"], "address/", switches, lenient=True)
        address.only(_ADDRESS)
        values |= {name: given for name in _ADDRESS if (given := address.text(name)) is not None}
    return ContactRow(
        fields.text("externalCustomerId"),
        _number(fields.given("id", required=False), fields),
        values,
        read_custom_fields(fields.value.get("fields"), switches),
    )


def read_bulk(document: object, switches: Switches) -> BulkRow:
    """Examine the body of `POST /v1/contacts`; raises Refused with 400."""
    if not isinstance(document, dict):
        raise Refused(400, "/", "The body must be an object.")
    for name in document:
        if name not in _BULK_FIELDS and switches.unknown_fields == "refuse":
            raise Refused(400, f"/{name}", f"{name} is not a field.")
    contacts = document.get("contacts")
    if not isinstance(contacts, list) or not 0 < len(contacts) <= _MOST:
        status = switches.too_many if isinstance(contacts, list) and contacts else 400
        raise Refused(status, "/contacts", f"Send 1 to {_MOST} contacts.")
    dedupe_on = document.get("dedupeOn")
    if not isinstance(dedupe_on, str) or dedupe_on not in _DEDUPE:
        raise Refused(400, "/dedupeOn", f"dedupeOn must be one of {', '.join(sorted(_DEDUPE))}.")
    if not isinstance(document.get("restoreDeleted", False), bool):
        raise Refused(400, "/restoreDeleted", "restoreDeleted must be true or false.")
    event_type = document.get("eventKeyForNewContacts")
    known = frozenset(field.id for field in switches.custom_fields)
    field_id = document.get("fieldId")
    if dedupe_on == "fieldId" and not (_is_id(field_id) and field_id in known):
        raise Refused(400, "/fieldId", "fieldId must be a field of the account.")
    _texts(document, "groupNamesExclude")
    return BulkRow(
        contacts,
        dedupe_on,
        field_id if dedupe_on == "fieldId" else None,
        _contact_fields(document),
        _custom_fields(document, known),
        tuple(_texts(document, "groupNames")),
        None if event_type is None else check_event_type(event_type, "/eventKeyForNewContacts"),
    )


def failed_contact(value: object, error: str, switches: Switches) -> JSON:
    """A contact that was not acceptable as the answer tells it."""
    told = value if isinstance(value, dict) else {}
    if switches.failed_contact == "specified":
        told = {name: each for name, each in told.items() if name in _FAILED_FIELDS}
    return {**told, "error": error}


def _channels(fields: Fields, switches: Switches) -> dict[str, str]:
    """The addresses by kind of channel; the first of a kind counts."""
    channels = fields.given("channels", required=True)
    if not isinstance(channels, list) or not channels:
        raise fields.bad("channels", "must be a list with at least one channel")
    found: dict[str, str] = {}
    for index, each in enumerate(channels):
        channel = Fields(each, f"channels/{index}/", switches)
        channel.only(_CHANNEL_FIELDS)
        kind, value = channel.required_text("type"), channel.required_text("value")
        if kind not in _CHANNELS:
            raise channel.bad("type", "is no kind of channel")
        if kind == "email":
            check_email(value, f"channels/{index}/value")
        elif kind in {"sms", "viber"}:
            check_phone(value, f"channels/{index}/value", switches)
        if kind in STANDARD_FIELDS:
            found.setdefault(kind, value)
    return found


def _name_fits(name: str) -> bool:
    """At most 40 characters and 3 digits, few symbols, and not nothing but these (§4)."""
    digits = sum(each.isdigit() for each in name)
    letters = any(each.isalpha() for each in name)
    return len(name) <= _NAME and digits <= _DIGITS and letters and not _ODD.search(name)


def _contact_fields(document: JSON) -> frozenset[str]:
    names = _texts(document, "contactFields")
    for name in names:
        if name not in _NAMED_FIELDS:
            raise Refused(400, "/contactFields", f"There is no field {name}.")
    return frozenset(names or STANDARD_FIELDS)


def _custom_fields(document: JSON, known: frozenset[int]) -> frozenset[int]:
    """What is not in the account is refused (assumed: the page does not say)."""
    ids = document.get("customFieldsIDs")
    if ids is None:
        return frozenset()
    if not isinstance(ids, list):
        raise Refused(400, "/customFieldsIDs", "customFieldsIDs must be a list.")
    for each in ids:
        if not _is_id(each) or each not in known:
            raise Refused(400, "/customFieldsIDs", f"There is no field {each}.")
    return frozenset(ids)


def _texts(document: JSON, name: str) -> list[str]:
    value = document.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refused(400, f"/{name}", f"{name} must be a list of strings.")
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object, fields: Fields) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise fields.bad("id", "must be a number")
    return value
