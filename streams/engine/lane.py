"""A lane: one consumed topic with its consumer group, and how its records are handled.

One process may have several lanes; each has its own consumer, poll thread and handler.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.engine.batch import Batch, Position
    from streams.engine.ownership import Share
    from streams.engine.poller import Poller

__all__ = ["Handler", "Lane", "PassiveHandler", "PollOptions"]


class Handler(Protocol):
    """What is done with a lane's batches. On the event loop, unless a method says otherwise."""

    def attach(self, poller: Poller) -> None:
        """Take the lane's poller; once, before anything else."""

    def settle(self, partitions: AbstractSet[int], alive: Callable[[], AbstractSet[int]]) -> None:
        """Wait for what former owners left open, before positions are read (side thread)."""

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Any]:
        """Return what is needed to go on from these positions, by partition (side thread).

        Other partitions go on meanwhile. What is no longer in `alive()` may be left out. After a
        `KafkaException` it is called again; any other exception stops the process.
        """

    def install(self, owned: Sequence[Share], loaded: Mapping[int, Any]) -> None:
        """Take what was loaded: these partitions' records come next, from those positions."""

    def drop(self, partitions: Collection[int]) -> None:
        """Forget these partitions; nothing of them may take effect any more."""

    async def feed(self, batch: Batch) -> None:
        """Handle a batch and call `batch.done()` when another one may come.

        One call at a time. Parts that `Poller.accepts` no longer are skipped. An exception sets
        back the batch's partitions as poisoned.
        """

    async def barrier(self, partitions: Collection[int]) -> None:
        """Finish or abandon what is under way for these, before they are given up; bounded."""

    def next_due(self, partition: int) -> int:
        """Return the earliest timer in stream time, 0 for none (any thread)."""

    def runnable_since(self) -> float | None:
        """Return `time.monotonic()` since when the oldest runnable work is not done (any thread).

        None when there is none. What waits for anything outside (a limit, a breaker, a registry, a
        broker) is not runnable; loading is as old as its last sign of life.
        """

    def close(self) -> None:
        """Let go of threads and connections; the poll thread has ended."""


class PassiveHandler:
    """Defaults for handlers without a table: nothing to settle, no timers, nothing to close."""

    def settle(self, partitions: AbstractSet[int], alive: Callable[[], AbstractSet[int]]) -> None:
        """Nothing is open."""

    def next_due(self, partition: int) -> int:  # noqa: ARG002 - part of the protocol
        """Return 0: no timers."""
        return 0

    def runnable_since(self) -> float | None:
        """Return None: what it does is over when `feed` returns."""
        return None

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOptions:
    """How a lane's batches are made.

    Attributes:
        max_batch: records a batch at most.
        slots: batches handed over and not yet done.
        gather_ms: how long a busy topic's batch waits to grow.
        prefetch: records fetched ahead (`queued.min.messages`).
        idle_ms: how often idle partitions with a due timer are looked at.
        poison_limit: after so many failures in a row at one place the process stops.
        one_by_one: on a quiet topic a batch is made when the one before is done, so that none
            waits, cut too early, behind another; for handlers whose batches are soon done.
    """

    max_batch: int = 4_000
    slots: int = 3
    gather_ms: int = 50
    prefetch: int = 30_000
    idle_ms: int = 500
    poison_limit: int = 5
    one_by_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One consumed topic.

    Attributes:
        name: in metrics, health and logs; the name of the Faust agent.
        topic: consumed; no other lane of the process has it.
        group: the consumer group.
        handler: what happens with the records.
        options: how batches are made.
    """

    name: str
    topic: str
    group: str
    handler: Handler
    options: PollOptions = field(default_factory=PollOptions)
