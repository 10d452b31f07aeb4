"""The events that the simulated Yespo account keeps: of orders, of requests and of new contacts.

Contract: contracts/yespo.md §2 (Effects), §3, §4 (`eventKeyForNewContacts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.yespo_contacts import Contacts
    from streams.simulators.yespo_event_rows import EventRow
    from streams.simulators.yespo_switches import Switches

__all__ = ["Events", "StoredEvent"]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event, and with which request it came.

    `matched` says whether the account knows whom it is about; `starts`, whether workflows start
    from it.
    """

    sequence: int
    at: datetime
    origin: Literal["account", "request"]
    type: str
    key: str
    contact_id: int | None
    matched: bool
    starts: bool
    params: Mapping[str, object]


class Events:
    """All events of the account, in order of arrival, and the types that they made."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._seen: set[tuple[str, str]] = set()
        self.stored: list[StoredEvent] = []
        self.types: dict[str, None] = {}

    def raise_one(
        self, event_type: str, key: str, params: Mapping[str, object], sequence: int, at: float
    ) -> None:
        """Keep an event that Yespo itself makes; `contactId` says whom it is about, if anybody."""
        number = params.get("contactId")
        contact_id = number if isinstance(number, int) else None
        matched = contact_id is not None
        self.types.setdefault(event_type)
        self.stored.append(
            StoredEvent(
                sequence=sequence,
                at=datetime.fromtimestamp(at, UTC),
                origin="account",
                type=event_type,
                key=key,
                contact_id=contact_id,
                matched=matched,
                starts=matched,
                params=params,
            )
        )

    def keep(
        self, row: EventRow, sequence: int, at: float, switches: Switches, *, past: bool = False
    ) -> str:
        """Keep an event of a request; returns its fate. One of the past starts no workflow."""
        contact = self._contacts.of_event(row.identities, row.key)
        repeated = switches.event_dedup and (row.type, row.key) in self._seen
        alone = contact is None and switches.unmatched_events == "silent"
        self._seen.add((row.type, row.key))
        self.types.setdefault(row.type)
        self.stored.append(
            StoredEvent(
                sequence=sequence,
                at=datetime.fromtimestamp(at, UTC),
                origin="request",
                type=row.type,
                key=row.key,
                contact_id=None if contact is None else contact.id,
                matched=contact is not None,
                starts=not repeated and not alone and not past,
                params=row.params,
            )
        )
        if repeated:
            return "duplicate"
        return "silent:unmatched" if alone else "accepted"
