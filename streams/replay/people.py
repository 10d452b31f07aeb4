"""Who is meant: the customers of the tables by e-mail or phone, and members of the same person.

A table is looked through once and nothing of it is kept but who was found, however large it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from streams.families import FAMILIES
from streams.model.ids import is_nobody

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka import Message

    from streams.model.member import Member
    from streams.model.subscriber import Subscriber

__all__ = ["FAMILIES", "Finder", "Person", "reached"]

_TELLING = 6
"""Characters of an id that is nobody else's number."""


class Person(NamedTuple):
    """A customer who is to be erased.

    Attributes:
        source: in whose table they are looked for.
        key: `merchant:customer_id`.
        emails: that the row has, as they stand there …
        phones: … and phone numbers.
        known: whether there is a row that holds anything of them.
    """

    source: str
    key: bytes
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    known: bool = False

    @property
    def needles(self) -> set[bytes]:
        """What bytes that nobody could read are looked through for.

        An id that is short is not: it may be any other number there.
        """
        customer = self.key.partition(b":")[2].lower()
        own = {each.lower().encode() for each in self.emails | self.phones}
        return own | ({b'"%b"' % customer} if len(customer) >= _TELLING else set())


class Finder:
    """Looks a source's changelog through for rows with one of these; give it every record.

    Attributes:
        source: whose table it is.
        found: by key.
        unreadable: rows of another version, which may be anybody's.
    """

    def __init__(
        self,
        source: str,
        *,
        keys: Collection[bytes] = (),
        emails: Collection[str] = (),
        phones: Collection[str] = (),
    ) -> None:
        """Take what to look for; the case of e-mail addresses does not matter."""
        self.source = source
        self._decode = FAMILIES[source].decode
        self._keys = frozenset(keys)
        self._emails = {each.casefold() for each in emails}
        self._phones = frozenset(phones)
        self._needles = [each.encode() for each in (*self._emails, *self._phones)]
        self.found: dict[bytes, Person] = {}
        self.unreadable: set[bytes] = set()

    def note(self, message: Message) -> None:
        """Take a record of the changelog, in order."""
        key, value = message.key() or b"", message.value()
        self.found.pop(key, None)
        self.unreadable.discard(key)
        if value is None or is_nobody(key):
            return
        lower = value.lower()
        if key not in self._keys and not any(each in lower for each in self._needles):
            return
        try:
            emails, phones = reached(self._decode(value))
        except msgspec.DecodeError:
            self.unreadable.add(key)
            return
        same = {each.casefold() for each in emails} & self._emails or phones & self._phones
        if same or key in self._keys:
            known = bool(emails or phones) or not _is_marker(self._decode(value))
            self.found[key] = Person(self.source, key, emails, phones, known)


def reached(row: Subscriber | Member) -> tuple[frozenset[str], frozenset[str]]:
    """The e-mail addresses and phone numbers of a row."""
    return next(each for each in FAMILIES.values() if isinstance(row, each.row)).reached(row)


def _is_marker(row: Subscriber | Member) -> bool:
    return row.erased_at is not None and not row.seen
