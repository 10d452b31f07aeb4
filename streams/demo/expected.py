"""The demo's bookkeeping: what must arrive at Klaviyo, worked out a second time and independently.

Fed with the same webhook bodies as the program, in the same order, it keeps its own plain truth of
every customer (`truth`), its own conclusions (`conclusions`) and writes its own bodies
(`klaviyo_bodies`). Of the program it shares only the ids (`streams.model.ids`).

It takes for granted what the shop promises: the feed comes more than an hour after anything
happened, so a stale event is always late.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streams.demo.conclusions import PROFILE, TAKEN, conclude
from streams.demo.klaviyo_bodies import request
from streams.demo.reading import Unreadable, read
from streams.demo.truth import Truth
from streams.model.ids import delivery_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.demo.conclusions import Fact
    from streams.demo.reading import Webhook
    from streams.demo.truth import Learned

_DERIVED = {"subscriber.create", "subscriber.cancel", "subscription.reactivate", PROFILE}


@dataclass(frozen=True)
class ExpectedRequest:
    """One call: its path, its JSON body, and the event type that it tells."""

    path: str
    body: dict[str, Any]
    type: str


class Bookkeeping:
    """What is expected so far; grows with each body.

    Args:
        connection: the connection's name, which delivery ids depend on.

    Attributes:
        requests: customer ("merchant:customer") → the calls expected, in order. Between customers
            no order is expected.
        bodies: how many were fed.
        records: how many of them could be read, and so become records of the source topic.
        dead_letters: of bodies, by reason. `broken_records` come on top.
        derived: derived events by type, `profile.changed` as far as it is sent.
        deliveries: deliveries by event type, whatever their outcome.
        outcomes: deliveries by outcome: delivered, delivered_no_trigger (late), rejected.
        rejected: rejected ones by reason; each is a dead letter of the connection as well.
        withheld: events withheld, by reason.
        noticed: records by what was odd about them: repeated_id, repeated_fact, stale, late,
            first_seen_dead, imported.
    """

    def __init__(self, connection: str = "klaviyo") -> None:
        self.connection = connection
        self.requests: dict[str, list[ExpectedRequest]] = {}
        self.bodies = 0
        self.records = 0
        self.dead_letters: Counter[str] = Counter()
        self.derived: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.withheld: Counter[str] = Counter()
        self.noticed: Counter[str] = Counter()
        self._customers: dict[str, Truth] = {}

    def arrive(self, body: bytes) -> None:
        """The next webhook body."""
        self.bodies += 1
        try:
            hook = read(body)
        except Unreadable as unreadable:
            self.dead_letters[unreadable.reason] += 1
            return
        self.records += 1
        key = f"{hook.merchant}:{hook.customer}"
        truth = self._customers.setdefault(key, Truth(hook.merchant, hook.customer))
        again = truth.repeated(hook)
        if again:
            self.noticed[again] += 1
            return
        learned = truth.learn(hook)
        self._notice(hook, learned)
        conclusion = conclude(truth, hook, learned)
        self.withheld.update(conclusion.withheld)
        for fact in conclusion.facts:
            self._tell(key, fact, hook, truth)

    def _notice(self, hook: Webhook, learned: Learned) -> None:
        self.noticed["imported"] += hook.imported
        self.noticed["stale"] += learned.stale
        self.noticed["first_seen_dead"] += learned.first and learned.active_after == 0

    def _tell(self, key: str, fact: Fact, hook: Webhook, truth: Truth) -> None:
        """A fact goes out, if Klaviyo takes its type and the person can be reached there."""
        self.derived.update({fact.type} & _DERIVED)
        if fact.type not in TAKEN | {PROFILE}:
            return
        self.deliveries[fact.type] += 1
        self.noticed["late"] += fact.late
        if not truth.person.keys() & {"email", "phone_number"}:
            self.outcomes["rejected"] += 1
            self.rejected["no_identifier"] += 1
            return
        self.outcomes["delivered_no_trigger" if fact.late else "delivered"] += 1
        unique_id = delivery_id(fact.id, fact.type, self.connection)
        path, body = request(fact, hook, truth, unique_id)
        self.requests.setdefault(key, []).append(ExpectedRequest(path, body, fact.type))


def expected(bodies: Iterable[bytes], connection: str = "klaviyo") -> Bookkeeping:
    """The bookkeeping of all these bodies."""
    book = Bookkeeping(connection)
    for body in bodies:
        book.arrive(body)
    return book
