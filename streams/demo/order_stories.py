"""What happens to orders and their lines in a day of the shop.

Orders come from `SubscriptionStories`; here they are reminded of, changed, skipped, placed, refused
and out of stock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo import catalog
from streams.demo.telling import CHECKOUT

if TYPE_CHECKING:
    from streams.demo.entities import Customer, Item, Order
    from streams.demo.subscription_stories import SubscriptionStories
    from streams.demo.telling import Teller

_DAY = 86_400


class OrderStories:
    """Reminders, changes, placements, failures, lines out of stock."""

    def __init__(self, tell: Teller, subscriptions: SubscriptionStories) -> None:
        self.tell = tell
        self.world = tell.world
        self._subscriptions = subscriptions

    def _some(self, now: int, takes: int = 1) -> tuple[Order, int] | None:
        """An upcoming order that holds something subscribed to, and when its customer is free."""
        customer = self.world.pick(lambda one: any(order.items for order in one.orders))
        if not customer:
            return None
        order = self.world.rng.choice([order for order in customer.orders if order.items])
        return order, self.tell.moment(customer, now, takes)

    def _due(self, now: int) -> tuple[Order, int] | None:
        """An order to be placed now; one that was due later is sent now first."""
        found = self._some(now, 3)
        if found and found[0].place > self.world.day(now, 1):
            order, then = found
            order.place = self.world.day(then)
            self.tell.order("send_now", order, then)
            return order, then + 2
        return found

    def simple(self, kind: str, now: int) -> None:
        """`reminder`, `credit_card_expiration_warning`, tokens, waiting for instructions."""
        found = self._some(now)
        if found:
            self.tell.order(kind, *found)

    def reminder(self, now: int) -> None:
        """The usual message before an order."""
        self.simple("reminder", now)

    def card_warning(self, now: int) -> None:
        """The card will have expired by then."""
        self.simple("credit_card_expiration_warning", now)

    def token(self, now: int) -> None:
        """A one-click token was used."""
        self.simple("refresh_one_click_token", now)

    def skip(self, now: int) -> None:
        """The customer skips it; the next one comes into existence."""
        found = self._some(now)
        if found:
            order, then = found
            order.status = (4, "Cancelled")
            self.tell.order("skip_order", order, then)
            self._next(order, then)

    def cancel(self, now: int) -> None:
        """The platform answers 030: cancel, stop trying."""
        found = self._due(now)
        if found:
            order, then = found
            order.tries += 1
            order.status, order.rejected_message = (4, "Cancelled"), catalog.REJECTIONS[2]
            self.tell.order("cancel", order, then)
            self._next(order, then)

    def skip_and_cancel(self, now: int) -> None:
        """Skipped, and a second later cancelled for good: half of them say why."""
        found = self._some(now, 2)
        if found:
            order, then = found
            order.status = (4, "Cancelled")
            self.tell.order("skip_order", order, then, whole=True)
            order.rejected_message = self.world.turn((None, catalog.REJECTIONS[2]))
            self.tell.order("cancel", order, then + 1, whole=True)
            self._next(order, then + 1)

    def change_date(self, now: int) -> None:
        """Its place date moves."""
        found = self._some(now)
        if found:
            order, then = found
            order.place = self.world.day(then, self.world.rng.randint(1, 45))
            self.tell.order("change_next_order_date", order, then)

    def change(self, now: int) -> None:
        """Its payment, billing or address changes."""
        found = self._some(now)
        if found:
            order, then = found
            kind = self.world.turn(("payment", "billing", "shipping_address"))
            if kind == "shipping_address":
                order.address = self.world.address(then)
            else:
                order.payment = self.world.payment(then)
            self.tell.order(f"change_{kind}", order, then)

    def success(self, now: int) -> None:
        """It is placed, and the next one comes into existence."""
        found = self._due(now)
        if found:
            self._placed(*found)

    def _placed(self, order: Order, now: int) -> None:
        order.tries += 1
        order.status, order.rejected_message = (5, "Success"), None
        order.placed_as = str(self.world.rng.randint(80_000, 99_999))
        for item in order.items:
            self.tell.item("successfully_placed", item, order, now)
        self.tell.order("success", order, now)
        self._next(order, now)

    def _next(self, order: Order, now: int) -> None:
        """This order is done with; what is still subscribed to gets another."""
        customer = order.customer
        customer.orders.remove(order)
        lines = [
            self.world.item(item.subscription)
            for item in order.items
            if item.subscription and item.subscription.live
        ]
        if lines:
            days = self.world.rng.choice((1, 7, 14, 30, 60))
            coming = self.world.order(customer, lines, now, days)
            for line in lines:
                self.tell.item("create", line, coming, now)
            self.tell.order("create", coming, now)

    def reject(self, now: int) -> None:
        """It is refused for good."""
        found = self._due(now)
        if found:
            self._refused(*found)

    def _refused(self, order: Order, now: int) -> None:
        order.tries += 1
        order.status = (3, "Rejected")
        order.rejected_message = self.world.turn(catalog.REJECTIONS)
        self.tell.order("reject", order, now)
        self._next(order, now)

    def retry(self, now: int) -> None:
        """Its payment is declined; it is tried again later, and then placed or refused."""
        found = self._due(now)
        if not found:
            return
        order, then = found
        order.tries += 1
        order.status = (18, "Credit card retry")
        order.rejected_message = self.world.turn(catalog.REJECTIONS)
        self.tell.order("retryable_placement_failure", order, then)
        end = self.world.rng.choice((self._placed, self._refused))

        def again(later: int) -> None:
            if order in order.customer.orders and order.items:
                end(order, self.tell.moment(order.customer, later))

        self.tell.later(then + self.world.rng.randint(1, 3) * 3_600, again)

    def trouble(self, now: int) -> None:
        """The platform answers 999, or waits for the merchant's word."""
        found = self._due(now)
        if found:
            order, then = found
            order.errors += 1
            order.tries += 1
            kind = self.world.turn(("generic_error", "awaiting_retry_instructions"))
            self.tell.order(kind, order, then)

    def line(self, now: int) -> None:
        """Something small happens to a line: a sample comes in, a quantity or price changes."""
        found = self._some(now, 2)
        if not found:
            return
        order, then = found
        item = self.world.rng.choice(order.items)
        kind = self.world.turn(("update_price", "change_quantity", "remove", "create"))
        if kind == "create" or (kind == "remove" and not item.subscription):
            item = self.world.sample()
            order.items.append(item)
            kind = "create"
        elif kind == "change_quantity":
            item.quantity += 1
        elif kind == "update_price":
            item.price += 1
        else:
            self._put_back(item, order, then)
            return
        self.tell.item(kind, item, order, then)

    def _put_back(self, item: Item, order: Order, now: int) -> None:
        """A line of a live subscription is removed and, as the source does, made anew."""
        self.tell.item("remove", item, order, now)
        order.items.remove(item)
        if item.subscription:
            order.items.append(self.world.item(item.subscription))
            self.tell.item("create", order.items[-1], order, now + 1)

    def gift_box(self, now: int) -> None:
        """An order of more than 25 lines is reminded of."""
        found = self._some(now)
        if found:
            order, then = found
            order.items.extend(self.world.sample() for _ in range(27))
            self.tell.order("reminder", order, then, whole=True)

    def subscribe_line(self, now: int) -> None:
        """A line bought once becomes a subscription."""
        found = self._some(now, 2)
        if found:
            order, then = found
            one = self.world.subscription(order.customer, then, "")
            self.tell.subscription("create", one, then, CHECKOUT)
            order.items.append(self.world.item(one))
            self.tell.item("item_subscribe", order.items[-1], order, then)

    def move_line(self, now: int) -> None:
        """A line goes to another order of its customer; an order left empty is deleted."""
        found = self._some(now)
        if not found:
            return
        source, then = found
        customer = source.customer
        others = [order for order in customer.orders if order is not source]
        target = others[0] if others else self.world.order(customer, [], then, 10)
        item = source.items.pop()
        target.items.append(item)
        self.tell.item("change_order", item, target, then)
        if not source.items:
            customer.orders.remove(source)
            self.tell.order("delete", source, then)

    def out_of_stock(self, now: int) -> None:
        """Not enough in stock: the line waits in tomorrow's order, is placed then, or waits on."""
        found = self._some(now)
        if found:
            order, then = found
            self._waits(self.world.rng.choice(order.items), order, then)

    def _waits(self, item: Item, order: Order, now: int) -> None:
        order.items.remove(item)
        if not order.items:
            order.customer.orders.remove(order)
        waiting = self.world.order(order.customer, [item], now, 1)
        self.tell.item("out_of_stock", item, waiting, now)
        self.tell.later(now + _DAY, lambda later: self._tried(waiting, later))

    def _tried(self, order: Order, now: int) -> None:
        """A day later: placed, unless it is still missing."""
        if order not in order.customer.orders or len(order.items) != 1:
            return
        then = self.tell.moment(order.customer, now, 2)
        if self.world.chance(0.3):
            self._placed(order, then)
        else:
            self._waits(order.items[0], order, then)

    def waited_for(self, customer: Customer, order: Order, since: int, until: int) -> None:
        """A line that was out of stock on every day from `since` to before `until`, and is still.

        Told at once, as the shop's past; tomorrow's try is left to the day itself.
        """
        item = order.items[0]
        for now in range(since, until, _DAY):
            order.items.remove(item)
            if not order.items:
                customer.orders.remove(order)
            order = self.world.order(customer, [item], now, 1)
            self.tell.item("out_of_stock", item, order, now)
        self.tell.later(now + _DAY, lambda later: self._tried(order, later))
