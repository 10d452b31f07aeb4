"""What happens to people themselves: they edit their contact details, the shop writes to them.

The source has no webhook for an edit (contracts/ordergroove.md §5.12): the next one that carries
the person shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo import catalog

if TYPE_CHECKING:
    from streams.demo.entities import Customer
    from streams.demo.telling import Teller


class PersonStories:
    """Edits and messages."""

    def __init__(self, tell: Teller) -> None:
        self.tell = tell
        self.world = tell.world

    def edit(self, now: int) -> None:
        """New details; half of the time an order's webhook shows them at once."""
        customer = self.world.pick(lambda one: one.email and one.subscriptions)
        if not customer:
            return
        then = self.tell.moment(customer, now)
        customer.last_updated = then
        self._change(customer)
        orders = [order for order in customer.orders if order.items]
        if orders and self.world.chance(0.5):
            self.tell.order("refresh_one_click_token", orders[0], then, whole=True)

    def _change(self, customer: Customer) -> None:
        rng = self.world.rng
        what = rng.choice(("email", "name", "phone", "blank"))
        if what == "email":
            name, _, domain = str(customer.email).partition("@")
            customer.email = f"{name}x@{domain}"
        elif what == "name":
            customer.last_name = rng.choice(catalog.LAST_NAMES)
        elif what == "phone" and customer.phone and customer.phone.startswith("+1"):
            customer.phone = customer.phone.replace("555", "556", 1)
        else:
            customer.phone = rng.choice((None, ""))  # tells nothing: what is known stays

    def message(self, now: int) -> None:
        """A workflow of the merchant's sends something."""
        customer = self.world.pick(lambda one: one.subscriptions)
        if customer:
            then = self.tell.moment(customer, now)
            self.tell.communication(customer, then, self.world.rng.choice(("winback", "vip")))
