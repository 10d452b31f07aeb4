"""An erase meets what waits: the customer's queue is concluded at once, whatever it waits for.

Also while the vendor does not work, and what is parked: its bytes leave the connection's table. A
request that is under way cannot be called back: its answer is the last, nothing of it is tried
again, and the vendor is asked to forget the customer after it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from streams.model.fact import CUSTOMER_ERASED
from streams.model.ids import customer_key

if TYPE_CHECKING:
    from streams.delivery.books import Books
    from streams.delivery.order import Customers, Ready
    from streams.delivery.owner import Owner
    from streams.delivery.pending import Delivery
    from streams.delivery.rendering import Renderer

_MARK: Final = CUSTOMER_ERASED.encode()


class Erasing:
    """One connection's; works on its sender's queues, for one event loop."""

    def __init__(
        self, customers: Customers, ready: Ready, renderer: Renderer, books: Books, owner: Owner
    ) -> None:
        """Take what it works with."""
        self._customers = customers
        self._ready = ready
        self._renderer = renderer
        self._books = books
        self._owner = owner

    def meet(self, delivery: Delivery) -> None:
        """Look whether a delivery that was just offered is an erase; if so, conclude what waits."""
        if _MARK not in delivery.value or delivery.low:  # nearly always
            return
        event = self._renderer.event_of(delivery)
        if event is None or event.type != CUSTOMER_ERASED:
            return
        if self._books.erasures.note(delivery, event):
            self._books.sync.erase(delivery, customer_key(event.merchant, event.customer_id))
            self._conclude_all(delivery)

    def overtakes(self, delivery: Delivery) -> bool:
        """Whether a delivery whose request has ended is over, as its customer was erased since."""
        event = delivery.event
        if event is None or delivery.dropped or not self._books.erasures.covers(delivery, event):
            return False
        self._books.erasures.concluded(delivery, event)
        asyncio.get_running_loop().call_soon(self._conclude_all, delivery)
        return True

    def wait(self, delivery: Delivery, seconds: float) -> float:
        """How long a delivery is to wait for its next attempt: no time, if it will have none."""
        event = delivery.event
        over = event is not None and self._books.erasures.covers(delivery, event)
        return 0.0 if over else seconds

    def _conclude_all(self, whose: Delivery) -> None:
        """Conclude the customer's deliveries before the erase, up to one that is under way."""
        for each in self._customers.of(whose):
            if each.task is not None or not self._renderer.erased(each):
                return
            if each.timer is not None:
                each.timer.cancel()
                each.timer = None
            for queue in self._ready:
                queue.remove(each)
            self._customers.free.remove(each)
            self._customers.conclude(each)
            self._owner.progressed(each)
