"""Who may go next: one customer strictly in order, different customers concurrently."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from streams.delivery.pending import Delivery
    from streams.model.delivery import Frame


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


class Queue(Oldest):
    """Deliveries whose next requests go to one endpoint, and may travel together.

    Attributes:
        endpoint: whose limits they count against.
        batch: the name of the vendor's rule for how many travel together; None: one by one.
        whole: whether nobody else will join: they were parted from a call that was refused.
        low: whether all of them are of the low lane.
        since: monotonic seconds since when the first of them waits for others.
        bytes: of their next records, together; kept, since it is looked at with each delivery.
    """

    __slots__ = ("batch", "bytes", "endpoint", "low", "since", "whole")

    def __init__(
        self, endpoint: str, batch: str | None, *, whole: bool = False, low: bool = False
    ) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.batch = batch
        self.whole = whole
        self.low = low
        self.since = 0.0
        self.bytes = 0

    @property
    def next(self) -> Delivery:
        """The oldest; IndexError when there is none."""
        return self._heap[0][1]

    @override
    def push(self, delivery: Delivery) -> None:
        """Add one."""
        super().push(delivery)
        self.bytes += _size(delivery)

    @override
    def pop(self) -> Delivery:
        """Take the oldest; IndexError when there is none."""
        delivery = super().pop()
        self.bytes -= _size(delivery)
        return delivery

    @override
    def _keep(self, wanted: Callable[[Delivery], bool]) -> None:
        super()._keep(wanted)
        self.bytes = sum(_size(each) for _, each in self._heap)


def _size(delivery: Delivery) -> int:
    """Bytes of its next record in a call, with what parts it from the following one."""
    return len(delivery.steps[0].body) + 1


class Ready:
    """Deliveries that wait for a slot, in a queue for each kind of request."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._clock = clock
        self._queues: dict[tuple[str, Frame | None, int, bool], Queue] = {}

    def __len__(self) -> int:
        return sum(map(len, tuple(self._queues.values())))  # also from another thread

    def __iter__(self) -> Iterator[Queue]:
        return iter(self._queues.values())

    def push(self, delivery: Delivery) -> None:
        """Add one that has a step to be sent."""
        step = delivery.steps[0]
        frame = step.request.frame
        key = step.request.endpoint, frame, step.company, delivery.low
        queue = self._queues.get(key)
        if queue is None:
            batch = None if frame is None else frame.batch
            self._queues[key] = queue = Queue(
                key[0], batch, whole=step.company > 0, low=delivery.low
            )
        if not len(queue):
            queue.since = self._clock()
        queue.push(delivery)

    def empty(self) -> list[Delivery]:
        """Take all of them, in the order of their queues."""
        queues, self._queues = self._queues, {}
        return [queue.pop() for queue in queues.values() for _ in range(len(queue))]

    def oldest_first(self) -> list[Queue]:
        """The queues, the one with the oldest delivery first; empty ones are forgotten."""
        self._queues = {key: each for key, each in self._queues.items() if len(each)}
        return sorted(self._queues.values(), key=lambda each: each.first)


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

    def of(self, delivery: Delivery) -> list[Delivery]:
        """This customer's deliveries, in order."""
        return list(self._queues.get(delivery.customer, ()))

    def behind(self, delivery: Delivery) -> Delivery | None:
        """The customer's next delivery after this one, which is the head."""
        queue = self._queues.get(delivery.customer)
        return queue[1] if queue is not None and len(queue) > 1 else None

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


def oldest(places: Iterable[Oldest], *, after: int) -> Delivery | None:
    """The oldest delivery that waits anywhere and came in after this number; else the oldest."""
    known = list(places)
    for tried in (after, 0):
        found = [each for place in known if (each := place.after(tried)) is not None]
        if found:
            return min(found, key=lambda each: each.sequence)
    return None
