"""The custom events that the simulated Ometria account keeps, and the campaigns that they start.

Contract: contracts/ometria.md §3 (upsert by id; an unknown event type shows nowhere; older than 4
hours: stored, no campaign; a future one starts its campaign at that time). A campaign is taken to
exist for every event type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from streams.simulators.ometria_listings import Listings
    from streams.simulators.ometria_records import EventRow
    from streams.simulators.ometria_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Arrival", "Campaign", "CustomEvent", "Events", "Silence"]

Silence = Literal["unknown_event_type", "unknown_contact", "too_old", "duplicate"]
"""Why an event starts no campaign."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One time that an event came: the request's sequence, the row in it, and what came of it.

    `silent` is None where a campaign was started.
    """

    sequence: int
    row: int
    received_at: datetime
    silent: Silence | None


@dataclass(slots=True)
class CustomEvent:
    """An event as it came last.

    `triggered` says whether it ever started a campaign; `contacts` are the listings that it was
    tied to when it was processed, as `collection/id`.
    """

    id: str
    event_type: str
    timestamp: datetime
    identity: dict[str, str]
    properties: JSON
    contacts: tuple[str, ...]
    triggered: bool = False
    arrivals: list[Arrival] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that an event started, with what its messages can show.

    `starts_at` is the time of the event where that lies ahead, else that of its arrival.
    """

    sequence: int
    row: int
    id: str
    event_type: str
    identity: dict[str, str]
    properties: JSON
    starts_at: datetime


class Events:
    """All custom events by id, and all campaigns in the order in which they were started."""

    def __init__(self) -> None:
        self._known: dict[str, CustomEvent] = {}
        self.campaigns: list[Campaign] = []

    @property
    def stored(self) -> list[CustomEvent]:
        """The events, the first that came first."""
        return list(self._known.values())

    def upsert(
        self,
        row: EventRow,
        place: tuple[int, int],
        at: datetime,
        listings: Listings,
        switches: Switches,
    ) -> Silence | None:
        """Store an event that came at `at`, and start a campaign unless something is against it."""
        contacts = tuple(
            f"{each.collection}/{each.id}" for each in listings.contacts_of(row.identity)
        )
        known = self._known.get(row.id)
        event = CustomEvent(
            row.id,
            row.event_type,
            row.timestamp,
            row.identity,
            row.properties,
            contacts,
            triggered=known is not None and known.triggered,
            arrivals=[] if known is None else known.arrivals,
        )
        silent = _silence(event, at, switches)
        event.arrivals.append(Arrival(*place, at, silent))
        if silent is None:
            event.triggered = True
            starts_at = max(row.timestamp, at)
            self.campaigns.append(
                Campaign(*place, row.id, row.event_type, row.identity, row.properties, starts_at)
            )
        self._known[row.id] = event
        return silent


def _silence(event: CustomEvent, at: datetime, switches: Switches) -> Silence | None:
    types = switches.event_types
    if types is not None and event.event_type not in types:
        return "unknown_event_type"
    if switches.unknown_contact == "silent" and not event.contacts:
        return "unknown_contact"
    if (at - event.timestamp) / timedelta(hours=1) > switches.fresh_hours:
        return "too_old"
    if switches.repeated_event == "silent" and event.triggered:
        return "duplicate"
    return None
