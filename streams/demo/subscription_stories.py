"""What customers do with their subscriptions in a day of the shop.

Each story takes the time at which it begins and tells all its webhooks through the `Teller`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo import catalog
from streams.demo.telling import BY_HAND, CHECKOUT, IMPORT
from streams.demo.world import price_of

if TYPE_CHECKING:
    from streams.demo.entities import Customer, Order, Subscription
    from streams.demo.telling import Teller

_MONTH = 30 * 86_400


class SubscriptionStories:
    """Sign-ups, checkouts, changes, cancels, reactivations, imports."""

    def __init__(self, tell: Teller) -> None:
        self.tell = tell
        self.world = tell.world
        self._checkouts = 70_000

    def sign_up(self, now: int) -> None:
        """Somebody new checks out with one or several subscriptions."""
        self.checkout(self.world.person(now), now, self.world.rng.choice((1, 1, 1, 2, 2, 3, 5)))

    def buy_more(self, now: int) -> None:
        """A known customer, perhaps one who had left, checks out again."""
        customer = self.world.pick(lambda one: len(one.subscriptions) < 8)
        if customer:
            self.checkout(customer, now, self.world.rng.choice((1, 1, 2)))

    def office(self, now: int) -> None:
        """More than 25 subscriptions at once, a reminder of their order, and all cancelled."""
        customer = self.world.person(now, listed=False)
        order = self.checkout(customer, now, 27)
        self.tell.later(now + 3_600, lambda then: self.tell.order("reminder", order, then))
        self.tell.later(now + 7_200, lambda then: self.churn_of(customer, then))

    def checkout(self, customer: Customer, now: int, count: int) -> Order:
        """All webhooks of a checkout, in one second; one in five arrives in disorder."""
        start = self.tell.moment(customer, now, 2)
        with self.tell.held() as told:
            order = self._checkout(customer, start, count)
        if self.world.chance(0.2):
            self.world.rng.shuffle(told)
            told = [(body, start) for body, _ in told]
        for body, arrives in told:
            self.tell.post(body, arrives)
        return order

    def _checkout(self, customer: Customer, now: int, count: int) -> Order:
        """The source's own subscriber events first, then each subscription, then the order."""
        tell, first = self.tell, not customer.subscriptions
        number, session = self._till(now)
        bought = [self.world.subscription(customer, now, number, session) for _ in range(count)]
        items = [self.world.item(one) for one in bought]
        order = self.world.order(customer, items, now, self.world.rng.choice((0, 1, 3, 5, 14, 30)))
        if first:
            tell.subscriber("create", customer, now, bought[:1])
        tell.subscriber("subscriptions_created", customer, now, bought)
        for one, item in zip(bought, items, strict=True):
            tell.subscription("create", one, now, CHECKOUT)
            after = now + self.world.rng.choice((0, 1, 1, 1))
            one.updated = after
            tell.subscription("change_payment", one, after)
            tell.subscription("change_shipping_address", one, after)
            tell.item("create", item, order, now)
        tell.order("create", order, now)
        return order

    def _till(self, now: int) -> tuple[str, str | None]:
        """A checkout's order number and session: both, one of them, now and then neither."""
        self._checkouts += 1
        session = self.world.session(now)
        return self.world.rng.choice(
            (
                *[(str(self._checkouts), session)] * 6,
                *[(str(self._checkouts), None)] * 2,
                *[("", session)] * 2,
                ("", None),
            )
        )

    def cancel(self, now: int) -> None:
        """One subscription ends."""
        customer = self.world.pick(lambda one: one.live)
        if customer:
            one = self.world.rng.choice(customer.live)
            self.cancel_of(one, self.tell.moment(customer, now, 2))

    def churn(self, now: int) -> None:
        """Every live subscription of a customer ends within seconds."""
        customer = self.world.pick(lambda one: len(one.live) > 1)
        if customer:
            self.churn_of(customer, now)

    def churn_of(self, customer: Customer, now: int) -> None:
        """As `churn`, for this customer."""
        for one in customer.live:
            self.cancel_of(one, self.tell.moment(customer, now, 2))

    def cancel_of(self, one: Subscription, now: int) -> None:
        """This subscription ends; its lines leave the upcoming orders."""
        one.live, one.cancelled, one.updated = False, now, now
        one.reason = self._reason()
        self.tell.subscription("cancel", one, now + self.world.rng.choice((0, 0, 1)))
        if not one.customer.live:
            self.tell.subscriber("cancel", one.customer, now + 1, [one])
        for order in list(one.customer.orders):
            for item in [item for item in order.items if item.subscription is one]:
                order.items.remove(item)
                if self.world.chance(0.4):
                    self.tell.item("remove", item, order, now + 1)
            if not order.items:
                one.customer.orders.remove(order)
                if self.world.chance(0.5):
                    self.tell.order("delete", order, now + 1)

    def _reason(self) -> tuple[str | None, int | str | None]:
        """Every shape that a cancel reason comes in (contracts/ordergroove.md §2.1)."""
        code, text = self.world.rng.choice(catalog.REASONS)
        shapes: tuple[tuple[str | None, int | str | None], ...] = (
            (f"{code}|{text}", code),
            (f"{code}|{text}", str(code)),
            (f"{code}|other|{text}", code),
            (f"{code}|", f"{code}|"),
            (f"{code}|{text}", None),
            (text, code),
            (text, None),
            (f"{code}|{text}", code),
            ("", None),
            (None, None),
        )
        return shapes[self.world.turn(tuple(range(len(shapes))))]

    def reactivate(self, now: int) -> None:
        """A dead subscription lives again; one or both of the two event types tell it."""
        customer = self.world.pick(lambda one: len(one.live) < len(one.subscriptions))
        if not customer:
            return
        one = self.world.rng.choice([one for one in customer.subscriptions if not one.live])
        self.reactivate_of(one, self.tell.moment(customer, now, 2))

    def reactivate_of(self, one: Subscription, now: int) -> None:
        """As `reactivate`, for this subscription."""
        one.live, one.cancelled, one.updated, one.reason = True, None, now, (None, None)
        kinds = self.world.turn(
            (
                ("change_live", "reactivate"),
                ("change_live", "reactivate"),
                ("reactivate", "change_live"),
                ("change_live",),
                ("reactivate",),
            )
        )
        for place, kind in enumerate(kinds):
            self.tell.subscription(kind, one, now + place * self.world.rng.choice((0, 1)))
        item = self.world.item(one)
        order = self.world.order(one.customer, [item], now, self.world.rng.choice((1, 5, 14)))
        self.tell.item("create", item, order, now + 1)
        self.tell.order("create", order, now + 1)

    def change(self, now: int) -> None:
        """Frequency, quantity, address or payment of a live subscription."""
        customer = self.world.pick(lambda one: one.live)
        if not customer:
            return
        one = self.world.rng.choice(customer.live)
        then = self.tell.moment(customer, now)
        kind = self.world.turn(("frequency", "quantity", "shipping_address", "payment"))
        self.change_of(one, kind, then)

    def change_of(self, one: Subscription, kind: str, now: int) -> None:
        """This aspect of this subscription changes."""
        rng = self.world.rng
        one.updated = now
        if kind == "frequency":
            one.frequency = rng.choice([f for f in catalog.FREQUENCIES if f != one.frequency])
        elif kind == "quantity":
            one.quantity = rng.choice([q for q in (1, 2, 3, 4, 6) if q != one.quantity])
        elif kind == "payment":
            one.payment = one.customer.payment = self.world.payment(now)
        else:
            one.address = one.customer.address = self.world.address(now)
        self.tell.subscription(f"change_{kind}", one, now + rng.choice((0, 0, 1)))

    def swap(self, now: int) -> None:
        """Another product, one that this customer never had."""
        customer = self.world.pick(lambda one: one.live and len(one.products) < 12)
        if not customer:
            return
        one = self.world.rng.choice(customer.live)
        then = self.tell.moment(customer, now)
        fresh = [ware for ware in catalog.WARES if ware.id not in customer.products]
        one.product, one.updated = self.world.rng.choice(fresh).id, then
        customer.products.add(one.product)
        self.tell.subscription("sku_swap", one, then)
        for order in customer.orders:
            for item in order.items:
                if item.subscription is one:
                    item.product = one.product
                    item.price = type(item.price)(price_of(one.product))
                    self.tell.item("sku_swap", item, order, then)

    def touch(self, now: int) -> None:
        """A bundle's components change, or its one-click token was used: nothing for vendors."""
        customer = self.world.pick(lambda one: one.live)
        if customer:
            one = self.world.rng.choice(customer.live)
            one.updated = self.tell.moment(customer, now)
            kind = self.world.turn(("change_components", "refresh_one_click_token"))
            self.tell.subscription(kind, one, one.updated)

    def move_in(self, now: int) -> None:
        """A program migration: a customer and their subscriptions of months ago, by import."""
        customer = self.world.person(now)
        self.move_in_of(customer, now)

    def move_in_of(self, customer: Customer, now: int) -> Order:
        """As `move_in`, for this customer; gives their upcoming order."""
        then = self.tell.moment(customer, now, 2)
        customer.created = self._long_ago(then)
        moved = []
        for _ in range(self.world.rng.choice((1, 1, 2))):
            one = self.world.subscription(customer, self._long_ago(then), "")
            one.updated = then
            moved.append(one)
            self.tell.subscription("create", one, then, IMPORT)
        self.tell.subscriber("create", customer, then, moved[:1], IMPORT)
        items = [self.world.item(one) for one in moved]
        order = self.world.order(customer, items, then, self.world.rng.choice((0, 1, 3)))
        self.tell.order("create", order, then + 1)
        return order

    def _long_ago(self, now: int) -> int:
        """Noon in Chicago (11 or 12), some months before: no time that its clocks show twice."""
        day = now - now % 86_400
        return day - self.world.rng.randint(2, 20) * _MONTH + 17 * 3_600 + 1_234

    def by_hand(self, now: int) -> None:
        """An agent makes a subscription in the admin: there is no `subscription.create`."""
        customer = self.world.person(now)
        then = self.tell.moment(customer, now)
        one = self.world.subscription(customer, then, "")
        self.tell.subscription("change_payment", one, then, BY_HAND)
        self.tell.subscription("change_shipping_address", one, then, BY_HAND)
        item = self.world.item(one)
        order = self.world.order(customer, [item], then, 5)
        self.tell.item("create", item, order, then)
