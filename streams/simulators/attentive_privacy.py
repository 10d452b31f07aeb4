"""Requests to forget somebody at the simulated Attentive: made, carried out, asked about.

Contract: contracts/attentive.md §5 (Delete). What matches an identifier is gone at once, so that a
test need not wait thirty days; the request says so only when it has been asked about often enough
(`Switches.deletion_polls`). Errors have their documented shape here, `{"error": "<text>"}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streams.simulators.attentive_errors import Refused
from streams.simulators.shapes import PhoneCheck, email_fits, phone_fits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.attentive_events import Events
    from streams.simulators.attentive_people import People
    from streams.simulators.attentive_users import Identifiers
    from streams.simulators.shapes import JSON

__all__ = ["PRIVACY", "DeletionRequests", "read_deletion"]

PRIVACY = "/v1/privacy/delete-request"
_NAMES = {"subjectPhone": "phone", "subjectEmail": "email", "clientUserId": "clientUserId"}


@dataclass(slots=True)
class _Deletion:
    """One request; `at` is seconds since 1970, `polls_left` how often it is not processed yet."""

    id: int
    at: float
    found: int
    polls_left: int

    def resource(self) -> JSON:
        """As it is answered: identifiers are masked, so none is shown."""
        return {"id": self.id, "processed": self.polls_left <= 0, "created": _iso(self.at)}


class DeletionRequests:
    """All of the account's requests, by id."""

    def __init__(self) -> None:
        self._known: dict[str, _Deletion] = {}

    def __iter__(self) -> Iterator[JSON]:
        return iter([{**each.resource(), "found": each.found} for each in self._known.values()])

    def make(self, who: Identifiers, people: People, events: Events, at: float, polls: int) -> JSON:
        """Forget everybody who has one of these identifiers."""
        known = people.known(who)
        for person in known:
            people.remove(person)
            events.forget(person.id)
        deletion = _Deletion(1001 + len(self._known), at, len(known), polls)
        self._known[str(deletion.id)] = deletion
        return deletion.resource()

    def ask(self, path: str) -> JSON:
        """How far one is; raises Refused with 404."""
        deletion = self._known.get(path.removeprefix(f"{PRIVACY}/"))
        if deletion is None:
            raise Refused(404, "path", "There is no such request.")
        deletion.polls_left -= 1
        return deletion.resource()


def read_deletion(document: object, check: PhoneCheck) -> Identifiers:
    """Whom a body names; raises Refused with 400."""
    if not isinstance(document, dict):
        raise Refused(400, "/", "Must be an object.")
    for name in document:
        if name not in {*_NAMES, "requestMsg"}:
            raise Refused(400, f"/{name}", "There is no such field.")
    found: Identifiers = {}
    for name, identifier in _NAMES.items():
        value = document.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or not _fits(identifier, value, check):
            raise Refused(400, f"/{name}", "invalid")
        found[identifier] = value
    if not found:
        raise Refused(400, "/", "One of subjectEmail, subjectPhone, clientUserId is needed.")
    return found


def _fits(identifier: str, value: str, check: PhoneCheck) -> bool:
    if identifier == "phone":
        return phone_fits(value, check)
    return email_fits(value) if identifier == "email" else bool(value)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
