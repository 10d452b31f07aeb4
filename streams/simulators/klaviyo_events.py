"""The events that the simulated Klaviyo account keeps, and those that it lets disappear.

Contract: contracts/klaviyo.md §2 (a 202 is not yet a stored event; the first of a unique_id wins;
values that are ignored; `backfill` fires no flow), §3 (duplicates in bulk requests).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.klaviyo_errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.simulators.klaviyo_event_rows import EventRow
    from streams.simulators.klaviyo_profile_rows import ProfileRow
    from streams.simulators.klaviyo_profiles import Profiles
    from streams.simulators.klaviyo_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Events", "StoredEvent"]

_TEST_DOMAINS = ("@example.com", "@test.com")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that reached its profile.

    `ignored` names the properties that Klaviyo takes as unset (0, null, empty text; pitfall 8);
    `triggers` says whether flows start from it; `time` is in whole seconds since 1970.
    """

    profile_id: str
    metric: str
    unique_id: str | None
    time: int
    properties: JSON
    ignored: tuple[str, ...]
    value: float | None
    value_currency: str | None
    triggers: bool


class Events:
    """All events of the account, in order of processing; they are judged by `switches`."""

    def __init__(self, profiles: Profiles, switches: Switches) -> None:
        self._profiles = profiles
        self.switches = switches
        self._seen: dict[tuple[str, str, str | int], float] = {}
        self._valued: set[str] = set()
        self.stored: list[StoredEvent] = []

    def process(self, row: EventRow, at: float) -> str:
        """Do with an accepted event what is done after the 202; returns its fate."""
        why = row.drop or self._vanishes(row.profile)
        if why is not None:
            return f"dropped:{why}"
        profile = self._profiles.find(row.profile)
        duplicate = profile is not None and self._is_stored(profile.id, row, at)
        if profile is None or not duplicate or self.switches.duplicates_update_profile:
            profile, _ = self._profiles.upsert(row.profile, at)
        if duplicate:
            return "duplicate"
        self._seen[profile.id, row.metric, _dedup_id(row)] = at
        self.stored.append(
            StoredEvent(
                profile_id=profile.id,
                metric=row.metric,
                unique_id=row.unique_id,
                time=row.time,
                properties=row.properties,
                ignored=tuple(name for name, value in row.properties.items() if _ignored(value)),
                value=self._value(row),
                value_currency=row.value_currency,
                triggers=not row.backfill,
            )
        )
        return "accepted"

    def duplicates(self, rows: Sequence[EventRow], at: float) -> list[Problem]:
        """The repeated unique_ids that make a bulk request fail as a whole (§3)."""
        problems = []
        first: set[tuple[str, str, str]] = set()
        for row in rows:
            if row.unique_id is None:
                continue
            profile = self._profiles.find(row.profile)
            identity = row.profile.identity() if profile is None else profile.id
            key = (identity, row.metric, row.unique_id)
            repeated = key in first and self.switches.bulk_duplicates == "refuse"
            if not repeated and self.switches.bulk_repeats == "refuse" and profile is not None:
                repeated = self._is_stored(profile.id, row, at)
            if repeated:
                pointer = f"{row.pointer}/attributes/unique_id"
                problems.append(Problem(pointer, "Repeated for this profile and metric."))
            first.add(key)
        return problems

    def delete_of(self, profile_id: str) -> None:
        """Forget the events of a deleted profile."""
        self.stored = [event for event in self.stored if event.profile_id != profile_id]

    def _vanishes(self, profile: ProfileRow) -> str | None:
        """Why nothing comes of an event for this profile, although it is well formed."""
        email = profile.identifiers.get("email")
        if email is not None and email.casefold().endswith(_TEST_DOMAINS):
            return "test_domain"
        if profile.id is not None and self._profiles.get(profile.id) is None:
            return "unknown_profile"
        refuses = self.switches.conflicting_identifiers == "refuse"
        if (refuses or profile.id is not None) and self._profiles.conflict(profile) is not None:
            return "conflicting_identifiers"
        return None

    def _is_stored(self, profile_id: str, row: EventRow, at: float) -> bool:
        seen = self._seen.get((profile_id, row.metric, _dedup_id(row)))
        kept = self.switches.dedup_seconds
        return seen is not None and (kept is None or at - seen <= kept)

    def _value(self, row: EventRow) -> float | None:
        """Once a metric had a value, events without one count as 0 (§2)."""
        if row.value is not None:
            self._valued.add(row.metric)
            return row.value
        return 0 if row.metric in self._valued else None


def _dedup_id(row: EventRow) -> str | int:
    """Without a unique_id, the second in which it happened (§2)."""
    return row.time if row.unique_id is None else row.unique_id


def _ignored(value: object) -> bool:
    """0, null and "" are taken as unset; false is a value."""
    return value is None or value == "" or (value == 0 and not isinstance(value, bool))
