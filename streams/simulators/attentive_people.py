"""The people that the simulated Attentive account knows: found, named, joined, with attributes.

Contract: contracts/attentive.md §2 (one of phone, e-mail or external id is enough; an external id
must first be tied to one of the others), §5 (repeated identifiers may merge different people).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streams.simulators.attentive_users import ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from streams.simulators.attentive_switches import Linking
    from streams.simulators.attentive_users import Identifiers

__all__ = ["Change", "People", "Person", "can_be_found"]


@dataclass(frozen=True, slots=True)
class Change:
    """One value of an attribute, and with which request it came; None took it away."""

    sequence: int
    at: datetime
    name: str
    value: object


@dataclass(slots=True)
class Person:
    """One person.

    `identifiers` has the values of each, the newest last; `attributes` what holds now, `changes`
    how it came to that, in order of arrival; `absorbed` names those who turned out to be the same.
    """

    id: str
    identifiers: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, object] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    absorbed: list[str] = field(default_factory=list)

    def change(self, change: Change) -> None:
        """Set an attribute, or take it away."""
        self.changes.append(change)
        if change.value is None:
            self.attributes.pop(change.name, None)
        else:
            self.attributes[change.name] = change.value


class People:
    """Everybody in the account, found by any identifier; the case of e-mail does not matter."""

    def __init__(self) -> None:
        self._by_id: dict[str, Person] = {}
        self._owners: dict[tuple[str, str], Person] = {}
        self._created = 0

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_id.values())

    def known(self, user: Identifiers) -> list[Person]:
        """Those who are known by one of the identifiers, in the order of these."""
        owners = (self._owners.get(_key(name, value)) for name, value in user.items())
        return list({person.id: person for person in owners if person is not None}.values())

    def claim(self, user: Identifiers, linking: Linking) -> tuple[Person, tuple[str, ...]]:
        """The person that a request speaks of, created if need be, now with these identifiers.

        Where they are known for different people, the first identifier decides, or the people
        become one (`linking`). Also names the identifiers that stayed with somebody else.
        """
        known = self.known(user)
        person = known[0] if known else self._create()
        if linking == "merge":
            for other in known[1:]:
                self._absorb(person, other)
        conflicts = []
        for name, value in user.items():
            owner = self._owners.get(_key(name, value))
            if owner is None and (linking != "none" or not known):
                self._owners[_key(name, value)] = person
                person.identifiers.setdefault(name, []).append(value)
            elif owner is not None and owner is not person:
                conflicts.append(name)
        return person, tuple(conflicts)

    def remove(self, person: Person) -> None:
        """Know nothing of somebody any more: neither what they are called nor what they have."""
        self._by_id.pop(person.id, None)
        for key in [key for key, owner in self._owners.items() if owner is person]:
            del self._owners[key]

    def _create(self) -> Person:
        self._created += 1
        person = Person(f"person-{self._created}")
        self._by_id[person.id] = person
        return person

    def _absorb(self, person: Person, other: Person) -> None:
        """Make one of two: of each attribute the newest value holds."""
        del self._by_id[other.id]
        person.absorbed += [other.id, *other.absorbed]
        for name, values in other.identifiers.items():
            person.identifiers.setdefault(name, []).extend(values)
            for value in values:
                self._owners[_key(name, value)] = person
        changes = sorted(person.changes + other.changes, key=lambda change: change.sequence)
        person.changes, person.attributes = [], {}
        for change in changes:
            person.change(change)


def can_be_found(user: Mapping[str, str], known: list[Person]) -> bool:
    """Whether a request can be about anybody: external ids alone must be known already."""
    return bool(known) or any(name in user for name in ADDRESSES)


def _key(name: str, value: str) -> tuple[str, str]:
    return name, value.casefold() if name == "email" else value
