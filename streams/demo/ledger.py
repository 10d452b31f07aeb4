"""The ledger of one connection: what must be delivered through it, and what must come of that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streams.demo.attentive_bodies import ATTENTIVE
from streams.demo.klaviyo_bodies import KLAVIYO
from streams.model.ids import delivery_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.demo.conclusions import Conclusion, Fact
    from streams.demo.parts import Part, Vendor
    from streams.demo.truth import Truth

VENDORS: Mapping[str, Vendor] = {"klaviyo": KLAVIYO, "attentive": ATTENTIVE}
"""By name, which is the name of the demo's connection as well."""


@dataclass(frozen=True)
class ExpectedRequest:
    """One call: its path, its JSON body, and the event type that it tells.

    `status`: the subscriber status that the vendor must hold by the time that the call comes.
    """

    path: str
    body: dict[str, Any]
    type: str
    status: str | None = None


@dataclass(frozen=True)
class ExpectedPart:
    """What must come of a part of a delivery, known no sooner than `told_at` (epoch ms)."""

    part: Part
    type: str
    told_at: int


class Ledger:
    """Grows with each conclusion.

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

    @property
    def expected(self) -> int:
        """How many calls."""
        return sum(map(len, self.requests.values()))

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
        self.deliveries[fact.type] += 1
        key = f"{truth.merchant}:{truth.customer}"
        name = delivery_id(fact.id, fact.type, self.connection)
        known = self._versions.get(key) == truth.version
        for part in self.vendor.parts(fact, truth, name, known):
            self.parts[name, part.name] = ExpectedPart(part, fact.type, at)
            if part.name == "profile" and part.outcome == "delivered":
                self._versions[key] = truth.version
            if part.call:
                path, body = part.call
                one = ExpectedRequest(path, body, fact.type, truth.status)
                self.requests.setdefault(key, []).append(one)
