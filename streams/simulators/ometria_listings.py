"""The contacts, orders and products that the simulated Ometria account keeps.

Contract: contracts/ometria.md §4 (`id` is unique within its collection; what `@merge` does, and
what becomes of blanks without it), pitfall 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from streams.simulators.ometria_records import ListingRow
    from streams.simulators.ometria_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Listing", "Listings", "Update"]

_Key = tuple[str, str, str]
_Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Update:
    """One record that a listing was made or changed by: `sequence` and `row` say where it came.

    `fields` is what was sent; `wiped` names what had a value before and has none since.
    """

    sequence: int
    row: int
    received_at: datetime
    merge: bool
    fields: JSON
    wiped: tuple[str, ...]


@dataclass(slots=True)
class Listing:
    """A contact, order or product as it stands now, and how it came to that."""

    type: str
    collection: str
    id: str
    fields: JSON = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)


class Listings:
    """All listings, by type, collection and id."""

    def __init__(self) -> None:
        self._known: dict[_Key, Listing] = {}
        self._contacts: dict[_Identity, dict[_Key, Listing]] = {}

    def __iter__(self) -> Iterator[Listing]:
        return iter(self._known.values())

    def upsert(
        self, row: ListingRow, place: tuple[int, int], at: datetime, switches: Switches
    ) -> Listing:
        """Make or change a listing; `place` is the request's sequence and the row in it."""
        key = (row.type, row.collection, row.id)
        listing = self._known.setdefault(key, Listing(*key))
        before = listing.fields
        for identity in _identities(listing):
            del self._contacts[identity][key]
        listing.fields = _combined(before, row, switches)
        for identity in _identities(listing):
            self._contacts.setdefault(identity, {})[key] = listing
        filled = set(_filled(listing.fields))
        wiped = tuple(name for name in _filled(before) if name not in filled)
        listing.updates.append(Update(*place, at, row.merge, row.fields, wiped))
        return listing

    def contacts_of(self, identity: Mapping[str, str]) -> list[Listing]:
        """The contacts that an event's identity speaks of, by customer id and by e-mail address."""
        wanted = {
            "customer_id": identity.get("identity_account_id", ""),
            "email": identity.get("identity_email", "").casefold(),
        }
        found: dict[_Key, Listing] = {}
        for each in wanted.items():
            found |= self._contacts.get(each, {})
        return list(found.values())


def _identities(listing: Listing) -> Iterator[_Identity]:
    """What a contact can be found by; the case of e-mail does not matter."""
    if listing.type == "contact":
        for name in ("customer_id", "email"):
            value = listing.fields.get(name)
            if isinstance(value, str) and value:
                yield name, value.casefold() if name == "email" else value


def _combined(before: JSON, row: ListingRow, switches: Switches) -> JSON:
    if row.merge:
        merged = {**before, **row.fields}
        if switches.properties_merge == "deep" and "properties" in row.fields:
            merged["properties"] = _deep(before.get("properties"), row.fields["properties"])
        return merged
    if switches.without_merge == "keep":
        return {**before, **{name: row.fields[name] for name in _filled(row.fields)}}
    return dict(row.fields)


def _deep(before: object, sent: object) -> object:
    if not isinstance(before, dict) or not isinstance(sent, dict):
        return sent
    merged = {name: _deep(before.get(name), value) for name, value in sent.items()}
    return {**before, **merged}


def _filled(fields: JSON) -> list[str]:
    """The names that have a value."""
    return [name for name, value in fields.items() if value is not None and value != ""]
