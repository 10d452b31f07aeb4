"""Who may go next: `streams.delivery.order`."""

from __future__ import annotations

from streams.delivery.order import Customers, Oldest, Ready
from streams.delivery.pending import Delivery, Step
from streams.model.delivery import Outcome, Request


def delivery(sequence: int, key: str, partition: int = 0) -> Delivery:
    """The record that came in as the `sequence`-th."""
    return Delivery(sequence, "deliveries", partition, 1, sequence, 0, key.encode(), b"", {})


def customers(*keys: str) -> tuple[Customers, list[Delivery]]:
    """Deliveries of these customers, in this order."""
    queued, deliveries = Customers(), [delivery(at, key) for at, key in enumerate(keys)]
    for each in deliveries:
        queued.add(each)
    return queued, deliveries


def free(queued: Customers) -> list[int]:
    """What may go now, by sequence."""
    taken = []
    while (each := queued.take()) is not None:
        taken.append(each.sequence)
    return taken


def test_only_heads_are_free() -> None:
    """One of each customer may go, the oldest first; each is given out once."""
    queued, _ = customers("a", "a", "b", "a", "c", "b")

    assert [0, 2, 4] == free(queued)
    assert [] == free(queued)


def test_the_next_one_goes_when_the_head_is_concluded() -> None:
    """A customer's queue is worked off in order, whatever happens to the others."""
    queued, [a0, a1, _, b0] = customers("a", "a", "a", "b")
    order = [free(queued)]
    queued.conclude(a0)
    order.append(free(queued))
    queued.conclude(b0)
    order.append(free(queued))
    queued.conclude(a1)
    order.append(free(queued))

    assert [[0, 3], [1], [], [2]] == order


def test_what_was_freed_late_but_came_early_goes_first() -> None:
    """The oldest record goes first, so that the offset can move."""
    queued, deliveries = customers("a", "a", "b", "c")
    queued.take()
    queued.conclude(deliveries[0])

    assert [1, 2, 3] == free(queued)


def test_a_customer_who_is_done_begins_anew() -> None:
    """Nothing of a customer is kept once all is concluded."""
    queued, [head] = customers("a")
    free(queued)
    queued.conclude(head)
    queued.add(delivery(1, "a"))

    assert [1] == free(queued)


def test_a_dropped_partition_is_forgotten() -> None:
    """Its deliveries never go, other partitions' do, and what is under way may still conclude."""
    queued, [under_way, _, other] = Customers(), [
        delivery(0, "a", 1), delivery(1, "b", 1), delivery(2, "c", 2)
    ]  # fmt: skip
    gone = delivery(3, "a", 1)
    for each in (under_way, _, other, gone):
        queued.add(each)
    queued.take()
    for each in (under_way, _, gone):
        each.dropped = True
    queued.drop([1])
    queued.conclude(under_way)

    assert [2] == free(queued)


def test_a_head_that_is_put_back_goes_again() -> None:
    """Taken and not sent, it is the oldest again; its customer's next one stays behind it."""
    queued, [head, *_] = customers("a", "a", "b")
    queued.take()
    queued.put_back(head)

    assert [0, 2] == free(queued)


def test_one_can_be_chosen_by_when_it_came() -> None:
    """The oldest after a sequence number, left where it is until it is removed."""
    heap, deliveries = Oldest(), [delivery(at, str(at)) for at in (7, 3, 5)]
    for each in deliveries:
        heap.push(each)
    after = [found.sequence if (found := heap.after(at)) else None for at in (0, 3, 6, 7)]
    heap.remove(deliveries[1])

    assert [3, 5, 7, None] == after
    assert [5, 7] == [heap.pop().sequence for _ in range(2)]


def test_what_is_ready_waits_for_its_endpoint() -> None:
    """By the endpoint of the next request; the one with the oldest delivery comes first."""
    ready = Ready(lambda: 0.0)
    for sequence, endpoint in ((4, "events"), (2, "profiles"), (3, "events")):
        each = delivery(sequence, str(sequence))
        request = Request("POST", "/", {}, {}, endpoint)
        each.steps.append(Step("event", request, b"", Outcome.DELIVERED))
        ready.push(each)

    assert 3 == len(ready)
    assert [("profiles", 2), ("events", 3)] == [
        (queue.endpoint, queue.first) for queue in ready.oldest_first()
    ]
