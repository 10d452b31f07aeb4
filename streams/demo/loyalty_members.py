"""Who is in the demo's loyalty programme: customers of the same shop, and some who only visited.

`Members` invents them and finds them again; `Desk` is what stories write with: webhooks in the
order in which things happen, each with the time at which it arrives. Times are epoch seconds, and
milliseconds where the source writes them.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from streams.demo import catalog
from streams.demo.loyalty_catalog import TIERS
from streams.demo.loyalty_webhooks import Member, Okendo, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from streams.demo.loyalty_webhooks import Json, Sent
    from streams.demo.world import World

DAY = 86_400
_BIRTHDAYS = ((2, 29), (7, 14), (12, 31), (1, 1), None, (2, 28), None)
_ENOUGH = 10
"""Changes of status or tier in a member's day: the program keeps sixteen spells of one."""


class Members:
    """Everybody who ever joined.

    Args:
        rng: the source of chance, the programme's own.
        world: whose customers join.
        okendo: gives ids.
    """

    def __init__(self, rng: Random, world: World, okendo: Okendo) -> None:
        self.rng = rng
        self._world = world
        self._okendo = okendo
        self._joined: set[str] = set()
        self._listed: list[Member] = []
        self._visitors = 0
        self._turn = 0

    def new(self, *, listed: bool = True) -> Member:
        """Somebody new, pending; only who is listed is returned to by `pick`."""
        fresh = [one for one in self._world.customers if one.id not in self._joined]
        if fresh and self.rng.random() < 0.7:
            customer = self.rng.choice(fresh)
            self._joined.add(customer.id)
            email = customer.email
        else:
            email = self.address()
        self._turn += 1
        member = Member(
            id=self._okendo.id(),
            customer=self._okendo.id(),
            email=email,
            birthday=_BIRTHDAYS[self._turn % len(_BIRTHDAYS)],
        )
        if listed:
            self._listed.append(member)
        return member

    def address(self) -> str:
        """That of somebody who has subscribed to nothing."""
        self._visitors += 1
        name = self.rng.choice(catalog.LAST_NAMES).partition(" ")[0].replace("'", "").lower()
        plain = name.encode("ascii", "ignore").decode()
        return f"visitor{self._visitors}.{plain}@{self.rng.choice(catalog.DOMAINS)}"

    def pick(self, *statuses: str, least: float = -inf) -> Member | None:
        """A listed member of such a status and balance who has not been through too much today."""
        found = [
            one
            for one in self._listed
            if one.status in statuses and one.balance >= least and one.changes < _ENOUGH
        ]
        return self.rng.choice(found) if found else None


class Desk:
    """Where stories are written down.

    Args:
        rng: the source of chance.
        okendo: writes the webhooks.
        post: takes a webhook and the time at which it arrives.
        later: takes a time and what to do then.
    """

    def __init__(
        self,
        rng: Random,
        okendo: Okendo,
        post: Callable[[Sent, int], None],
        later: Callable[[int, Callable[[int], None]], None],
    ) -> None:
        self.rng = rng
        self.okendo = okendo
        self.post = post
        self.later = later

    def member(self, one: Member, now: int, topic: str = "update", delay: int = 0) -> None:
        """A member's webhook, which arrives `delay` seconds after it was written."""
        self.post(self.okendo.member(topic, one), now + delay)

    def transaction(
        self, one: Transaction, now: int, topic: str = "create", delay: int = 0
    ) -> None:
        """A transaction's webhook."""
        self.post(self.okendo.transaction(topic, one), now + delay)

    def new_transaction(
        self, kind: str, whose: Member, amount: float, now: int, beside: Json
    ) -> Transaction:
        """One of now, complete."""
        at = self.moment(now)
        return Transaction(kind, self.okendo.id(), whose, amount, at, "complete", beside)

    def moment(self, now: int) -> int:
        """Some millisecond of that second."""
        return now * 1_000 + self.rng.randint(1, 999)

    def enrol(self, one: Member, now: int, tier: str | None) -> None:
        """The member opts in."""
        one.status, one.enrolled = "enrolled", self.moment(now)
        one.points_expire = (now + 365 * DAY) * 1_000
        one.changes += 1
        self.rise(one, tier, one.enrolled)

    def rise(self, one: Member, tier: str | None, entered: int) -> None:
        """The member has another tier, or none any more."""
        one.tier, one.tier_entered = tier, entered
        one.tier_expires = entered + 365 * DAY * 1_000 if tier else None
        one.changes += 1


def other_tier(tier: str | None, step: int) -> str | None:
    """The tier so many steps above; below the lowest there is none."""
    place = TIERS.index(tier) if tier else -1
    place = max(-1, min(len(TIERS) - 1, place + step))
    return TIERS[place] if place >= 0 else None
