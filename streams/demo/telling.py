"""Tells what happened: one method for each kind of webhook, which writes it and posts it.

The stories (`subscription_stories`, `order_stories`, `member_stories`, `late_stories`) call these;
the post is the shop's queue of arrivals.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from streams.demo.bodies import Scribe
from streams.demo.objects import Objects
from streams.demo.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.demo.entities import Customer, Item, Order, Subscription
    from streams.demo.world import World

Json = dict[str, Any]

IMPORT: Json = {"source": "XML IMPORT", "actor": "og-system-process"}
CHECKOUT: Json = {"source": "PurchasePOST"}
BY_HAND: Json = {"actor": "user"}


class Teller:
    """Writes webhooks and posts them.

    Args:
        world: whom and what it is about.
        post: takes a body and the time at which it arrives, epoch seconds.
        later: takes a time and what to do then.
    """

    def __init__(
        self,
        world: World,
        post: Callable[[bytes, int], None],
        later: Callable[[int, Callable[[int], None]], None],
    ) -> None:
        self.world = world
        self.later = later
        self.objects = Objects(world)
        self.snapshots = Snapshots(world, self.objects)
        self.scribe = Scribe(world)
        self._post = post
        self._held: list[tuple[bytes, int]] | None = None

    def moment(self, customer: Customer, now: int, takes: int = 1) -> int:
        """When the customer is free for something that takes so many seconds; books it."""
        start = max(now, customer.busy_until)
        customer.busy_until = start + takes + 2
        return start

    @contextmanager
    def held(self) -> Iterator[list[tuple[bytes, int]]]:
        """What is told inside is not posted, but listed with its time of arrival."""
        held: list[tuple[bytes, int]] = []
        outer, self._held = self._held, held
        try:
            yield held
        finally:
            self._held = outer

    def post(self, body: bytes, arrives: int) -> None:
        """A body arrives then."""
        if self._held is None:
            self._post(body, arrives)
        else:
            self._held.append((body, arrives))

    def subscription(
        self, kind: str, one: Subscription, created: int, origin: Json | None = None
    ) -> None:
        """`subscription.<kind>`."""
        data = self.objects.subscription(one)
        if kind in {"create", "cancel", "refresh_one_click_token"}:
            data["object"]["one_click_token"] = None
        beside = self.snapshots.of_subscription(one, created)
        self._tell(f"subscription.{kind}", one.customer, created, (data, beside, origin or {}))

    def order(self, kind: str, one: Order, created: int, *, whole: bool = False) -> None:
        """`order.<kind>`; `whole`: with everything the snapshot can hold."""
        choose = self.snapshots.whole_order if whole else self.snapshots.of_order
        data, beside = self.objects.order(one), choose(one, created)
        self._tell(f"order.{kind}", one.customer, created, (data, beside, {}))

    def item(self, kind: str, one: Item, order: Order, created: int) -> None:
        """`item.<kind>`."""
        data, beside = self.objects.item(one, order), self.snapshots.of_item(one, order, created)
        self._tell(f"item.{kind}", order.customer, created, (data, beside, {}))

    def subscriber(
        self,
        kind: str,
        customer: Customer,
        created: int,
        about: list[Subscription],
        origin: Json | None = None,
    ) -> None:
        """`subscriber.<kind>`, the source's own: one subscription, or several of a checkout."""
        several = [one.id for one in about] if kind == "subscriptions_created" else []
        single = "" if several else about[0].id
        data = self.objects.subscriber(customer, created, single, several)
        self._tell(f"subscriber.{kind}", customer, created, (data, {}, origin or {}))

    def entitlements(
        self, kind: str, customer: Customer, created: int, several: list[Json], snapshot: Json
    ) -> None:
        """`entitlement.<kind>`."""
        data = self.objects.entitlements(customer, several)
        self._tell(f"entitlement.{kind}", customer, created, (data, snapshot, {}))

    def communication(self, customer: Customer, created: int, key: str) -> None:
        """`workflow.send_communication`."""
        data = self.objects.communication(customer, key)
        self._tell("workflow.send_communication", customer, created, (data, {}, {}))

    def _tell(
        self, kind: str, customer: Customer, created: int, content: tuple[Json, Json, Json]
    ) -> None:
        data, snapshot, origin = content
        self.post(self.scribe.body(kind, customer, created, data, snapshot, origin), created)
