"""What a vendor would make of the events that a shop has: how many pass each of its rules.

Asked before going live, of real events: who can be reached there, and how; what would be refused,
and for which field. Renders as the deliver role does; sends nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.model.delivery import Outcome, Part, Refusal
from streams.model.ids import customer_key
from streams.model.masking import masked_email, masked_phone
from streams.model.rules import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.explain import Target
    from streams.model.enriched import EnrichedEvent
    from streams.model.rules import Demand, Identifier

SHOWN = 3
"""Examples of what breaks a rule."""

_MASKS: dict[str, Callable[[str], str]] = {
    "email": masked_email,
    "phone_number": masked_phone,
    "customer_id": masked_phone,
}


class Line(NamedTuple):
    """What came of one rule.

    Attributes:
        of: what it is about: `customers`, or the kind of request.
        rule: its name, with the fields.
        says: what it demands, in words.
        source: the contract's section.
        judged: how many customers or requests it was asked of …
        passed: … and how many passed.
        means: what it means for those that did not.
        examples: some of them, masked.
    """

    of: str
    rule: str
    says: str
    source: str
    judged: int
    passed: int
    means: str
    examples: tuple[str, ...] = ()


class Check:
    """Judges events for one connection, one after the other.

    Attributes:
        target: the connection.
        deliveries: how many events it was asked about.
        outcomes: parts by (name, outcome, reason).
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.deliveries = 0
        self.outcomes: Counter[tuple[str, str, str]] = Counter()
        self._rules = target.destination.rules
        self._usable: dict[bytes, dict[str, bool]] = {}
        self._bad: defaultdict[str, dict[bytes, str]] = defaultdict(dict)
        self._judged: Counter[tuple[str, int]] = Counter()
        self._broken: Counter[tuple[str, int]] = Counter()
        self._fresh: Counter[bool] = Counter()
        self._examples: defaultdict[tuple[str, int], list[str]] = defaultdict(list)

    def see(self, event: EnrichedEvent, now: int) -> None:
        """Judge an event as if it were sent at `now`, epoch milliseconds."""
        self.deliveries += 1
        self._see_customer(event)
        target = self.target
        for part in target.destination.render(event, "check", now, target.options):
            reason = part.reason if isinstance(part, Refusal) else ""
            self.outcomes[part.name, str(part.outcome), reason] += 1
            if isinstance(part, Part):
                if part.name == "event":
                    self._fresh[part.outcome is not Outcome.DELIVERED_NO_TRIGGER] += 1
                self._see_rows(part.request.kind)
            elif part.outcome is Outcome.REJECTED:
                self._see_refusal(part, event)

    def lines(self) -> Iterator[Line]:
        """What came of each rule: identifiers first, then each kind of request, then age."""
        customers = len(self._usable)
        for each in self._identifiers():
            passed = sum(usable[each.of] for usable in self._usable.values())
            yield Line(
                "customers",
                each.of,
                each.says,
                each.source,
                customers,
                passed,
                self._without(each),
                tuple(list(self._bad[each.of].values())[:SHOWN]),
            )
        for rows, demands in self._rules.demands.items():
            for place, demand in enumerate(demands):
                key = rows, place
                if self._judged[key]:
                    yield self._line(rows, demand, key)
        within = self._rules.starts_flows_within
        if within is not None and self._fresh:
            says = f"at most {within / 3_600_000:g} hours old"
            judged, passed = sum(self._fresh.values()), self._fresh[True]
            yield Line("events", "age", says, "", judged, passed, "they are kept and start no flow")

    def _line(self, rows: str, demand: Demand, key: tuple[str, int]) -> Line:
        fields = ", ".join(each for each in demand.fields if each)
        return Line(
            rows,
            f"{demand.reason} ({fields})" if fields else demand.reason,
            demand.says,
            demand.source,
            self._judged[key],
            self._judged[key] - self._broken[key],
            "they become dead letters",
            tuple(self._examples[key]),
        )

    def _identifiers(self) -> list[Identifier]:
        own = self.target.options.client_user_id
        return [each for each in self._rules.identifiers if own or not each.optional]

    def _see_customer(self, event: EnrichedEvent) -> None:
        key = customer_key(event.merchant, event.customer_id)
        values = {
            "email": event.profile.email,
            "phone_number": event.profile.phone_number,
            "customer_id": event.customer_id,
        }
        self._usable[key] = {}
        for each in self._identifiers():
            value = values[each.of]
            good = each.good(value) is not None
            self._usable[key][each.of] = good
            if good or not value:
                self._bad[each.of].pop(key, None)
            else:
                self._bad[each.of][key] = _MASKS[each.of](value)

    def _without(self, identifier: Identifier) -> str:
        """What is left of the customers who lack this one."""
        lacking = [u for u in self._usable.values() if not u[identifier.of]]
        others = [each.of for each in self._identifiers() if each.of != identifier.of]
        nothing = sum(not any(usable[other] for other in others) for usable in lacking)
        names = " or ".join(others) or "nothing"
        parts = [f"{len(lacking) - nothing} go by {names} only"] if len(lacking) > nothing else []
        parts += [f"{nothing} cannot be found at all"] if nothing else []
        return ", ".join(parts)

    def _see_rows(self, rows: str) -> None:
        for place in range(len(self._rules.demands[rows])):
            self._judged[rows, place] += 1

    def _see_refusal(self, refusal: Refusal, event: EnrichedEvent) -> None:
        broken = Broken(refusal.reason, refusal.field)
        for rows, demands in self._rules.demands.items():
            for place, demand in enumerate(demands):
                if demand.concerns(broken) and self._is_kind(rows, refusal):
                    for before in range(place + 1):
                        self._judged[rows, before] += 1
                    self._broken[rows, place] += 1
                    self._exemplify((rows, place), refusal, event)
                    return

    def _is_kind(self, rows: str, refusal: Refusal) -> bool:
        """Whether a part of this name is judged by these rows."""
        return (rows in self._rules.profiles) == (refusal.name == "profile")

    def _exemplify(self, key: tuple[str, int], refusal: Refusal, event: EnrichedEvent) -> None:
        if len(self._examples[key]) < SHOWN:
            who = masked_phone(event.customer_id)
            self._examples[key].append(f"{event.type} of {who}: {refusal.field or refusal.reason}")


def told(line: Line) -> dict[str, Any]:
    """A line as JSON."""
    return line._asdict() | {"rate": line.passed / line.judged if line.judged else None}
