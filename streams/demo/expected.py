"""The demo's bookkeeping: what must arrive at each vendor, worked out a second time, independently.

Fed with the same webhook bodies as the program, at the times at which Kafka recorded them, it keeps
its own plain truth of every customer (`truth`), its own conclusions (`conclusions`) and writes its
own bodies (`klaviyo_bodies`, `attentive_bodies`, `ometria_bodies`, `yespo_bodies`). Of the program
it shares only the ids (`streams.model.ids`).
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING

from streams.demo.conclusions import checkouts_over, conclude
from streams.demo.ledger import VENDORS, Ledger
from streams.demo.reading import Unreadable, read
from streams.demo.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.demo.reading import Webhook
    from streams.demo.truth import Learned


class Bookkeeping:
    """What is expected so far; grows with each body.

    Args:
        connections: their names; each is a vendor's.

    Attributes:
        ledgers: what must be delivered, by connection.
        bodies: how many were fed.
        records: how many of them could be read, and so become records of the source topic.
        dead_letters: of bodies, by reason. `broken_records` come on top.
        withheld: events withheld, by reason.
        noticed: what was odd: repeated_id, repeated_fact, stale, late, first_seen_dead, imported;
            and checkouts by how many they list (`checkout of 2`), those told again (`checkout,
            again`), those that ended by themselves and not before a record (`checkout, last`).
    """

    def __init__(self, connections: Iterable[str] = VENDORS) -> None:
        self.ledgers = {name: Ledger(name) for name in connections}
        self.bodies = 0
        self.records = 0
        self.dead_letters: Counter[str] = Counter()
        self.withheld: Counter[str] = Counter()
        self.noticed: Counter[str] = Counter()
        self._customers: dict[str, Truth] = {}

    def arrive(self, body: bytes, at: int) -> None:
        """The next webhook body.

        Args:
            body: as it was fed.
            at: the time of its record on the source topic, epoch milliseconds. It must not go back
                within a customer; between customers it may.
        """
        self.bodies += 1
        try:
            hook = read(body)
        except Unreadable as unreadable:
            self.dead_letters[unreadable.reason] += 1
            return
        self.records += 1
        key = f"{hook.merchant}:{hook.customer}"
        truth = self._customers.setdefault(key, Truth(hook.merchant, hook.customer))
        self._close(truth, at)
        self._learn(truth, hook, at)

    def end(self) -> None:
        """No more bodies: stream time moves on until every checkout is over."""
        for truth in self._customers.values():
            self.noticed["checkout, last"] += self._close(truth, inf)

    def _learn(self, truth: Truth, hook: Webhook, at: int) -> None:
        again = truth.repeated(hook)
        if again:
            self.noticed[again] += 1
            return
        learned = truth.learn(hook)
        self._notice(hook, learned)
        conclusion = conclude(truth, hook, learned, at)
        self.withheld.update(conclusion.withheld)
        self.noticed["late"] += sum(fact.late for fact in conclusion.facts)
        for ledger in self.ledgers.values():
            ledger.record(truth, conclusion, at)

    def _notice(self, hook: Webhook, learned: Learned) -> None:
        self.noticed["imported"] += hook.imported
        self.noticed["stale"] += learned.stale
        self.noticed["first_seen_dead"] += learned.first and learned.active_after == 0

    def _close(self, truth: Truth, at: float) -> int:
        """Tell the checkouts of a customer that are over by then; how many there were."""
        over = list(checkouts_over(truth, at))
        for checkout, fact in over:
            self.noticed["late"] += fact.late
            self.noticed["checkout, again"] += checkout.turn > 0
            self.noticed[f"checkout of {len(fact.several)}"] += 1
            for ledger in self.ledgers.values():
                if fact.type in ledger.vendor.takes:
                    ledger.deliver(truth, fact, checkout.closes)
        return len(over)


def expected(bodies: Iterable[bytes], at: int, gap: int = 0) -> Bookkeeping:
    """The bookkeeping of all these bodies, to the end of their checkouts.

    Args:
        bodies: in order of arrival.
        at: when the first one is recorded, epoch milliseconds.
        gap: milliseconds between one and the next.
    """
    book = Bookkeeping()
    for place, body in enumerate(bodies):
        book.arrive(body, at + place * gap)
    book.end()
    return book
