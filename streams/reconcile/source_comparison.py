"""A reconciliation with Ordergroove's API: all of a merchant page by page, or customer by customer.

Whoever differs is looked at once more alone, after the row was read again; then the API's own
entities are kept, so that a repair can write them to the source.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from streams.errors import BadRecord
from streams.reconcile.at_source import (
    Held,
    Theirs,
    compared,
    held_of,
    person_of,
    theirs_of,
    why_here,
)
from streams.reconcile.findings import Drift, Findings
from streams.reconcile.telling import customer_of, told_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from streams.families import Family
    from streams.ingest.ordergroove_api import Entity, Page
    from streams.model.subscriber import Subscriber
    from streams.reconcile.at_source import Body
    from streams.reconcile.comparing import Difference
    from streams.reconcile.rows import Rows
    from streams.sources.ordergroove.quirks import Reading


class Api(Protocol):
    """Who is asked (`ingest.ordergroove_api.OrdergrooveApi`)."""

    def pages(self, entity: Entity, filters: Mapping[str, str]) -> AsyncIterator[Page]:
        """The pages of a list."""

    async def retrieve(self, entity: Entity, id_: str) -> dict[str, Any] | None:
        """One entity; None where there is none."""


class SourceTerms(NamedTuple):
    """How both sides are read.

    Attributes:
        family: of the table and its generation.
        apis: merchant → who is asked.
        reading: how Ordergroove's values are read.
        hides: whether something of a customer, of then, was erased.
    """

    family: Family[Any, Any, Any]
    apis: Mapping[str, Api]
    reading: Reading
    hides: Callable[[str, str, int], bool]


class Ours(NamedTuple):
    """A customer as we know them; without a row, nothing but who it is."""

    key: bytes
    merchant: str
    customer_id: str
    value: bytes | None = None
    row: Subscriber | None = None


class Suspect(NamedTuple):
    """A customer who differs; `entities`: what the API said of them at the second look."""

    ours: Ours
    theirs: Theirs
    differences: tuple[Difference, ...]
    entities: tuple[tuple[Entity, Body], ...] = ()


_NOBODY = Theirs(None, 0, {})
_AT_ONCE = 100
"""Customers who are asked about at a time; the API's client keeps to its own few."""


class SourceComparison:
    """One reconciliation with Ordergroove. For one event loop."""

    def __init__(self, terms: SourceTerms) -> None:
        self._terms = terms
        self.findings = Findings()
        self.suspects: dict[bytes, Suspect] = {}

    async def look(self, rows: Rows) -> None:
        """Compare these rows, each with what the API has of that customer.

        Raises:
            ApiRefused, ApiAway, ApiUnexpected: as the API's client.
        """
        self.suspects |= await self._asked(self._known(rows), self.findings)

    async def look_at_all(self, tables: Iterable[Rows]) -> None:
        """Compare all rows with all that the API lists; who has no row is found too; raises so."""
        whole = {merchant: await self._whole(merchant) for merchant in self._terms.apis}
        for rows in tables:
            for ours in self._known(rows):
                theirs = whole[ours.merchant].pop(ours.customer_id, _NOBODY)
                self._judge(ours, theirs, (), self.findings, self.suspects)
        for merchant, left in whole.items():
            for id_, theirs in left.items():
                if theirs.subscriptions:
                    ours = Ours(f"{merchant}:{id_}".encode(), merchant, id_)
                    self._judge(ours, theirs, (), self.findings, self.suspects)

    async def look_again(
        self, newer: Callable[[AbstractSet[bytes]], Mapping[bytes, bytes | None]]
    ) -> None:
        """Look at every suspect once more; `newer`: keys → rows that changed (None: gone)."""
        before = self.suspects
        changed = newer(before.keys())
        again = [self._again(each.ours, changed) for each in before.values()]
        self.suspects = await self._asked(again, Findings())  # they were counted
        self.findings.settled = len(before) - len(self.suspects)

    def conclude(
        self, lagging: AbstractSet[bytes], given_up: AbstractSet[bytes | None]
    ) -> Findings:
        """Say why each of the suspects differs."""
        for key, (ours, theirs, differences, _) in sorted(self.suspects.items()):
            why = why_here(
                ours.row, theirs, differences, lags=key in lagging, given_up=key in given_up
            )
            self.findings.drifts.append(Drift(key, differences, why))
        return self.findings

    def _known(self, rows: Rows) -> list[Ours]:
        found = []
        for key, value in rows.items():
            self.findings.rows += 1
            try:
                _, merchant, customer_id, row = customer_of(key, value, self._terms.family)
            except BadRecord:
                self.findings.unreadable += 1
                continue
            if merchant in self._terms.apis:
                found.append(Ours(key, merchant, customer_id, value, row))  # type: ignore[arg-type]
            else:
                self.findings.elsewhere += 1
        return found

    def _again(self, ours: Ours, changed: Mapping[bytes, bytes | None]) -> Ours:
        value = changed.get(ours.key, ours.value)
        row = None if value is None else self._terms.family.decode(value)
        return ours._replace(value=value, row=row)

    async def _asked(self, customers: Iterable[Ours], findings: Findings) -> dict[bytes, Suspect]:
        found: dict[bytes, Suspect] = {}
        left = iter(customers)
        while some := list(islice(left, _AT_ONCE)):
            answers = await asyncio.gather(*(self._ask(each) for each in some))
            for ours, entities in zip(some, answers, strict=True):
                customer = next((body for kind, body in entities if kind == "customers"), None)
                held = [body for kind, body in entities if kind == "subscriptions"]
                try:
                    theirs = theirs_of(customer, held, self._terms.reading)
                except BadRecord:
                    findings.unreadable += 1
                    continue
                self._judge(ours, theirs, entities, findings, found)
        return found

    async def _ask(self, ours: Ours) -> tuple[tuple[Entity, Body], ...]:
        api, id_ = self._terms.apis[ours.merchant], ours.customer_id
        customer = await api.retrieve("customers", id_)
        found: list[tuple[Entity, Body]] = [] if customer is None else [("customers", customer)]
        async for page in api.pages("subscriptions", {"customer": id_}):
            found += [("subscriptions", body) for body in page.results]
        return tuple(found)

    def _judge(
        self,
        ours: Ours,
        theirs: Theirs,
        entities: tuple[tuple[Entity, Body], ...],
        findings: Findings,
        suspects: dict[bytes, Suspect],
    ) -> None:
        at = theirs.newest if ours.row is None else told_at(ours.row)
        if self._terms.hides(ours.merchant, ours.customer_id, at):
            findings.erased += 1
            return
        findings.compared += 1
        theirs = self._since_erased(ours, theirs)
        differences = compared(ours.row, theirs)
        if differences:
            suspects[ours.key] = Suspect(ours, theirs, differences, entities)

    def _since_erased(self, ours: Ours, theirs: Theirs) -> Theirs:
        """What is theirs without what an erase took from our row for good."""
        merchant, customer_id, hides = ours.merchant, ours.customer_id, self._terms.hides
        held = {
            id_: each
            for id_, each in theirs.subscriptions.items()
            if not hides(merchant, customer_id, each.updated)
        }
        hidden = theirs.person is not None and hides(merchant, customer_id, theirs.changed)
        return theirs._replace(person={} if hidden else theirs.person, subscriptions=held)

    async def _whole(self, merchant: str) -> dict[str, Theirs]:
        """All that a merchant has, by customer; an entity that cannot be read is counted."""
        api = self._terms.apis[merchant]
        people: dict[str, tuple[dict[str, str | None], int]] = {}
        held: dict[str, dict[str, Held]] = {}

        async def customers() -> None:
            async for page in api.pages("customers", {}):
                for body in page.results:
                    with self._counted():
                        id_ = str(body["merchant_user_id"])
                        people[id_] = person_of(body, self._terms.reading)

        async def subscriptions() -> None:
            async for page in api.pages("subscriptions", {}):
                for body in page.results:
                    with self._counted():
                        id_, each = held_of(body, self._terms.reading)
                        held.setdefault(str(body["customer"]), {})[id_] = each

        await asyncio.gather(customers(), subscriptions())
        found = {}
        for id_ in people.keys() | held.keys():
            person, changed = people.get(id_, (None, 0))
            found[id_] = Theirs(person, changed, held.get(id_, {}))
        return found

    def _counted(self) -> _Counted:
        return _Counted(self.findings)


class _Counted:
    """Counts an entity of the API that cannot be read."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        if kind is not None and issubclass(kind, (BadRecord, KeyError)):
            self._findings.unreadable += 1
            return True
        return False
