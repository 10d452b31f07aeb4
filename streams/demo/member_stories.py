"""Members: customers whose subscription also opens a digital resource (entitlements).

Each member is met only here, so that what their entitlements are tied to stays plain: a
subscription named by the grant, an item that a snapshot ties to one, or nothing known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.demo import catalog

if TYPE_CHECKING:
    from streams.demo.entities import Customer, Order, Subscription
    from streams.demo.subscription_stories import SubscriptionStories
    from streams.demo.telling import Teller

Json = dict[str, Any]

_HOUR = 3_600
_DAY = 86_400


class MemberStories:
    """Grants, expiry, grace, renewal and voiding, with subscription and order events between."""

    def __init__(self, tell: Teller, subscriptions: SubscriptionStories) -> None:
        self.tell = tell
        self.world = tell.world
        self._subscriptions = subscriptions

    def untied(self, now: int) -> None:
        """One subscription; the grant names an item of which nothing else is known."""
        customer, orders = self._join(now, 1)
        self._live(customer, orders, ("item", self.world.hex()), {}, now)

    def by_subscription(self, now: int) -> None:
        """Two subscriptions; the grant names the first."""
        customer, orders = self._join(now, 2)
        source = ("subscription", customer.subscriptions[0].id)
        self._live(customer, orders, source, {}, now)

    def by_item(self, now: int) -> None:
        """Two subscriptions; the grant names an item, and its own snapshot says whose that is."""
        customer, orders = self._join(now, 2)
        item = orders[0].items[0]
        beside = {"items": [self.tell.snapshots.item(item, orders[0])]}
        self._live(customer, orders, ("item", item.id), beside, now)

    def by_order(self, now: int) -> None:
        """Two subscriptions; only an order's snapshot says whose the item is."""
        customer, orders = self._join(now, 2)
        self._live(customer, orders, ("item", orders[0].items[0].id), {}, now)

    def several(self, now: int) -> None:
        """Two subscriptions with an entitlement each, granted in one event."""
        customer, orders = self._join(now, 2)
        granted = [
            self._entitlement(("subscription", one.id), now + 60, 400 * _DAY, 0)
            for one in customer.subscriptions
        ]
        self.tell.entitlements("entitlements_granted", customer, now + 60, granted, {})
        self._speak(orders, customer.subscriptions, now + 120)

    def _join(self, now: int, count: int) -> tuple[Customer, list[Order]]:
        """A new member with an order of its own for each subscription."""
        customer = self.world.person(now, listed=False)
        orders = [self._subscriptions.checkout(customer, now, 1)]
        if count > 1:
            orders.append(self._subscriptions.checkout(customer, now + 5, 1))
        return customer, orders

    def _entitlement(
        self, source: tuple[str, str], now: int, lasts: int, grace: int
    ) -> dict[str, Any]:
        name, external = self.world.rng.choice(catalog.RESOURCES)
        return {
            "public_id": self.world.hex(),
            "access_type": "time_based",
            "created": now,
            "last_updated": now,
            "expiration": now + lasts,
            "grace_period": grace,
            "live": True,
            "grantees": None,
            "resource": {
                "public_id": self.world.hex(),
                "name": name,
                "description": "Members only",
                "external_id": external,
                "image_url": None,
            },
            "entitlement_transaction": {
                "public_id": self.world.hex(),
                "transaction_type": "grant_credit",
                "source_action": "order-placement",
                "source_object": source[0],
                "source_object_id": source[1],
                "transaction_initiation_time": now,
                "transaction_execution_time": now,
                "time_amount": lasts,
                "grace_period": grace,
            },
        }

    def _live(
        self,
        customer: Customer,
        orders: list[Order],
        source: tuple[str, str],
        beside: Json,
        now: int,
    ) -> None:
        """The life of one entitlement, an hour a step."""
        granted = self._entitlement(source, now + 60, 3 * _HOUR, self.world.rng.choice((0, _DAY)))
        steps: tuple[tuple[str, Json], ...] = (
            ("entitlements_granted", {}),
            ("entitlements_expiring", {}),
            ("entitlements_expired", {"expiration": now + 3 * _HOUR}),
            ("entitlements_expiration_modified", {"expiration": now + 400 * _DAY}),
            self._end(now + 3 * _HOUR),
        )
        for place, (kind, news) in enumerate(steps):

            def step(then: int, kind: str = kind, news: Json = news) -> None:
                granted.update(news, last_updated=then)
                self.tell.entitlements(kind, customer, then, [granted], beside)
                self._speak(orders, customer.subscriptions, then + 60)

            self.tell.later(now + 60 + place * _HOUR, step)

    def _end(self, expired: int) -> tuple[str, Json]:
        """How it ends: voided by hand, or back to its old expiry and past the days of grace."""
        kind = self.world.turn(("entitlements_voided", "entitlements_grace_period_expired"))
        if kind == "entitlements_voided":
            return kind, {"live": False}
        return kind, {"live": False, "expiration": expired}

    def _speak(self, orders: list[Order], subscriptions: list[Subscription], now: int) -> None:
        """Events on which the entitlement is to be seen, or not."""
        for place, one in enumerate(subscriptions):
            self._subscriptions.change_of(one, "quantity", now + place)
        for place, order in enumerate(orders):
            self.tell.order("reminder", order, now + 10 + place, whole=self.world.chance(0.8))
