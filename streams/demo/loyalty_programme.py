"""The demo's loyalty programme: webhooks of a day, in the order in which they arrive.

Beside the shop (`streams.demo.shop`), whose customers are its members. Its own source of chance
leaves the shop's day as it is. Nothing is dated later than half an hour after the shop's day: fed
two hours after that, whatever has been overtaken is late news (DESIGN §6).
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from streams.demo.loyalty_disorder import LoyaltyDirt
from streams.demo.loyalty_late_stories import LoyaltyLateStories
from streams.demo.loyalty_members import DAY, Desk, Members
from streams.demo.loyalty_stories import LoyaltyStories
from streams.demo.loyalty_webhooks import Okendo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.demo.loyalty_webhooks import Sent
    from streams.demo.world import World

    Story = Callable[[int], None]

SHARE = 8
"""One webhook of loyalty comes on so many of the shop."""


class Programme:
    """Yields exactly `events` webhooks; the same ones for the same arguments and the same shop.

    Args:
        seed: which day it is.
        events: how many webhooks the day has; from 250 on every story is among them.
        world: of the shop; its customers join as they come.
    """

    def __init__(self, seed: int, events: int, world: World) -> None:
        self.events = events
        self.injected: dict[str, int] = {}
        """Dirt that has arrived so far, by label."""
        self.arrived = 0
        self._rng = Random(f"loyalty {seed}")
        self._opens = world.opens
        self._arrivals: list[tuple[int, int, Sent, str]] = []
        self._agenda: list[tuple[int, int, Story]] = []
        self._numbers = count()
        self._begin(world)

    def upto(self, share: float) -> Iterator[Sent]:
        """What has arrived when that share of the day is over."""
        while self.arrived < round(share * self.events):
            now = self._opens + DAY * self.arrived // self.events
            yield self._next(now, last=self.events - self.arrived)

    def trickle(self, step: float = 1.6) -> Iterator[Sent]:
        """The programme goes on after its day, without end, as `Shop.trickle` does.

        Args:
            step: seconds by which each webhook moves the clock: `SHARE` times the shop's.
        """
        for place in count(1):
            yield self._next(self._opens + DAY + int(place * step), last=None)

    def _begin(self, world: World) -> None:
        okendo = Okendo(self._rng)
        dirt = LoyaltyDirt(self._rng, okendo, self._post)
        desk = Desk(self._rng, okendo, dirt.post, self._later)
        members = Members(self._rng, world, okendo)
        usual = LoyaltyStories(desk, members)
        weighed = _stories(usual, LoyaltyLateStories(desk, members), dirt)
        self._stories = [story for story, _ in weighed]
        self._weights = [weight for _, weight in weighed]
        once = [*self._stories, dirt.too_large]
        self._rng.shuffle(once)
        begin = [usual.join, usual.sign_up, usual.move_in] * 3
        self._deck: list[Story] = [*once, *begin]

    def _next(self, now: int, last: int | None) -> Sent:
        """Lets things happen until a webhook arrives; `last`: how many are still to arrive."""
        while True:
            while self._agenda and self._agenda[0][0] <= now:
                then, _, story = heappop(self._agenda)
                story(then)
            enough = last is not None and len(self._arrivals) >= last
            if self._arrivals and (enough or self._arrivals[0][0] <= now):
                return self._take()
            self._story()(now)

    def _take(self) -> Sent:
        _, _, sent, label = heappop(self._arrivals)
        self.arrived += 1
        if label:
            self.injected[label] = self.injected.get(label, 0) + 1
        return sent

    def _story(self) -> Story:
        """Each story once, then by weight."""
        if self._deck:
            return self._deck.pop()
        return self._rng.choices(self._stories, self._weights)[0]

    def _post(self, sent: Sent, arrives: int, label: str) -> None:
        heappush(self._arrivals, (arrives, next(self._numbers), sent, label))

    def _later(self, then: int, story: Story) -> None:
        heappush(self._agenda, (then, next(self._numbers), story))


def _stories(
    usual: LoyaltyStories, late: LoyaltyLateStories, dirt: LoyaltyDirt
) -> tuple[tuple[Story, float], ...]:
    """Everything that may happen, with how often it does."""
    return (
        (usual.join, 10),
        (usual.sign_up, 8),
        (usual.move_in, 6),
        (usual.earn, 22),
        (usual.earn_later, 8),
        (usual.refund, 3),
        (usual.redeem, 10),
        (usual.adjust, 6),
        (usual.change_tier, 8),
        (usual.change_tier_of_a_day, 1),
        (usual.block, 2),
        (usual.leave, 2),
        (usual.forget, 1),
        (usual.edit, 4),
        (late.old_balance, 1),
        (late.hidden_enrolment, 1),
        (late.hidden_tier, 1),
        (late.backwards, 1),
        (late.complete_before_pending, 1),
        (late.deleted_before_complete, 1),
        (late.points_first, 1),
        (late.nobody, 0.3),
        (late.address_of_a_transaction, 0.5),
        (dirt.elsewhere, 1),
        (dirt.malformed, 0.5),
        (dirt.nobody, 0.5),
        (dirt.missing, 0.5),
        (dirt.mistyped, 0.5),
        (dirt.unknown_status, 0.5),
        (dirt.unknown_tier, 0.7),
    )
