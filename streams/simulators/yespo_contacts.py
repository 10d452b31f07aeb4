"""The contacts of the simulated Yespo account: found, made, bound to external ids.

Contract: contracts/yespo.md §2 (Effects: the first order with an externalCustomerId binds it for
good; a new one is matched by phone or e-mail), §3 (whom an event is about), §4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.simulators.yespo_order_rows import OrderRow
    from streams.simulators.yespo_switches import Switches

__all__ = ["Contact", "Contacts"]

_FIRST_ID = 1_000_001
_CHANNELS = ("email", "sms", "mobilepush", "webpush")


@dataclass(slots=True)
class Contact:
    """One contact.

    `values` has the standard fields by Yespo's names (`firstName`, `email`, `sms`, `town`, …),
    `fields` the custom ones by id; `bound` lists further externalCustomerIds that orders tied to
    it; `changed` counts the account's changes, so that a greater one is later.
    """

    id: int
    source: Literal["orders", "api"]
    external_customer_id: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    fields: dict[int, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)
    changed: int = 0


class Contacts:
    """Everybody in the account, found by id, externalCustomerId or channel."""

    def __init__(self) -> None:
        self._by_id: dict[int, Contact] = {}
        self._by_external_id: dict[str, Contact] = {}
        self._by_channel: dict[tuple[str, str], list[Contact]] = {}
        self._changes = 0

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._by_id.values())

    def by_id(self, number: int) -> Contact | None:
        """The contact with Yespo's own id."""
        return self._by_id.get(number)

    def by_external_id(self, external_id: str | None) -> Contact | None:
        """The contact that an externalCustomerId is tied to."""
        return None if external_id is None else self._by_external_id.get(external_id)

    def by_channel(self, name: str, value: str | None, *, claiming: bool = False) -> Contact | None:
        """The contact with this e-mail address (whatever its case), phone or token.

        Of several it is the one that changed last; `claiming` leaves out those who have an
        externalCustomerId already.
        """
        found = self._by_channel.get(_key(name, value), ()) if value is not None else ()
        free = [each for each in found if not claiming or each.external_customer_id is None]
        return max(free, key=lambda contact: contact.changed, default=None)

    def of_order(self, row: OrderRow, switches: Switches) -> Contact | None:
        """Whose order it is (§2); makes the contact and ties the externalCustomerId as need be."""
        external_id = row.external_customer_id
        contact = self.by_external_id(external_id)
        if contact is not None:
            return contact
        addresses = [("sms", row.phone), ("email", row.email)]
        if switches.match_first == "email":
            addresses.reverse()
        found = (self.by_channel(name, value) for name, value in addresses)
        contact = next((each for each in found if each is not None), None)
        given = {name: value for name, value in addresses if value is not None}
        if contact is None and given and switches.orders_create_contacts:
            names = {name: row.sent.get(name) for name in ("firstName", "lastName")}
            known = {name: value for name, value in names.items() if isinstance(value, str)}
            contact = self.create("orders", None, {**known, **given})
        if contact is not None and external_id is not None:
            self.bind(contact, external_id)
        return contact

    def of_event(self, identities: Mapping[str, str], key: str) -> Contact | None:
        """Whom an event is about: by its parameters in their order (§3), else by its key."""
        for name, value in identities.items():
            contact = self._named(name, value)
            if contact is not None:
                return contact
        named = (self._named(name, key) for name in ("externalCustomerId", "email", "phone"))
        return next((contact for contact in named if contact is not None), None)

    def create(
        self, source: Literal["orders", "api"], external_id: str | None, values: Mapping[str, str]
    ) -> Contact:
        """Make a contact of these standard fields."""
        contact = Contact(_FIRST_ID + len(self._by_id), source)
        self._by_id[contact.id] = contact
        if external_id is not None:
            self.bind(contact, external_id)
        self.update(contact, values)
        return contact

    def bind(self, contact: Contact, external_id: str) -> None:
        """Tie an externalCustomerId that nobody has to a contact: its own, or one more."""
        self._by_external_id[external_id] = contact
        if contact.external_customer_id is None:
            contact.external_customer_id = external_id
        else:
            contact.bound.append(external_id)

    def update(self, contact: Contact, values: Mapping[str, str | None]) -> None:
        """Set standard fields; None takes a value away."""
        self._changes += 1
        contact.changed = self._changes
        for name, value in values.items():
            old = contact.values.pop(name, None)
            if value is not None:
                contact.values[name] = value
            if name in _CHANNELS and old != value:
                self._move(contact, name, old, value)

    def _move(self, contact: Contact, name: str, old: str | None, new: str | None) -> None:
        if old is not None:
            self._by_channel[_key(name, old)].remove(contact)
        if new is not None:
            self._by_channel.setdefault(_key(name, new), []).append(contact)

    def _named(self, name: str, value: str) -> Contact | None:
        if name == "contactId":
            fits = value.isascii() and value.isdecimal() and len(value) < 19  # a 64-bit number
            return self.by_id(int(value)) if fits else None
        if name == "externalCustomerId":
            return self.by_external_id(value)
        channel = {"email": "email", "phone": "sms"}.get(name)
        if channel is not None:
            return self.by_channel(channel, value)
        return self.by_channel("mobilepush", value) or self.by_channel("webpush", value)


def _key(name: str, value: str) -> tuple[str, str]:
    if name == "email":
        return name, value.casefold()
    return name, value.removeprefix("+") if name == "sms" else value
