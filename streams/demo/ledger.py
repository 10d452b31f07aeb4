"""The ledger of one connection: what must be delivered through it, and what must come of that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from streams.demo.attentive_bodies import ATTENTIVE
from streams.demo.klaviyo_bodies import KLAVIYO
from streams.demo.ometria_bodies import OMETRIA
from streams.demo.yespo_bodies import YESPO
from streams.model.ids import delivery_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from streams.demo.conclusions import Conclusion, Fact
    from streams.demo.parts import Part, Thing, Vendor
    from streams.demo.truth import Truth

Json = dict[str, Any]


class Anybody(Protocol):
    """Somebody of either source, by its ids, with the version of what may be told of them."""

    merchant: str
    customer: str
    version: int

    @property
    def status(self) -> str | None:
        """What the vendor must hold by the time that an event of theirs comes."""
        ...


class AnyFact(Protocol):
    """A fact of either source."""

    @property
    def id(self) -> str:
        """It is a function of the fact."""
        ...

    @property
    def type(self) -> str:
        """The event type."""
        ...


WhoseT = TypeVar("WhoseT", bound=Anybody)
FactT = TypeVar("FactT", bound=AnyFact)

VENDORS: Mapping[str, Vendor] = {
    "klaviyo": KLAVIYO,
    "attentive": ATTENTIVE,
    "ometria": OMETRIA,
    "yespo": YESPO,
}
"""By name, which is the name of the demo's connection as well."""


@dataclass(frozen=True)
class ExpectedRequest:
    """One call, or one record of a call that carries several, as if it were alone there.

    Its path, its JSON body, and the event type that it tells.

    `status`: what the vendor must hold of the subscriber, or member, when the call comes.
    """

    path: str
    body: Any
    type: str
    status: str | None = None


@dataclass(frozen=True)
class ExpectedPart:
    """What must come of a part of a delivery, known no sooner than `told_at` (epoch ms)."""

    part: Part
    type: str
    told_at: int


@dataclass(frozen=True)
class _Told:
    """A delivery as it was told of: nothing of what came before it is looked at."""

    customer: str
    id: str
    type: str
    at: int
    status: str | None
    parts: list[Part]

    @property
    def thing(self) -> str | None:
        """The thing that its event sets."""
        events = (part.thing for part in self.parts if part.name == "event")
        return next((thing.name for thing in events if thing), None)


class Ledger:
    """Grows with each conclusion.

    A thing that the vendor has already as it is, is not sent again: that is a duplicate. And of two
    deliveries in a row, of one customer and for the same thing, the older may be superseded by the
    newer: if it still waits when the newer comes. That depends on the moment, so the books take
    either for right, and `settle` is told which it was. What was sent last is the newest all the
    same, and nothing else may be missing.

    Args:
        connection: the connection's name, which delivery ids depend on.

    Attributes:
        requests: customer ("merchant:customer") → the calls expected, in order. Between customers
            no order is expected.
        deliveries: deliveries by event type, whatever their outcome.
        parts: (delivery id, part) → what must come of it.
    """

    def __init__(self, connection: str) -> None:
        self.connection = connection
        self.vendor = VENDORS[connection]
        self.requests: dict[str, list[ExpectedRequest]] = {}
        self.deliveries: Counter[str] = Counter()
        self.parts: dict[tuple[str, str], ExpectedPart] = {}
        self._versions: dict[str, int] = {}
        self._told: dict[str, list[_Told]] = {}
        self._things: dict[tuple[str, str], Json] = {}
        """Customer and thing → what it was last set to."""

    @property
    def expected(self) -> int:
        """How many calls, if nothing is superseded that was not settled."""
        return sum(map(len, self.requests.values()))

    @property
    def least(self) -> int:
        """How many calls at least, whatever is superseded."""
        chances = sum(_may_supersede(*pair) for pair in self._pairs())
        return self.expected - 2 * chances

    @property
    def dead_letters(self) -> Counter[str]:
        """Dead letters of the connection by reason."""
        return Counter(
            one.part.outcome for one in self.parts.values() if one.part.outcome == "rejected"
        )

    def record(self, truth: Truth, conclusion: Conclusion, at: int) -> None:
        """What a webhook came to: the facts that the vendor takes, else the changed profile."""
        facts = [fact for fact in conclusion.facts if fact.type in self.vendor.takes]
        if conclusion.profile and not facts:
            facts = [conclusion.profile]
        for fact in facts:
            self.deliver(truth, fact, at)

    def deliver(self, truth: Truth, fact: Fact, at: int) -> None:
        """A fact that the vendor takes, concluded at that stream time."""
        self.tell(truth, fact, at, self.vendor.parts)

    def tell(
        self,
        whose: WhoseT,
        fact: FactT,
        at: int,
        write: Callable[[FactT, WhoseT, str, bool], list[Part]],
    ) -> None:
        """A fact of either source, of which `write` makes the parts, as `Vendor.parts` does."""
        self.deliveries[fact.type] += 1
        key = f"{whose.merchant}:{whose.customer}"
        name = delivery_id(fact.id, fact.type, self.connection)
        known = self._versions.get(key) == whose.version
        parts = write(fact, whose, name, known)
        if any(part.name == "profile" and part.outcome == "delivered" for part in parts):
            self._versions[key] = whose.version
        told = _Told(key, name, fact.type, at, whose.status, parts)
        self._told.setdefault(key, []).append(told)
        self._enter(told, superseded=False)

    def settle(self, superseded: Collection[str]) -> None:
        """Write all anew, with these deliveries superseded, as far as they may be."""
        self.requests.clear()
        self.parts.clear()
        self._things.clear()
        for told, following in self._pairs():
            may_be = _may_supersede(told, following)
            self._enter(told, superseded=may_be and told.id in superseded)

    def _pairs(self) -> Iterator[tuple[_Told, _Told | None]]:
        """Each delivery with its customer's next."""
        for several in self._told.values():
            yield from zip_longest(several, several[1:])

    def _enter(self, told: _Told, *, superseded: bool) -> None:
        for each in told.parts:
            part = each
            if each.thing is not None:
                gone = superseded and each.name == "event"
                part = self._judged(told.customer, each, each.thing, superseded=gone)
            self.parts[told.id, part.name] = ExpectedPart(part, told.type, told.at)
            if part.call:
                one = ExpectedRequest(*part.call, told.type, told.status)
                self.requests.setdefault(told.customer, []).append(one)

    def _judged(self, customer: str, part: Part, thing: Thing, *, superseded: bool) -> Part:
        """A part that sets a thing, beside what was sent of it before."""
        if self._things.get((customer, thing.name)) == thing.content:
            return replace(part, outcome="duplicate", reason="unchanged", call=None)
        if superseded:
            return replace(part, outcome="superseded", call=None)
        self._things[customer, thing.name] = thing.content
        return part


def _may_supersede(told: _Told, following: _Told | None) -> bool:
    """Whether the customer's next delivery sets the same thing anew."""
    return following is not None and told.thing is not None and told.thing == following.thing
