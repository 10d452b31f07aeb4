"""Holds what arrived at a vendor's simulator beside what the bookkeeping expects, one by one.

The end of the demo's flow. Order counts within a customer; between customers none is promised.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.demo.ledger import ExpectedRequest, Ledger
    from streams.demo.parts import Vendor

_SHOWN = 20
_ABSENT = "(absent)"
_PROFILE = "(profile)"
_NOBODY = "nobody that the shop knows"


class Received(NamedTuple):
    """A record that the simulator accepted: a request, or one of those that a request carried.

    Path and parsed JSON body, as it would be with this record alone; `at`: arrival in epoch
    seconds; `held`: of an event, the status that the vendor then had for the subscriber, or member,
    where it says so.
    """

    path: str
    body: Any
    at: float = 0.0
    held: str | None = None


class Difference(NamedTuple):
    """Where expectation and arrival part.

    `kind`: changed, missing, extra, order, repeat (a repeated id with another body), status (the
    vendor held another one when the event came); `where`: the request, and for a changed one the
    JSON path in it.
    """

    kind: str
    customer: str
    where: str
    expected: Any
    got: Any

    @override
    def __str__(self) -> str:
        """Three lines for a person."""
        return (
            f"{self.kind}: customer {self.customer}, {self.where}\n"
            f"    expected {self.expected!r}\n    got      {self.got!r}"
        )


@dataclass
class Report:
    """What the comparison found: `ok` if everything arrived as expected and nothing else did.

    `expected` and `received` count records, `repeats` those that came again with an equal body;
    `differences` lists them all.
    """

    expected: int = 0
    received: int = 0
    repeats: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is no difference."""
        return not self.differences

    @override
    def __str__(self) -> str:
        """A summary, then the first differences."""
        counts = Counter(one.kind for one in self.differences)
        found = ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "none"
        head = (
            f"{self.expected} records expected, {self.received} received"
            f" ({self.repeats} of them repeats); differences: {found}"
        )
        return "\n".join([head, *map(str, self.differences[:_SHOWN])])


def compare(ledger: Ledger, received: Iterable[Received]) -> Report:
    """Everything that arrived at a connection's vendor beside everything expected there.

    An event is known by its id, an order by its own id and status, a profile by whose it is. A
    record may come again after a crash if it is equal; the repeat is counted and takes no part in
    the order. Which records came in one request is not looked at.

    Args:
        ledger: of all bodies fed; settled, where deliveries may have been superseded.
        received: accepted records in order of arrival.
    """
    report = Report(expected=ledger.expected)
    owners = dict(_owners(ledger))
    by_customer: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        report.received += 1
        labels = ledger.vendor.labels(one.body)
        told = (labels.identity, *labels.contacts)
        owner = next((owners[name] for name in told if name in owners), _NOBODY)
        by_customer[owner].append(one)
    for customer in ledger.requests.keys() | by_customer.keys():
        wanted, came = ledger.requests.get(customer, []), by_customer[customer]
        _Customer(customer, ledger.vendor, report).compare(wanted, came)
    report.differences.sort(key=lambda one: (one.customer == _NOBODY, one.customer))
    return report


def _owners(ledger: Ledger) -> Iterator[tuple[str | None, str]]:
    """Event id, e-mail and phone → customer."""
    for customer, requests in ledger.requests.items():
        for one in requests:
            labels = ledger.vendor.labels(one.body)
            yield from ((name, customer) for name in (labels.identity, *labels.contacts) if name)


@dataclass
class _Customer:
    """One customer's records: repeats put aside, then each body, the order, the status."""

    name: str
    vendor: Vendor
    report: Report

    def compare(self, expected: list[ExpectedRequest], received: list[Received]) -> None:
        got = self._without_repeats(expected, received)
        self._bodies(expected, got)
        self._order(expected, got)
        if self.vendor.keeps_status:
            self._statuses(expected, received)

    def _differs(self, kind: str, where: str, expected: Any, got: Any) -> None:
        self.report.differences.append(Difference(kind, self.name, where, expected, got))

    def _identity(self, one: ExpectedRequest | Received) -> str:
        """What a record is known by within its customer."""
        return self.vendor.labels(one.body).identity or _PROFILE

    def _comes_once(self, one: Received) -> bool:
        """Whether what comes under its identity again must be a repeat."""
        labels = self.vendor.labels(one.body)
        return labels.once and labels.identity is not None

    def _without_repeats(
        self, expected: list[ExpectedRequest], received: list[Received]
    ) -> list[Received]:
        got: list[Received] = []
        by_id: dict[str, Received] = {}
        for one in received:
            due = expected[len(got)] if len(got) < len(expected) else None
            name = self._identity(one)
            once = self._comes_once(one)
            earlier = by_id.get(name) if once else self._earlier(one, got, due)
            if earlier is None:
                got.append(one)
                by_id[name] = one
                continue
            self.report.repeats += 1
            for where, was, now in _contrast(earlier, one):
                self._differs("repeat", f"{name} {where}", was, now)
        return got

    def _earlier(
        self, one: Received, got: list[Received], due: ExpectedRequest | None
    ) -> Received | None:
        """The arrival that a profile, or an order, repeats, if it does.

        It may well come anew: it does if it is like an earlier one and not what is `due` now.
        """
        if due is not None and not any(_contrast(due, one)):
            return None
        name = self._identity(one)
        calls = (each for each in got if self._identity(each) == name)
        return next((each for each in calls if not any(_contrast(each, one))), None)

    def _bodies(self, expected: list[ExpectedRequest], got: list[Received]) -> None:
        """Each expected record beside the one that came for it; then what is left over."""
        left: dict[str, list[Received]] = defaultdict(list)
        for arrived in got:
            left[self._identity(arrived)].append(arrived)
        for one in expected:
            name = self._identity(one)
            if not left[name]:
                self._differs("missing", f"{one.type} {name}", one.type, _ABSENT)
                continue
            for where, want, have in _contrast(one, left[name].pop(0)):
                self._differs("changed", f"{one.type} {name} {where}", want, have)
        for name, more in left.items():
            for extra in more:
                self._differs("extra", f"{extra.path} {name}", _ABSENT, extra.body)

    def _order(self, expected: list[ExpectedRequest], got: list[Received]) -> None:
        """Where the order first differs, if the same records came."""
        wanted = [self._identity(one) for one in expected]
        came = [self._identity(one) for one in got]
        if wanted != came and Counter(wanted) == Counter(came):
            place = next(i for i, name in enumerate(wanted) if came[i] != name)
            self._differs("order", f"request {place + 1}", wanted[place], came[place])

    def _statuses(self, expected: list[ExpectedRequest], received: list[Received]) -> None:
        """What the vendor held for the person when an event of theirs came, each time."""
        wanted = {self._identity(one): one for one in expected}
        for one in received:
            due = wanted.get(self._identity(one))
            if due is not None and self._identity(one) != _PROFILE and one.held != due.status:
                where = f"{due.type} {self._identity(one)}"
                self._differs("status", where, due.status, one.held)


def _contrast(one: ExpectedRequest | Received, other: Received) -> Iterator[tuple[str, Any, Any]]:
    """Where two records differ: their paths, and every JSON path of their bodies."""
    if one.path != other.path:
        yield "path", one.path, other.path
    yield from _differing("$", one.body, other.body)


def _differing(path: str, expected: Any, got: Any) -> Iterator[tuple[str, Any, Any]]:
    """JSON path, expected and got, wherever two JSON values differ; 42 and 42.0 are one number."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in sorted(expected.keys() | got.keys()):
            yield from _differing(
                f"{path}.{name}", expected.get(name, _ABSENT), got.get(name, _ABSENT)
            )
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            yield f"{path}.length", len(expected), len(got)
        for place, (one, other) in enumerate(zip(expected, got, strict=False)):
            yield from _differing(f"{path}[{place}]", one, other)
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        yield path, expected, got
