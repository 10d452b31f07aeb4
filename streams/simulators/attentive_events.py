"""The events that the simulated Attentive account keeps, and which of them start journeys.

Contract: contracts/attentive.md §2 (older than 12 hours: stored, no journey; a type belongs to the
app that first created it; at most 200 keys a type; deduplication unproven). A journey is taken to
exist for every event type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from streams.simulators.attentive_errors import Refused
from streams.simulators.attentive_rows import paths_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.simulators.attentive_people import Person
    from streams.simulators.attentive_rows import EventRow
    from streams.simulators.attentive_switches import Switches
    from streams.simulators.vendor import Request

__all__ = ["EventType", "Events", "Silence", "StoredEvent"]

Silence = Literal["duplicate", "other_app", "late"]
"""Why an event starts no journey."""

_KEYS = 200


@dataclass(slots=True)
class EventType:
    """An event type: the app that created it, and the names of its properties in order of arrival.

    Names count at any depth (`product.sku`), the stricter reading; those beyond 200 cannot be used.
    """

    name: str
    app: str
    keys: dict[str, None] = field(default_factory=dict)
    unusable: dict[str, None] = field(default_factory=dict)

    def learn(self, row: EventRow, switches: Switches) -> tuple[str, ...]:
        """Note an event's keys; returns those that are of no use."""
        found = dict.fromkeys(paths_of(row.properties))
        if switches.keys_counted == "in_event":
            surplus = tuple(found)[_KEYS:]
            self.keys |= dict.fromkeys(key for key in found if key not in surplus)
            self.unusable |= dict.fromkeys(surplus)
            return surplus
        for key in found:
            if key not in self.keys:
                (self.keys if len(self.keys) < _KEYS else self.unusable)[key] = None
        return tuple(key for key in found if key in self.unusable)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An accepted event.

    `sequence` is that of its request; `attributes` are those of the person when it came, which is
    what a journey's message would show. `copy` says how many accepted events had the same
    `externalEventId` before; `silent` why no journey starts, None where one does. `unusable` are
    keys beyond the type's 200, `ignored` unknown fields, `conflicts` identifiers of somebody else.
    """

    sequence: int
    received_at: datetime
    app: str
    person: str
    type: str
    external_event_id: str | None
    occurred_at: datetime
    properties: Mapping[str, object]
    attributes: Mapping[str, object]
    copy: int
    silent: Silence | None
    unusable: tuple[str, ...]
    ignored: tuple[str, ...]
    conflicts: tuple[str, ...]


class Events:
    """All accepted events, in order of arrival, and their types."""

    def __init__(self) -> None:
        self._types: dict[str, EventType] = {}
        self._seen: dict[tuple[str, str], tuple[int, float]] = {}
        self.stored: list[StoredEvent] = []

    @property
    def types(self) -> Iterator[EventType]:
        """The event types, the first created first."""
        return iter(self._types.values())

    def check(self, row: EventRow, app: str, switches: Switches) -> None:
        """Raises Refused with 403 where another app's type is not taken at all."""
        if switches.other_app == "refuse" and self._belongs_to_another(row.type, app):
            raise Refused(403, "/type", "The type belongs to another app.")

    def keep(
        self,
        row: EventRow,
        request: Request,
        app: str,
        owner: tuple[Person, tuple[str, ...]],
        switches: Switches,
    ) -> StoredEvent:
        """Store an event of a person (given with the conflicting identifiers)."""
        person, conflicts = owner
        copy, repeated = self._count(row, person, request.at, switches)
        if repeated and switches.dedup_reply == "conflict":
            raise Refused(409, "/externalEventId", "There is such an event.")
        silent = "duplicate" if repeated else self._silence(row, request, app, switches)
        event_type = self._types.setdefault(row.type, EventType(row.type, app))
        stored = StoredEvent(
            sequence=request.sequence,
            received_at=datetime.fromtimestamp(request.at, UTC),
            app=app,
            person=person.id,
            type=row.type,
            external_event_id=row.external_event_id,
            occurred_at=row.occurred_at,
            properties=row.properties,
            attributes=dict(person.attributes),
            copy=copy,
            silent=silent,
            unusable=event_type.learn(row, switches),
            ignored=row.ignored,
            conflicts=conflicts,
        )
        self.stored.append(stored)
        return stored

    def forget(self, person: str) -> None:
        """Keep no event of a person."""
        self.stored = [each for each in self.stored if each.person != person]

    def journeys(self) -> Iterator[dict[str, object]]:
        """The journeys that were started, each by its event."""
        for event in self.stored:
            if event.silent is None:
                yield {
                    "sequence": event.sequence,
                    "person": event.person,
                    "type": event.type,
                    "external_event_id": event.external_event_id,
                }

    def _count(
        self, row: EventRow, person: Person, at: float, switches: Switches
    ) -> tuple[int, bool]:
        """How many had this id before, and whether this one is therefore a duplicate."""
        if row.external_event_id is None:
            return 0, False
        scope = {"account": "", "type": row.type, "person": person.id}[switches.dedup_scope]
        key = (scope, row.external_event_id)
        before, first = self._seen.get(key, (0, at))
        kept = switches.dedup_seconds
        repeated = before > 0 and switches.dedup and (kept is None or at - first <= kept)
        self._seen[key] = (before + 1, first if repeated else at)
        return before, repeated

    def _silence(
        self, row: EventRow, request: Request, app: str, switches: Switches
    ) -> Silence | None:
        if self._belongs_to_another(row.type, app):
            return "other_app"
        age = datetime.fromtimestamp(request.at, UTC) - row.occurred_at
        return "late" if age > timedelta(hours=switches.fresh_hours) else None

    def _belongs_to_another(self, event_type: str, app: str) -> bool:
        known = self._types.get(event_type)
        return known is not None and known.app != app
