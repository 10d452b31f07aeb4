"""Our rows beside what a vendor has of the same people.

What a vendor should have is what the renderer would send, so the two cannot disagree about a page.
Both sides are read at different times: whoever differs is looked at once more, after the row was
read again.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.delivery.profiles import version_of
from streams.errors import BadRecord
from streams.reconcile.comparing import differences
from streams.reconcile.findings import Drift, Findings
from streams.reconcile.reasons import why_there
from streams.reconcile.telling import customer_of, profile_event, profile_part, told_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from streams.families import Family
    from streams.model.delivery import Destination, Options
    from streams.reconcile.asking import Asker
    from streams.reconcile.comparing import Difference, Expected, Found, ReadBack
    from streams.reconcile.reasons import Signs
    from streams.reconcile.rows import Rows

_AT_ONCE: Final = 5_000
"""Customers of one round of questions."""


class Terms(NamedTuple):
    """How rows of one connection are read.

    Attributes:
        family: of the table and its generation.
        destination: renders.
        options: of the connection.
        merchants: whom the connection serves; None: all.
        readback: how the vendor is asked.
        hides: whether something of a customer, created then, was erased.
    """

    family: Family[Any, Any, Any]
    destination: Destination
    options: Options
    merchants: AbstractSet[str] | None
    readback: ReadBack
    hides: Callable[[str, str, int], bool]


class Subject(NamedTuple):
    """A customer who is compared: the row's bytes, its version, and what should be there."""

    value: bytes
    version: int
    expected: Expected


class Suspect(NamedTuple):
    """A customer who differs, and what the vendor has; None: nobody."""

    subject: Subject
    found: Found | None
    differences: tuple[Difference, ...]


class Comparison:
    """One reconciliation with one vendor. For one event loop."""

    def __init__(self, terms: Terms, asker: Asker) -> None:
        self._terms = terms
        self._asker = asker
        self.findings = Findings()
        self.suspects: dict[bytes, Suspect] = {}

    async def look(self, rows: Rows) -> None:
        """Compare these rows; who differs becomes a suspect."""
        left = iter(rows.items())
        while some := dict(islice(left, _AT_ONCE)):
            self.findings.rows += len(some)
            subjects = dict(self._subjects(some, self.findings))
            self.findings.compared += len(subjects)
            self.suspects |= await self._differing(subjects)

    async def look_again(self, newer: Callable[[AbstractSet[bytes]], Mapping[bytes, Any]]) -> None:
        """Look at every suspect once more; `newer`: keys → rows that changed (None: gone)."""
        before = self.suspects
        changed = newer(before.keys())
        again = {key: changed.get(key, each.subject.value) for key, each in before.items()}
        kept = {key: value for key, value in again.items() if value is not None}
        subjects = dict(self._subjects(kept, Findings()))  # they were counted
        self.suspects = await self._differing(subjects)
        self.findings.settled = len(before) - len(self.suspects)

    async def conclude(self, signs: Mapping[bytes, Signs]) -> Findings:
        """Say why each of the suspects differs."""
        taken = await self._taken()
        for key, (subject, found, found_differences) in sorted(self.suspects.items()):
            fields = [each.field for each in found_differences]
            nobody = found is None
            why = why_there(subject.version, fields, signs[key], nobody=nobody, taken=key in taken)
            self.findings.drifts.append(Drift(key, found_differences, why))
        return self.findings

    def _subjects(
        self, rows: Mapping[bytes, bytes], findings: Findings
    ) -> Iterator[tuple[bytes, Subject]]:
        terms = self._terms
        for key, value in rows.items():
            try:
                customer = customer_of(key, value, terms.family)
            except BadRecord:
                findings.unreadable += 1
                continue
            if terms.merchants is not None and customer.merchant not in terms.merchants:
                findings.elsewhere += 1
                continue
            if terms.hides(customer.merchant, customer.customer_id, told_at(customer.row)):
                findings.erased += 1
                continue
            event = profile_event(customer, terms.family)
            part = profile_part(terms.destination, event, terms.options)
            expected = None if part is None else terms.readback.expected(part.request.body)
            if expected is None or not expected.identifiers:
                findings.unaddressed += 1
                continue
            yield key, Subject(value, version_of(event.profile), expected)

    async def _differing(self, subjects: Mapping[bytes, Subject]) -> dict[bytes, Suspect]:
        people = await self._asker.who({key: each.expected for key, each in subjects.items()})
        found = {}
        for key, subject in subjects.items():
            person = people.get(key)
            differ = differences(subject.expected, person)
            if differ:
                found[key] = Suspect(subject, person, differ)
        return found

    async def _taken(self) -> set[bytes]:
        """The suspects of whom somebody else at the vendor has an identifier."""
        asked: dict[str, dict[str, list[bytes]]] = {}
        for key, (subject, _, found_differences) in self.suspects.items():
            for name in {
                each.field for each in found_differences
            } & subject.expected.identifiers.keys():
                value = subject.expected.identifiers[name]
                asked.setdefault(name, {}).setdefault(value, []).append(key)
        taken: set[bytes] = set()
        for name, whose in asked.items():
            for value, owner in (await self._asker.by(name, whose)).items():
                taken |= {key for key in whose[value] if self._is_another(key, owner)}
        return taken

    def _is_another(self, key: bytes, owner: Found) -> bool:
        found = self.suspects[key].found
        return found is not None and found.id != owner.id
