"""Loyalty webhooks that come in another order than they were written, or from people unknown.

Nobody promises an order (contracts/okendo.md §2, §5.2): a member's newer webhook may overtake an
older one, a transaction its member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo.loyalty_catalog import TIERS
from streams.demo.loyalty_webhooks import EARNING

if TYPE_CHECKING:
    from streams.demo.loyalty_members import Desk, Members
    from streams.demo.loyalty_webhooks import Member

_SOON = 120
_BEHIND = 1_500
"""Seconds: what was written first arrives so much later."""


class LoyaltyLateStories:
    """Each of them is of somebody who is met only here."""

    def __init__(self, desk: Desk, members: Members) -> None:
        self.desk = desk
        self.members = members

    def _enrolled(self, now: int, tier: str | None) -> Member:
        one = self.members.new(listed=False)
        self.desk.enrol(one, now, tier)
        return one

    def old_balance(self, now: int) -> None:
        """An older balance comes after the newer one, and changes nothing."""
        one = self._enrolled(now, None)
        self.desk.member(one, now, "create")
        one.balance = 40
        self.desk.member(one, now + 1, delay=_BEHIND)
        one.balance = 90
        self.desk.member(one, now + _SOON)

    def hidden_enrolment(self, now: int) -> None:
        """Pending, enrolled, Silver: what lies between comes last; the first tier is late news."""
        one = self.members.new(listed=False)
        self.desk.member(one, now, "create")
        self.desk.enrol(one, now + 1, None)
        self.desk.member(one, now + 1, delay=_BEHIND)
        self.desk.rise(one, TIERS[1], self.desk.moment(now + _SOON))
        self.desk.member(one, now + _SOON)

    def hidden_tier(self, now: int) -> None:
        """Bronze, Silver, Gold: first it looks like one rise, then it turns out to be two."""
        one = self._enrolled(now, TIERS[0])
        self.desk.member(one, now, "create")
        self.desk.rise(one, TIERS[1], self.desk.moment(now + 1))
        self.desk.member(one, now + 1, delay=_BEHIND)
        self.desk.rise(one, TIERS[2], self.desk.moment(now + _SOON))
        self.desk.member(one, now + _SOON)

    def backwards(self, now: int) -> None:
        """Everything backwards: the newest first, the oldest last."""
        one = self._enrolled(now, TIERS[2])
        self.desk.member(one, now, "create", delay=2 * _BEHIND)
        self.desk.rise(one, TIERS[1], self.desk.moment(now + 1))
        self.desk.member(one, now + 1, delay=_BEHIND)
        one.status = "blocked"
        self.desk.member(one, now + _SOON)

    def complete_before_pending(self, now: int) -> None:
        """An award is complete before it is known to wait."""
        one = self._enrolled(now, None)
        self.desk.member(one, now, "create")
        award = self.desk.new_transaction(EARNING, one, 60, now + 1, {"action": "place-order"})
        award.status = "pending"
        self.desk.transaction(award, now + 1, delay=_BEHIND)
        award.status = "complete"
        self.desk.transaction(award, now + _SOON, "update")

    def deleted_before_complete(self, now: int) -> None:
        """An award is taken back before it is known at all: late news."""
        one = self._enrolled(now, None)
        self.desk.member(one, now, "create")
        award = self.desk.new_transaction(EARNING, one, 60, now + 1, {"action": "place-order"})
        self.desk.transaction(award, now + 1, delay=_BEHIND)
        self.desk.transaction(award, now + _SOON, "delete")

    def points_first(self, now: int) -> None:
        """An award comes before anything is known of its member but the address."""
        one = self._enrolled(now, TIERS[0])
        one.balance = 50
        self.desk.member(one, now, "create", delay=_BEHIND)
        award = self.desk.new_transaction(EARNING, one, 50, now + 1, {"action": "join-program"})
        self.desk.transaction(award, now + 1)

    def nobody(self, now: int) -> None:
        """A member without an address: no vendor can be told of them."""
        one = self._enrolled(now, TIERS[1])
        one.email = None
        self.desk.member(one, now, "create")
        award = self.desk.new_transaction(EARNING, one, 75, now + 1, {"description": "Welcome"})
        self.desk.transaction(award, now + 1)

    def address_of_a_transaction(self, now: int) -> None:
        """Their own webhooks tell no address, but a transaction does."""
        one = self._enrolled(now, TIERS[0])
        one.email = None
        self.desk.member(one, now, "create")
        one.email = self.members.address()
        award = self.desk.new_transaction(EARNING, one, 30, now + 60, {"action": "leave-review"})
        self.desk.transaction(award, now + 60)
        one.email, one.balance = None, 30
        self.desk.member(one, now + 61)
