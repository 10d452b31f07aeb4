"""Holds what arrived at the Klaviyo simulator beside what the bookkeeping expects, one by one.

The end of the demo's flow. Order counts within a customer; between customers none is promised.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.demo.expected import Bookkeeping, ExpectedRequest

_SHOWN = 20
_ABSENT = "(absent)"
_PROFILE = "(profile)"
_NOBODY = "nobody that the shop knows"


class Received(NamedTuple):
    """A request that the simulator accepted: path and parsed JSON body."""

    path: str
    body: Any


class Difference(NamedTuple):
    """Where expectation and arrival part.

    `kind`: changed, missing, extra, order, repeat (a repeated unique_id with another body);
    `where`: the request, and for a changed one the JSON path in it.
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

    `expected` and `received` count requests, `repeats` those that came again with an equal body;
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
            f"{self.expected} requests expected, {self.received} received"
            f" ({self.repeats} of them repeats); differences: {found}"
        )
        return "\n".join([head, *map(str, self.differences[:_SHOWN])])


def compare(book: Bookkeeping, received: Iterable[Received]) -> Report:
    """Everything that arrived beside everything expected.

    An event is known by its unique_id, a profile call by the customer's e-mail or phone. A request
    may come again after a crash if its body is equal; the repeat is counted and takes no part in
    the order.

    Args:
        book: the bookkeeping of all bodies fed.
        received: accepted requests in order of arrival.
    """
    report = Report(expected=sum(map(len, book.requests.values())))
    owners = dict(_owners(book))
    by_customer: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        report.received += 1
        by_customer[_owner(one, owners)].append(one)
    for customer in book.requests.keys() | by_customer.keys():
        _customer(customer, book.requests.get(customer, []), by_customer[customer], report)
    report.differences.sort(key=lambda one: (one.customer == _NOBODY, one.customer))
    return report


def _owners(book: Bookkeeping) -> Iterator[tuple[str, str]]:
    """unique_id, e-mail and phone → customer."""
    for customer, requests in book.requests.items():
        for one in requests:
            attributes = one.body["data"]["attributes"]
            person = attributes
            if "unique_id" in attributes:
                yield attributes["unique_id"], customer
                person = attributes["profile"]["data"]["attributes"]
            for name in ("email", "phone_number"):
                if name in person:
                    yield person[name], customer


def _owner(one: Received, owners: dict[str, str]) -> str:
    attributes = _attributes(one.body)
    told = (str(attributes.get(name)) for name in ("unique_id", "email", "phone_number"))
    return next((owners[name] for name in told if name in owners), _NOBODY)


def _attributes(body: Any) -> dict[str, Any]:
    """The body's attributes; empty where it has none."""
    data = body.get("data") if isinstance(body, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    return attributes if isinstance(attributes, dict) else {}


def _identity(body: Any) -> str:
    """What a request is known by within its customer."""
    return str(_attributes(body).get("unique_id") or _PROFILE)


def _customer(
    customer: str, expected: list[ExpectedRequest], received: list[Received], report: Report
) -> None:
    """One customer's requests: repeats put aside, then each body, then the order."""
    got: list[Received] = []
    by_id: dict[str, Received] = {}
    for one in received:
        due = expected[len(got)] if len(got) < len(expected) else None
        earlier = _earlier(one, by_id, got, due)
        if earlier is None:
            got.append(one)
            by_id[_identity(one.body)] = one
            continue
        report.repeats += 1
        for where, was, now in _contrast(earlier, one):
            label = f"{_identity(one.body)} {where}"
            report.differences.append(Difference("repeat", customer, label, was, now))
    report.differences.extend(_bodies(customer, expected, got))
    report.differences.extend(_order(customer, expected, got))


def _earlier(
    one: Received, by_id: dict[str, Received], got: list[Received], due: ExpectedRequest | None
) -> Received | None:
    """The arrival that this one repeats, if it does.

    An event does by its unique_id. A profile call has no id: it does if it is like an earlier one
    and not the call that is `due` now.
    """
    if _identity(one.body) != _PROFILE:
        return by_id.get(_identity(one.body))
    if due is not None and not any(_contrast(due, one)):
        return None
    calls = (earlier for earlier in got if _identity(earlier.body) == _PROFILE)
    return next((earlier for earlier in calls if not any(_contrast(earlier, one))), None)


def _bodies(
    customer: str, expected: list[ExpectedRequest], got: list[Received]
) -> Iterator[Difference]:
    """Each expected request beside the one that came for it; then what is left over."""
    left: dict[str, list[Received]] = defaultdict(list)
    for arrived in got:
        left[_identity(arrived.body)].append(arrived)
    for one in expected:
        label = f"{one.type} {_identity(one.body)}"
        came = left[_identity(one.body)]
        if not came:
            yield Difference("missing", customer, label, one.type, _ABSENT)
            continue
        for where, want, have in _contrast(one, came.pop(0)):
            yield Difference("changed", customer, f"{label} {where}", want, have)
    for name, more in left.items():
        for extra in more:
            yield Difference("extra", customer, f"{extra.path} {name}", _ABSENT, extra.body)


def _order(
    customer: str, expected: list[ExpectedRequest], got: list[Received]
) -> Iterator[Difference]:
    """Where the order first differs, if the same requests came."""
    wanted = [_identity(one.body) for one in expected]
    came = [_identity(one.body) for one in got]
    if wanted != came and Counter(wanted) == Counter(came):
        place = next(i for i, name in enumerate(wanted) if came[i] != name)
        yield Difference("order", customer, f"request {place + 1}", wanted[place], came[place])


def _contrast(one: ExpectedRequest | Received, other: Received) -> Iterator[tuple[str, Any, Any]]:
    """Where two requests differ: their paths, and every JSON path of their bodies."""
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
