"""The profiles that the simulated Klaviyo account keeps: found, created, changed, deleted.

Contract: contracts/klaviyo.md §4 (matching, null clears, absent leaves, patches) and §7 (deletion).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streams.simulators.klaviyo_profile_rows import IDENTIFIERS, ProfileRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.shapes import JSON

__all__ = ["Profile", "Profiles"]

_MATCHED = ("email", "phone_number", "external_id")
"""The identifiers whose disagreement is a conflict (§4: the ones that a profile is matched by)."""


@dataclass(slots=True)
class Profile:
    """One stored profile. `created` and `updated` are seconds since 1970."""

    id: str
    created: float
    updated: float
    identifiers: dict[str, str] = field(default_factory=dict)
    secondary_emails: list[str] = field(default_factory=list)
    fields: JSON = field(default_factory=dict)
    location: JSON = field(default_factory=dict)
    properties: JSON = field(default_factory=dict)


class Profiles:
    """All profiles of the account, found by any of their identifiers."""

    def __init__(self) -> None:
        self._by_id: dict[str, Profile] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self._created = 0

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by_id.values())

    def get(self, profile_id: str) -> Profile | None:
        """The profile with that id of Klaviyo's."""
        return self._by_id.get(profile_id)

    def owner(self, name: str, value: str) -> Profile | None:
        """The profile that has this identifier."""
        owner = self._owners.get((name, value.casefold()))
        return None if owner is None else self._by_id[owner]

    def find(self, row: ProfileRow) -> Profile | None:
        """The profile that a row speaks of: by id, else by the first identifier that is known."""
        if row.id is not None:
            return self.get(row.id)
        for name in IDENTIFIERS:
            value = row.identifiers.get(name)
            if value is not None and (profile := self.owner(name, value)) is not None:
                return profile
        return None

    def conflict(self, row: ProfileRow) -> Profile | None:
        """Another profile than the row's own that owns one of its identifiers."""
        profile = self.find(row)
        for name in _MATCHED:
            value = row.identifiers.get(name)
            other = None if value is None else self.owner(name, value)
            if other is not None and other is not profile:
                return other
        return None

    def upsert(self, row: ProfileRow, at: float, *, clear: bool = True) -> tuple[Profile, bool]:
        """Create or change the row's profile; the flag says that it is new.

        An identifier that belongs to another profile stays there. Without `clear`, nulls change
        nothing (bulk imports, §5).
        """
        profile = self.find(row)
        created = profile is None
        if profile is None:
            self._created += 1
            profile = Profile(id=f"01SIM{self._created:021d}", created=at, updated=at)
            self._by_id[profile.id] = profile
        profile.updated = at
        self._identify(profile, row, clear=clear)
        _change(profile.fields, row.fields, clear=clear)
        if row.location is not None:
            _change(profile.location, row.location, clear=clear)
        elif clear:
            profile.location = {}
        _change(profile.properties, row.properties, clear=clear)
        _patch(profile.properties, row)
        return profile, created

    def delete(self, name: str, value: str) -> list[Profile]:
        """Delete the profiles that have this identifier (`id`, `email`, `phone_number`)."""
        profile = self.get(value) if name == "id" else self.owner(name, value)
        if profile is None:
            return []
        del self._by_id[profile.id]
        self._owners = {key: owner for key, owner in self._owners.items() if owner != profile.id}
        return [profile]

    def _identify(self, profile: Profile, row: ProfileRow, *, clear: bool) -> None:
        secondary = {email.casefold() for email in profile.secondary_emails}
        for name, value in row.identifiers.items():
            old = profile.identifiers.get(name)
            if value is None:
                if clear and old is not None:
                    del profile.identifiers[name]
                    self._release(name, old)
            elif name == "email" and value.casefold() in secondary:
                continue  # it found the profile, and stays secondary
            elif self._claim(profile, name, value):
                profile.identifiers[name] = value
                if old is not None and old.casefold() != value.casefold():
                    self._release(name, old)
        self._change_emails(profile, row)

    def _change_emails(self, profile: Profile, row: ProfileRow) -> None:
        """`patch_identifiers`: more or fewer secondary addresses; never the primary one."""
        primary = profile.identifiers.get("email", "").casefold()
        secondary = {email.casefold(): email for email in profile.secondary_emails}
        for email in row.more_emails:
            if email.casefold() != primary and self._claim(profile, "email", email):
                secondary[email.casefold()] = email
        for email in row.fewer_emails:
            if secondary.pop(email.casefold(), None) is not None:
                self._release("email", email)
        profile.secondary_emails = list(secondary.values())

    def _release(self, name: str, value: str) -> None:
        self._owners.pop((name, value.casefold()), None)

    def _claim(self, profile: Profile, name: str, value: str) -> bool:
        """Make the profile the owner of an identifier; not if somebody else is."""
        return self._owners.setdefault((name, value.casefold()), profile.id) == profile.id


def _change(stored: JSON, given: JSON, *, clear: bool) -> None:
    """Null clears, absent leaves (§4)."""
    for name, value in given.items():
        if value is not None:
            stored[name] = value
        elif clear:
            stored.pop(name, None)


def _patch(properties: JSON, row: ProfileRow) -> None:
    """`patch_properties`: a property that is no list becomes one when something is appended."""
    for name, value in row.append.items():
        old = properties.get(name, [])
        properties[name] = [*_listed(old), *_listed(value)]
    for name, value in row.unappend.items():
        if name in properties:
            gone = _listed(value)
            properties[name] = [each for each in _listed(properties[name]) if each not in gone]
    for name in row.unset:
        properties.pop(name, None)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
