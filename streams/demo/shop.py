"""The demo's shop: webhook bodies of a believable day, in the order in which they arrive.

The beginning of the demo's flow: its bodies go through `streams produce` into the source topic and,
beside that, through `streams.demo.expected`, which says what must come of them at each vendor.

A day lasts 24 hours from `opens`. A few customers moved in by import in the two weeks before, so
that lines can have been out of stock for days. Nothing is created later than half an hour after the
day's end: fed from `opens` + 26 h on, every webhook is at least 90 minutes old, and so every event
that a newer one has overtaken is `late` whatever the exact clock says (DESIGN §6).
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import accumulate, count
from random import Random
from typing import TYPE_CHECKING

from streams.demo.disorder import Dirt
from streams.demo.late_stories import LateStories
from streams.demo.member_stories import MemberStories
from streams.demo.order_stories import OrderStories
from streams.demo.person_stories import PersonStories
from streams.demo.subscription_stories import SubscriptionStories
from streams.demo.telling import Teller
from streams.demo.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Story = Callable[[int], None]

OPENS = 1_790_000_000
"""A day in September 2026, for tests: no clock is read."""

_DAY = 86_400
_LAG = 26 * 3_600

_TRAFFIC = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 9, 9, 8, 8, 8, 9, 10, 11, 12, 10, 7, 4)
"""How busy the hours from midnight on are, in US Eastern Standard Time."""


def opens_for(now: float) -> int:
    """When the shop must have opened for its day to be fed at `now`; both epoch seconds."""
    return int(now) - _LAG


class Shop:
    """Yields exactly `events` webhook bodies; the same ones for the same arguments.

    Each body is one line: it holds no newline and is never empty.

    Args:
        seed: which day it is.
        events: how many bodies the day has; from 2,000 on every event type is among them.
        opens: epoch seconds at which the day begins.
    """

    def __init__(self, seed: int, events: int = 2_000, opens: int = OPENS) -> None:
        self.events = events
        self.opens = opens
        self.world = World(Random(seed), opens)
        self.injected: dict[str, int] = {}
        """Dirt that has arrived so far, by label."""
        self._arrivals: list[tuple[int, int, bytes, str]] = []
        self._agenda: list[tuple[int, int, Story]] = []
        self._numbers = count()
        self._hours = self._day_curve()
        self._arrived = 0
        self._after = 0.0
        self._begin()

    def __iter__(self) -> Iterator[bytes]:
        """The day's bodies in order of arrival."""
        while self._arrived < self.events:
            yield self._next(self._now(), last=self.events - self._arrived)

    def trickle(self, step: float = 0.2) -> Iterator[bytes]:
        """The world goes on after its day, without end.

        Args:
            step: seconds by which each body moves the shop's clock. Fed at no more than one body
                in `step` seconds, the shop stays as far behind the clock as it was.
        """
        while True:
            self._after += step
            yield self._next(self.opens + _DAY + int(self._after), last=None)

    def _begin(self) -> None:
        dirt = Dirt(self.world, self._post)
        self._tell = Teller(self.world, dirt.post, self._later)
        buying = SubscriptionStories(self._tell)
        orders = OrderStories(self._tell, buying)
        weighed = _stories(
            buying,
            orders,
            PersonStories(self._tell),
            (LateStories(self._tell, buying), MemberStories(self._tell, buying), dirt),
        )
        self._stories = [story for story, _ in weighed]
        self._weights = [weight for _, weight in weighed]
        once = [*self._stories, dirt.too_large]
        self.world.rng.shuffle(once)
        self._deck: list[Story] = [*once, *[buying.sign_up] * 12]
        self._past(buying, orders)

    def _past(self, buying: SubscriptionStories, orders: OrderStories) -> None:
        """Customers who moved in before the day, each with a line out of stock every day since."""
        for _ in range(max(2, min(12, self.events // 800))):
            days = self.world.rng.randint(1, 13)
            hours = self.world.rng.randint(1, 20) * 3_600
            first = self.opens + hours - days * _DAY
            customer = self.world.person(first - 4 * 3_600)
            order = buying.move_in_of(customer, first - 4 * 3_600)
            orders.waited_for(customer, order, first, self.opens)

    def _next(self, now: int, last: int | None) -> bytes:
        """Lets things happen until a body arrives; `last`: how many are still to arrive at all."""
        while True:
            while self._agenda and self._agenda[0][0] <= now:
                then, _, story = heappop(self._agenda)
                story(then)
            enough = last is not None and len(self._arrivals) >= last
            if self._arrivals and (enough or self._arrivals[0][0] <= now):
                return self._take()
            self._story()(now)

    def _take(self) -> bytes:
        _, _, body, label = heappop(self._arrivals)
        self._arrived += 1
        if label:
            self.injected[label] = self.injected.get(label, 0) + 1
        return body

    def _story(self) -> Story:
        """Each story once, then by weight."""
        if self._deck:
            return self._deck.pop()
        return self.world.rng.choices(self._stories, self._weights)[0]

    def _now(self) -> int:
        """The shop's clock: as much of the day's traffic is over as bodies have arrived."""
        share = self._arrived / self.events * self._hours[-1]
        hour = next(i for i, upto in enumerate(self._hours) if share < upto)
        before = self._hours[hour - 1] if hour else 0
        part = (share - before) / (self._hours[hour] - before)
        return self.opens + int((hour + part) * 3_600)

    def _day_curve(self) -> list[int]:
        first = (self.opens // 3_600 - 5) % 24
        return list(accumulate(_TRAFFIC[first:] + _TRAFFIC[:first]))

    def _post(self, body: bytes, arrives: int, label: str) -> None:
        heappush(self._arrivals, (arrives, next(self._numbers), body, label))

    def _later(self, then: int, story: Story) -> None:
        heappush(self._agenda, (then, next(self._numbers), story))


def _stories(
    buying: SubscriptionStories,
    orders: OrderStories,
    people: PersonStories,
    special: tuple[LateStories, MemberStories, Dirt],
) -> tuple[tuple[Story, float], ...]:
    """Everything that may happen, with how often it does."""
    late, members, dirt = special
    return (
        (buying.sign_up, 16),
        (buying.buy_more, 7),
        (buying.cancel, 12),
        (buying.churn, 4),
        (buying.reactivate, 8),
        (buying.change, 26),
        (buying.swap, 8),
        (buying.touch, 5),
        (buying.move_in, 2),
        (buying.by_hand, 1.5),
        (buying.office, 0.05),
        (orders.reminder, 22),
        (orders.card_warning, 4),
        (orders.token, 3),
        (orders.skip, 9),
        (orders.cancel, 3),
        (orders.skip_and_cancel, 2),
        (orders.change_date, 9),
        (orders.change, 8),
        (orders.success, 20),
        (orders.reject, 5),
        (orders.retry, 5),
        (orders.trouble, 4),
        (orders.line, 6),
        (orders.gift_box, 0.2),
        (orders.subscribe_line, 2),
        (orders.move_line, 2),
        (orders.out_of_stock, 7),
        (people.edit, 4),
        (people.message, 4),
        (late.create_after_cancel, 1),
        (late.only_create_late, 1),
        (late.change_after_cancel, 1.5),
        (late.reactivation_after_change, 1),
        (late.snapshot_before_cancel, 1),
        (late.backwards, 1.5),
        (late.parted, 1.5),
        (members.untied, 0.7),
        (members.by_subscription, 0.5),
        (members.by_item, 0.5),
        (members.by_order, 0.4),
        (members.several, 0.4),
        (dirt.unknown, 3),
        (dirt.malformed, 2),
        (dirt.missing, 2),
        (dirt.nobody, 1),
        (dirt.mistyped, 2),
    )
