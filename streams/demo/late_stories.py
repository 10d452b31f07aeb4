"""Webhooks that arrive in another order than they happened (contracts/ordergroove.md §1.5).

Each story makes a customer of its own who is not met again, so that only the disorder told here
is at work. `created` and `updated` stay true; the arrival times are what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo.telling import CHECKOUT

if TYPE_CHECKING:
    from streams.demo.entities import Customer, Subscription
    from streams.demo.subscription_stories import SubscriptionStories
    from streams.demo.telling import Teller

_HOUR = 3_600


class LateStories:
    """Late creates, late changes, whole histories backwards."""

    def __init__(self, tell: Teller, subscriptions: SubscriptionStories) -> None:
        self.tell = tell
        self.world = tell.world
        self._subscriptions = subscriptions

    def create_after_cancel(self, now: int) -> None:
        """The subscription is first seen dead: all its earlier webhooks come hours later."""
        customer, one = self._newcomer(now)
        with self.tell.held() as told:
            self._begin(one, now)
        self._post(told, now + 600 + self.world.rng.randint(1, 5) * _HOUR)
        self.tell.subscriber("create", customer, now, [one])
        self._subscriptions.cancel_of(one, now + 600)

    def only_create_late(self, now: int) -> None:
        """`subscription.create` alone comes after the cancel; what changed came in time."""
        customer, one = self._newcomer(now)
        self.tell.subscriber("create", customer, now, [one])
        with self.tell.held() as told:
            self._begin(one, now)
        (body, _), *others = told
        self._post([(body, now)], now + self.world.rng.randint(2, 6) * _HOUR)
        self._post(others, now + 1)
        self._subscriptions.cancel_of(one, now + 900)

    def change_after_cancel(self, now: int) -> None:
        """A change made before the cancel comes after it."""
        customer, one = self._newcomer(now)
        self.tell.subscriber("create", customer, now, [one])
        self._begin(one, now)
        with self.tell.held() as told:
            self._subscriptions.change_of(one, "quantity", now + 300)
            self._subscriptions.change_of(one, "frequency", now + 330)
        self._post(told, now + self.world.rng.randint(1, 4) * _HOUR)
        self._subscriptions.cancel_of(one, now + 600)

    def reactivation_after_change(self, now: int) -> None:
        """A reactivation that a later change has overtaken: it still goes out, once."""
        customer, one = self._newcomer(now)
        self.tell.subscriber("create", customer, now, [one])
        self._begin(one, now)
        self._subscriptions.cancel_of(one, now + 300)
        with self.tell.held() as told:
            self._subscriptions.reactivate_of(one, now + 600)
        self._post(told, now + self.world.rng.randint(1, 4) * _HOUR)
        self._subscriptions.change_of(one, "quantity", now + 700)

    def snapshot_before_cancel(self, now: int) -> None:
        """An order's snapshot shows the subscription dead before its cancel comes."""
        customer, one = self._newcomer(now)
        self.tell.subscriber("create", customer, now, [one])
        self._begin(one, now)
        order = self.world.order(customer, [self.world.item(one)], now, 3)
        with self.tell.held() as told:
            self._subscriptions.cancel_of(one, now + 300)
        self._post(told, now + 2 * _HOUR)
        order.items.append(self.world.item(one))
        self.tell.order("skip_order", order, now + 305, whole=True)

    def backwards(self, now: int) -> None:
        """A whole history, last things first."""
        customer = self.world.person(now, listed=False)
        with self.tell.held() as told:
            order = self._subscriptions.checkout(customer, now, self.world.rng.choice((1, 2)))
            first = customer.subscriptions[0]
            self._subscriptions.change_of(first, "payment", now + 120)
            self.tell.order("reminder", order, now + 180, whole=True)
            self._subscriptions.cancel_of(first, now + 240)
            if self.world.chance(0.5):
                self._subscriptions.reactivate_of(first, now + 300)
            elif len(customer.subscriptions) > 1:
                self._subscriptions.cancel_of(customer.subscriptions[1], now + 300)
        self._post(told[::-1], now + _HOUR)

    def parted(self, now: int) -> None:
        """A checkout of several, of which one is told of hours after the others."""
        customer = self.world.person(now, listed=False)
        with self.tell.held() as told:
            self._subscriptions.checkout(customer, now, self.world.rng.choice((2, 3)))
        creates = [body for body, _ in told if b'"subscription.create"' in body]
        apart = self.world.rng.choice(creates)
        for body, arrives in told:
            hours = self.world.rng.randint(1, 10) if body is apart else 0
            self.tell.post(body, arrives + hours * _HOUR)

    def _newcomer(self, now: int) -> tuple[Customer, Subscription]:
        """Somebody new with one subscription, of which nothing is told yet."""
        customer = self.world.person(now, listed=False)
        customer.email = customer.email or f"late{customer.id}@shop-demo.io"
        return customer, self.world.subscription(customer, now, "")

    def _begin(self, one: Subscription, now: int) -> None:
        self.tell.subscription("create", one, now, CHECKOUT)
        self.tell.subscription("change_payment", one, now)
        self.tell.subscription("change_shipping_address", one, now)

    def _post(self, told: list[tuple[bytes, int]], arrives: int) -> None:
        """In the listed order, from then on."""
        for body, _ in told:
            self.tell.post(body, arrives)
