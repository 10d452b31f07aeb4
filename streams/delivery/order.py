"""Who may go next: one customer strictly in order, different customers concurrently."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

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

    def sift(self) -> None:
        """Forget dropped ones."""
        self._heap = [entry for entry in self._heap if not entry[1].dropped]
        heapq.heapify(self._heap)


class Customers:
    """Every delivery that is not concluded, in a queue per customer; the heads are free to go."""

    def __init__(self) -> None:
        self._queues: dict[tuple[int, bytes | None], deque[Delivery]] = {}
        self._free = Oldest()

    def add(self, delivery: Delivery) -> None:
        """Queue a delivery behind its customer's earlier ones."""
        queue = self._queues.get(delivery.customer)
        if queue is None:
            self._queues[delivery.customer] = deque((delivery,))
            self._free.push(delivery)
        else:
            queue.append(delivery)

    def take(self) -> Delivery | None:
        """The oldest head that nobody has taken, or None."""
        return self._free.pop() if len(self._free) else None

    def conclude(self, delivery: Delivery) -> None:
        """Let the customer's next one go: all parts of this one, a head, have their outcomes."""
        if delivery.dropped:
            return  # the queue is gone already
        queue = self._queues[delivery.customer]
        queue.popleft()
        if queue:
            self._free.push(queue[0])
        else:
            del self._queues[delivery.customer]

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions' deliveries, which are marked as dropped."""
        for customer in [each for each in self._queues if each[0] in partitions]:
            del self._queues[customer]
        self._free.sift()
