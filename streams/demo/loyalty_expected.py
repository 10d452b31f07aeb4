"""The demo's bookkeeping of the loyalty programme: what must arrive, worked out independently.

Fed with the webhooks as they are fed to the program, at the times at which Kafka recorded them, it
keeps its own truth of every member (`loyalty_truth`), its own conclusions (`loyalty_conclusions`)
and writes its own bodies (`loyalty_bodies`) into the ledgers of the connections, which hold those
of subscriptions as well.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from streams.demo.loyalty_bodies import WRITE
from streams.demo.loyalty_conclusions import changed, conclude
from streams.demo.loyalty_reading import check_tier, read
from streams.demo.loyalty_truth import Member
from streams.demo.reading import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.demo.ledger import Ledger
    from streams.demo.loyalty_webhooks import Sent


class LoyaltyBookkeeping:
    """What is expected so far; grows with each webhook.

    Args:
        ledgers: by connection; loyalty means something to some of them.

    Attributes:
        webhooks: how many were fed.
        records: how many of them could be read, and so become records of the source topic.
        dead_letters: of webhooks, by reason.
        noticed: what was odd: repeated_id, repeated_fact, stale, late; and facts by type.
    """

    def __init__(self, ledgers: Mapping[str, Ledger]) -> None:
        self._ledgers = {name: one for name, one in ledgers.items() if name in WRITE}
        self.webhooks = 0
        self.records = 0
        self.dead_letters: Counter[str] = Counter()
        self.noticed: Counter[str] = Counter()
        self._members: dict[str, Member] = {}

    def arrive(self, sent: Sent, at: int) -> None:
        """The next webhook.

        Args:
            sent: as it was fed.
            at: the time of its record on the source topic, epoch milliseconds. It must not go back
                within a member; between members it may.
        """
        self.webhooks += 1
        try:
            hook = read(sent)
            self.records += 1
            check_tier(hook)
        except Unreadable as unreadable:
            self.dead_letters[unreadable.reason] += 1
            return
        key = f"{hook.store}:{hook.member}"
        member = self._members.setdefault(key, Member(hook.store, hook.member))
        again = member.repeated(hook)
        if again:
            self.noticed[again] += 1
            return
        learned = member.learn(hook, at)
        facts = conclude(member, hook, learned, at)
        self.noticed["stale"] += learned.stale
        self.noticed["late"] += sum(fact.late for fact in facts)
        self.noticed.update(fact.type for fact in facts)
        if learned.told and not facts:
            facts = [changed(member)]
        for name, ledger in self._ledgers.items():
            for fact in facts:
                ledger.tell(member, fact, at, WRITE[name])
