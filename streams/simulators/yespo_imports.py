"""Contacts added or changed in the simulated Yespo account: one at once, many as imports.

Contract: contracts/yespo.md §4; pitfall 4 (custom fields only where `customFieldsIDs` names them;
what `contactFields` names without a value is taken away).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.shapes import JSON
    from streams.simulators.yespo_contact_rows import BulkRow, ContactRow
    from streams.simulators.yespo_contacts import Contact, Contacts
    from streams.simulators.yespo_events import Events
    from streams.simulators.yespo_switches import Switches

__all__ = ["Import", "Imports", "Status", "upsert"]

Status = Literal["STARTED", "IMPORTING", "FINISHED", "ERROR"]
"""How far an import is (§4)."""

_CHANNELS = ("email", "sms")
_DEDUPED_BY = {
    "email": ("email",),
    "sms": ("sms",),
    "push": ("mobilepush", "webpush"),
    "email_or_sms": ("email", "sms"),
}


@dataclass(slots=True)
class Import:
    """One import. `rows` are the contacts that were acceptable; `fails` lets it end as an error.

    `applied` says whether the contacts have changed; `mapping` then tells who they are.
    """

    id: str
    sequence: int
    at: float
    bulk: BulkRow
    rows: list[ContactRow]
    failed: int
    fails: bool
    status: Status = "STARTED"
    polls: int = 0
    applied: bool = False
    mapping: list[JSON] = field(default_factory=list)

    def answer(self) -> JSON:
        """The body of `GET /v1/importstatus/{id}`."""
        moment = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")
        known = {"mapping": self.mapping} if self.status == "FINISHED" else {}
        return {"status": self.status, "timestamp": moment, **known}

    def shown(self) -> JSON:
        """The import as `/_control/state` shows it."""
        return {
            "id": self.id,
            "status": self.status,
            "accepted": len(self.rows),
            "failed": self.failed,
            "applied": self.applied,
            "mapping": self.mapping,
        }


class Imports:
    """All imports of the account, in order of arrival."""

    def __init__(self, contacts: Contacts, events: Events) -> None:
        self._contacts = contacts
        self._events = events
        self._by_id: dict[str, Import] = {}

    def __iter__(self) -> Iterator[Import]:
        return iter(self._by_id.values())

    def get(self, number: str) -> Import | None:
        """The import with this id."""
        return self._by_id.get(number)

    def number(self) -> str:
        """An id for the next import."""
        return f"import-{len(self._by_id) + 1:06d}"

    def start(self, job: Import, switches: Switches) -> None:
        """Take an import up; by the switch its contacts change now or when it is finished."""
        self._by_id[job.id] = job
        if switches.import_applied == "at_once":
            self._apply(job, switches)

    def poll(self, job: Import, at: float, switches: Switches) -> None:
        """One look at an import may move it on."""
        job.polls += 1
        if job.status in {"FINISHED", "ERROR"}:
            return
        if switches.import_seconds is None:
            done, begun = job.polls >= switches.import_polls, job.polls > 1
        else:
            age = at - job.at
            done, begun = age >= switches.import_seconds, age >= switches.import_seconds / 2
        if done:
            self._apply(job, switches)
            job.status = "ERROR" if job.fails else "FINISHED"
        else:
            job.status = "IMPORTING" if begun else "STARTED"

    def _apply(self, job: Import, switches: Switches) -> None:
        if job.applied or job.fails:
            return
        job.applied = True
        for row in job.rows:
            contact = self._change(row, job, switches)
            job.mapping.append(
                {"dedupeValue": _dedupe_value(row, job.bulk), "contactId": contact.id}
            )

    def _change(self, row: ContactRow, job: Import, switches: Switches) -> Contact:
        bulk = job.bulk
        contact = self._find(row, bulk, switches)
        if contact is None:
            contact = self._contacts.create("api", row.external_customer_id, row.values)
            self._announce(contact, job)
        else:
            _bind(contact, row, self._contacts)
            kept = _DEDUPED_BY.get(bulk.dedupe_on, ())
            changed = (name for name in bulk.contact_fields if name not in kept)
            values = {name: row.values.get(name) for name in changed if name not in _UNKEPT}
            self._contacts.update(contact, values)
        for number in bulk.custom_fields - {bulk.field_id}:
            if number in row.fields or switches.custom_field_without_value == "null":
                _set(contact, number, row.fields.get(number))
        if bulk.field_id is not None:  # a new contact has it; that of a known one is the same
            _set(contact, bulk.field_id, row.fields.get(bulk.field_id))
        contact.groups += [group for group in bulk.groups if group not in contact.groups]
        return contact

    def _find(self, row: ContactRow, bulk: BulkRow, switches: Switches) -> Contact | None:
        external_id = row.external_customer_id
        contact = self._contacts.by_external_id(external_id)
        unknown = contact is None and external_id is not None
        if contact is not None or (unknown and switches.unknown_external_id == "create"):
            return contact
        if bulk.dedupe_on == "id":
            return None if row.id is None else self._contacts.by_id(row.id)
        if bulk.field_id is not None:
            value = row.fields.get(bulk.field_id)
            alike = (each for each in self._contacts if each.fields.get(bulk.field_id) == value)
            return next(alike, None) if value is not None else None
        names = _DEDUPED_BY.get(bulk.dedupe_on, ())
        return _by_channels(row, names, self._contacts, claiming=unknown)

    def _announce(self, contact: Contact, job: Import) -> None:
        """The event for a new contact, where one was asked for."""
        if job.bulk.event_type is None:
            return
        email, sms = (contact.values.get(name, "") for name in _CHANNELS)
        params = {"contactId": contact.id, "EmailAddress": email, "SMS": sms}
        self._events.raise_one(job.bulk.event_type, email or sms, params, job.sequence, job.at)


def upsert(row: ContactRow, contacts: Contacts) -> Contact:
    """Add or change one contact by `POST /v1/contact`: what is not sent stays as it is."""
    contact = contacts.by_external_id(row.external_customer_id)
    if contact is None:
        claiming = row.external_customer_id is not None
        contact = _by_channels(row, _CHANNELS, contacts, claiming=claiming)
    if contact is None:
        contact = contacts.create("api", row.external_customer_id, row.values)
    else:
        _bind(contact, row, contacts)
        contacts.update(contact, row.values)
    for number, value in row.fields.items():
        _set(contact, number, value)
    return contact


_UNKEPT = frozenset({"externalCustomerId", "ordersInfo"})


def _by_channels(
    row: ContactRow, names: tuple[str, ...], contacts: Contacts, *, claiming: bool
) -> Contact | None:
    found = (contacts.by_channel(name, row.values.get(name), claiming=claiming) for name in names)
    return next((contact for contact in found if contact is not None), None)


def _bind(contact: Contact, row: ContactRow, contacts: Contacts) -> None:
    """Tie a new externalCustomerId to a contact that was found otherwise."""
    external_id = row.external_customer_id
    if external_id is not None and contacts.by_external_id(external_id) is None:
        contacts.bind(contact, external_id)


def _set(contact: Contact, number: int, value: str | None) -> None:
    if value is None:
        contact.fields.pop(number, None)
    else:
        contact.fields[number] = value


def _dedupe_value(row: ContactRow, bulk: BulkRow) -> str:
    """What the contact was looked for by."""
    if row.external_customer_id is not None:
        return row.external_customer_id
    if bulk.dedupe_on == "id":
        return str(row.id)
    if bulk.field_id is not None:
        return row.fields.get(bulk.field_id) or ""
    values = (row.values.get(name) for name in _DEDUPED_BY.get(bulk.dedupe_on, ()))
    return next((value for value in values if value is not None), "")
