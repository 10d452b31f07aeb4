"""What happens in a day of the loyalty programme: joining, earning, spending, rising, leaving.

Each story begins with somebody and may go on later in the day. Webhooks that overtake each other
are in `loyalty_late_stories`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo.loyalty_catalog import ACTIONS, CORRECTIONS, REWARDS, TIERS
from streams.demo.loyalty_members import DAY, other_tier
from streams.demo.loyalty_webhooks import ADJUSTMENT, EARNING, REDEMPTION

if TYPE_CHECKING:
    from streams.demo.loyalty_members import Desk, Members
    from streams.demo.loyalty_webhooks import Json, Member, Transaction

_HOUR = 3_600


class LoyaltyStories:
    """The ordinary day."""

    def __init__(self, desk: Desk, members: Members) -> None:
        self.desk = desk
        self.members = members
        self._rng = desk.rng
        self._turns: dict[str, int] = {}

    def _turn(self, what: str, of: int) -> int:
        """0, 1, … below `of`, in turn."""
        place = self._turns.get(what, 0)
        self._turns[what] = place + 1
        return place % of

    def join(self, now: int) -> None:
        """Known by a first order; most opt in within the hour, and some of them with a tier."""
        one = self.members.new()
        self.desk.member(one, now, "create")
        if self._rng.random() < 0.75:
            self.desk.later(
                now + self._rng.randint(60, _HOUR), lambda then: self._opt_in(one, then)
            )

    def _opt_in(self, one: Member, now: int) -> None:
        if one.status == "pending":
            self.desk.enrol(one, now, TIERS[0] if self._turn("opt in", 2) else None)
            self.desk.member(one, now)

    def sign_up(self, now: int) -> None:
        """Joins and opts in at once."""
        one = self.members.new()
        self.desk.enrol(one, now, TIERS[self._turn("sign up", 2)])
        self.desk.member(one, now, "create")

    def move_in(self, now: int) -> None:
        """First heard of today, enrolled in a tier for months; the dates are whole days."""
        one = self.members.new()
        midnight = now // DAY * DAY
        self.desk.enrol(one, midnight - 200 * DAY, None)
        one.enrolled = (midnight - 200 * DAY) * 1_000
        self.desk.rise(one, self._rng.choice(TIERS), (midnight - 90 * DAY) * 1_000)
        one.balance = 1_240.5
        self.desk.member(one, now, "update")

    def earn(self, now: int) -> None:
        """Points, at once; the member's own webhook may come first."""
        one = self.members.pick("enrolled", "pending")
        if one:
            self._book(self._award(one, now), now, self._rng.choice((-1, 1, 2)))

    def _award(self, one: Member, now: int) -> Transaction:
        action, text, points = ACTIONS[self._turn("earn", len(ACTIONS))]
        number = self._rng.randint(70_000, 79_999)
        beside = {"action": action, "description": text and text.format(number=number)}
        told = {name: value for name, value in beside.items() if value or self._rng.random() < 0.5}
        return self.desk.new_transaction(EARNING, one, points, now, told)

    def _book(self, what: Transaction, now: int, gap: int) -> None:
        """A transaction and the member's balance; which of the two is told first, by the gap."""
        one = what.member
        one.balance += what.amount
        if gap > 0:
            self.desk.transaction(what, now)
        self.desk.member(one, now + abs(gap))
        if gap < 0:
            self.desk.transaction(what, now + 2)

    def earn_later(self, now: int) -> None:
        """Points that wait, and are theirs some hours later, or never: they are taken back."""
        one = self.members.pick("enrolled", "pending")
        if not one:
            return
        award = self._award(one, now)
        award.status = "pending"
        self.desk.transaction(award, now)
        never = self._turn("earn later", 3) == 2

        def settle(then: int) -> None:
            if never:
                self.desk.transaction(award, then, "delete")
                return
            award.status = "complete"
            one.balance += award.amount
            self.desk.transaction(award, then, "update")
            self.desk.member(one, then + 1)

        self.desk.later(now + self._rng.randint(1, 3) * _HOUR, settle)

    def refund(self, now: int) -> None:
        """Points for an order that is sent back: fewer of them, then none."""
        one = self.members.pick("enrolled")
        if not one:
            return
        award = self._award(one, now)
        self._book(award, now, 1)

        def less(then: int) -> None:
            one.balance -= award.amount
            award.amount /= 2
            one.balance += award.amount
            self.desk.transaction(award, then, "update")
            self.desk.member(one, then + 1)

        def none(then: int) -> None:
            one.balance -= award.amount
            self.desk.transaction(award, then, "delete")
            self.desk.member(one, then + 1)

        self.desk.later(now + _HOUR, less)
        self.desk.later(now + 2 * _HOUR, none)

    def redeem(self, now: int) -> None:
        """Points spent on a coupon, or on store credit; the sign of the points is not agreed on."""
        reward = REWARDS[self._turn("redeem", len(REWARDS))]
        one = self.members.pick("enrolled", least=reward.points)
        if not one:
            return
        beside: Json = {"description": reward.description, "storeCreditAmount": reward.credit}
        if reward.coupon:
            code = f"OKE-{self._rng.getrandbits(32):08X}"
            ends = {"dateExpires": "2027-12-31T23:59:59.000Z"} if self._rng.random() < 0.7 else {}
            beside["coupon"] = {"code": code, "description": reward.coupon, **ends}
        sign = self._rng.choice((-1, -1, 1))
        spent = self.desk.new_transaction(REDEMPTION, one, sign * reward.points, now, beside)
        one.balance -= reward.points
        self.desk.transaction(spent, now)
        self.desk.member(one, now + 1)

    def adjust(self, now: int) -> None:
        """The merchant gives or takes by hand."""
        one = self.members.pick("enrolled", "pending")
        if one:
            text, points = CORRECTIONS[self._turn("adjust", len(CORRECTIONS))]
            beside = {"internalReason": "Ticket 4711", "notificationText": text}
            what = self.desk.new_transaction(ADJUSTMENT, one, points, now, beside)
            self._book(what, now, self._rng.choice((-1, 1)))

    def change_tier(self, now: int) -> None:
        """Up, down, up by two, out of the lowest."""
        one = self.members.pick("enrolled")
        if one:
            tier = other_tier(one.tier, (1, 1, -1, 2, -4)[self._turn("tier", 5)])
            if tier != one.tier:
                self.desk.rise(one, tier, self.desk.moment(now))
                self.desk.member(one, now)

    def change_tier_of_a_day(self, now: int) -> None:
        """A tier that is theirs since a day some days ago, which is told only now."""
        one = self.members.pick("enrolled")
        if one:
            tier = other_tier(one.tier, 1)
            if tier != one.tier:
                self.desk.rise(one, tier, (now // DAY - 3) * DAY * 1_000)
                self.desk.member(one, now)

    def block(self, now: int) -> None:
        """Barred; some are let in again, enrolled as before, and some of them in another tier."""
        one = self.members.pick("enrolled")
        if not one:
            return
        one.status, one.changes = "blocked", one.changes + 2
        self.desk.member(one, now)
        fate = self._turn("block", 3)

        def again(then: int) -> None:
            one.status = "enrolled"
            if fate == 2:
                self.desk.rise(one, other_tier(one.tier, 1), self.desk.moment(then))
            self.desk.member(one, then)

        if fate:
            self.desk.later(now + _HOUR, again)

    def leave(self, now: int) -> None:
        """Opts out; half of them think better of it."""
        one = self.members.pick("enrolled")
        if not one:
            return
        one.status, one.changes = "pending", one.changes + 1
        self.desk.member(one, now)
        if self._turn("leave", 2):
            self.desk.later(now + 2 * _HOUR, lambda then: self._opt_in(one, then))

    def forget(self, now: int) -> None:
        """A member who is deleted the same day; half of them had a tier."""
        one = self.members.new(listed=False)
        if self._turn("forget", 2):
            self.desk.enrol(one, now, TIERS[1])
        self.desk.member(one, now, "create")
        self.desk.later(now + _HOUR, lambda then: self.desk.member(one, then, "delete"))

    def edit(self, now: int) -> None:
        """Another birthday, none, or another address; an address that is left out stays."""
        one = self.members.pick("enrolled", "pending", "blocked")
        if not one:
            return
        what = self._turn("edit", 4)
        if what == 0:
            one.birthday = (2, 29)
        elif what == 1:
            one.birthday = None
        elif what == 2:
            one.email = self.members.address()
        else:
            one.points_expire = None
        self.desk.member(one, now)
