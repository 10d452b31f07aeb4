"""Who may go next: one customer strictly in order, different customers concurrently."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from streams.delivery.pending import Delivery


class Oldest:
    """Deliveries of which the one that came in first is taken first.

    Oldest first keeps the distance between the committed offset and the newest finished delivery
    short, and with it what a restart has to recall.
    """

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[tuple[int, Delivery]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, delivery: Delivery) -> None:
        """Add one."""
        heapq.heappush(self._heap, (delivery.sequence, delivery))

    @property
    def first(self) -> int:
        """The oldest one's sequence number; 0 when there is none."""
        return self._heap[0][0] if self._heap else 0

    def pop(self) -> Delivery:
        """Take the oldest; IndexError when there is none."""
        return heapq.heappop(self._heap)[1]

    def after(self, sequence: int) -> Delivery | None:
        """The oldest that came in after this sequence number; it stays."""
        later = [entry for entry in self._heap if entry[0] > sequence]
        return min(later)[1] if later else None

    def remove(self, delivery: Delivery) -> None:
        """Take this one, if it is here."""
        self._keep(lambda each: each is not delivery)

    def sift(self) -> None:
        """Forget dropped ones."""
        self._keep(lambda each: not each.dropped)

    def _keep(self, wanted: Callable[[Delivery], bool]) -> None:
        self._heap = [entry for entry in self._heap if wanted(entry[1])]
        heapq.heapify(self._heap)


class Ready:
    """Deliveries that wait for a slot, by the endpoint of their next request."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Oldest] = {}

    def __len__(self) -> int:
        return sum(map(len, tuple(self._endpoints.values())))  # also from another thread

    def __iter__(self) -> Iterator[Oldest]:
        return iter(self._endpoints.values())

    def push(self, delivery: Delivery) -> None:
        """Add one that has a step to be sent."""
        endpoint = delivery.steps[0].request.endpoint
        self._endpoints.setdefault(endpoint, Oldest()).push(delivery)

    def oldest_first(self) -> list[tuple[str, Oldest]]:
        """The endpoints, the one with the oldest delivery first."""
        return sorted(self._endpoints.items(), key=lambda entry: entry[1].first)


class Customers:
    """Every delivery that is not concluded, in a queue per customer; the heads are free to go.

    Attributes:
        free: the heads that nobody has taken.
    """

    def __init__(self) -> None:
        self._queues: dict[tuple[int, bytes | None], deque[Delivery]] = {}
        self.free = Oldest()

    def add(self, delivery: Delivery) -> None:
        """Queue a delivery behind its customer's earlier ones."""
        queue = self._queues.get(delivery.customer)
        if queue is None:
            self._queues[delivery.customer] = deque((delivery,))
            self.free.push(delivery)
        else:
            queue.append(delivery)

    def take(self) -> Delivery | None:
        """The oldest head that nobody has taken, or None."""
        return self.free.pop() if len(self.free) else None

    def put_back(self, delivery: Delivery) -> None:
        """Let a head that was taken go later."""
        self.free.push(delivery)

    def conclude(self, delivery: Delivery) -> None:
        """Let the customer's next one go: all parts of this one, a head, have their outcomes."""
        if delivery.dropped:
            return  # the queue is gone already
        queue = self._queues[delivery.customer]
        queue.popleft()
        if queue:
            self.free.push(queue[0])
        else:
            del self._queues[delivery.customer]

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions' deliveries, which are marked as dropped."""
        for customer in [each for each in self._queues if each[0] in partitions]:
            del self._queues[customer]
        self.free.sift()
