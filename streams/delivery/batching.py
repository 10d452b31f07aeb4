"""Records that travel together: how many, how large, and how long the first one waits for others.

A vendor's rules say so for each kind of record (`rules.Batch`). What travels alone is a batch of
one that waits for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.delivery import Rejected, Spared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from streams.delivery.order import Queue
    from streams.delivery.pending import Delivery
    from streams.model.delivery import Verdict
    from streams.model.rules import Batch


class Batching:
    """One connection's batches. For one event loop."""

    def __init__(
        self, batches: Iterable[Batch], clock: Callable[[], float], *, pace: float = 1.0
    ) -> None:
        """Take the vendor's rules.

        Args:
            batches: by name.
            clock: monotonic seconds.
            pace: how many times the published rate is allowed: so many times shorter are waits.
        """
        self._rules = {each.name: each for each in batches}
        self._clock = clock
        self._pace = max(1.0, pace)

    @property
    def largest(self) -> int:
        """How many deliveries the largest batch has room for."""
        return max((each.count for each in self._rules.values()), default=1)

    def unripe(self, queue: Queue) -> float:
        """Seconds that a queue's first delivery still waits for others; 0: they go now."""
        rule = self._rules.get(queue.batch or "")
        full = rule is None or len(queue) >= rule.count or queue.bytes >= rule.bytes
        if rule is None or full or queue.whole:
            return 0.0
        return max(0.0, queue.since + rule.seconds / self._pace - self._clock())

    def take(self, queue: Queue) -> list[Delivery]:
        """The oldest deliveries that go together, at least one; the rest begins to wait anew.

        None of them is a delivery twice: it would be one customer's, who has one under way.
        """
        rule = self._rules.get(queue.batch or "")
        taken = [queue.pop()]
        if rule is not None:
            size = len(taken[0].steps[0].body)
            while len(queue) and len(taken) < rule.count:
                size += len(queue.next.steps[0].body) + 1
                if size > rule.bytes:
                    break
                taken.append(queue.pop())
        queue.since = self._clock()
        return taken


def parted(verdicts: Sequence[Verdict], *, again: bool) -> list[list[int]]:
    """Which records of a call are to be sent again, and in which company; by their places.

    Where the answer names those at fault, the others go together once more. A call that was
    refused as a whole is halved, and halved again, until whose fault it was is alone.

    Args:
        verdicts: of the call's records, in order.
        again: whether these have been parted from others before.
    """
    spared = [place for place, each in enumerate(verdicts) if isinstance(each, Spared)]
    if spared and not again and len(spared) < len(verdicts):
        return [spared]
    first = verdicts[0]
    whole = isinstance(first, Rejected) and not first.named
    alike = whole and all(each == first for each in verdicts)
    together = spared or (list(range(len(verdicts))) if alike and len(verdicts) > 1 else [])
    middle = (len(together) + 1) // 2
    return [half for half in (together[:middle], together[middle:]) if half]
